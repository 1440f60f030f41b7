/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LibbpfLog.h - what libbpf writes while this library calls it.
 *
 * libbpf has one print function for the process, which may be the embedder's. It is ours only in between the two calls,
 * and then passes on what libbpf writes in other threads.
 */
#ifndef EBPF_LIBBPF_LOG_H
#define EBPF_LIBBPF_LOG_H

#include "../../Log.h"

/* From now on what libbpf writes in this thread goes to `log`, at EBPF_LOG_DEBUG; nowhere when that is NULL. */
void libbpf_log__begin(const struct ebpf_log *log);

void libbpf_log__end(void);

#endif
