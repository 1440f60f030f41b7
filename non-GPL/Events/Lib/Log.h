/* SPDX-License-Identifier: BSD-2-Clause */
/* Log.h - the caller's log callback, or nothing. */
#ifndef EBPF_LOG_H
#define EBPF_LOG_H

#include "EbpfEvents.h"

struct ebpf_log {
    ebpf_log_fn fn;
    void *user;
};

static inline void __attribute__((format(printf, 3, 4)))
ebpf_log__write(const struct ebpf_log *log, enum ebpf_log_level level, const char *format, ...)
{
    va_list args;

    if (!log->fn)
        return;
    va_start(args, format);
    log->fn(log->user, level, format, args);
    va_end(args);
}

#endif
