/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LibbpfLog.h - redirects libbpf's messages while this library calls it.
 *
 * libbpf has one print function for the whole process, which may be the embedder's. It is replaced only between begin
 * and end, by one that passes on messages from other threads.
 */
#ifndef EBPF_LIBBPF_LOG_H
#define EBPF_LIBBPF_LOG_H

#include "../../Log.h"

/* Send libbpf's messages in this thread to `log`, at EBPF_LOG_DEBUG; nowhere if that is NULL. */
void libbpf_log__begin(const struct ebpf_log *log);

void libbpf_log__end(void);

/* Return whether messages of this thread are sent to a log. */
bool libbpf_log__is_on(void);

/* Send the lines of a text to the log, each after `head`. Changes the text. */
void libbpf_log__write(const char *head, char *text);

#endif
