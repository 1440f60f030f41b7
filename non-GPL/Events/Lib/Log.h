/* SPDX-License-Identifier: BSD-2-Clause */
/* Log.h - the caller's log callbacks, or nothing. */
#ifndef EBPF_LOG_H
#define EBPF_LOG_H

#include <stdio.h>

#include "EbpfEvents.h"

#define LOG_LINE_MAX 4096 /* bytes of a line with its NUL; what is longer is cut */

struct ebpf_log {
    ebpf_log_fn fn;
    ebpf_log_line_fn line_fn;
    void *user;
};

static inline struct ebpf_log ebpf_log__of(const struct ebpf_source_opts *opts)
{
    return (struct ebpf_log){.fn = opts->log, .line_fn = opts->log_line, .user = opts->user};
}

static inline void __attribute__((format(printf, 3, 0)))
ebpf_log__write_args(const struct ebpf_log *log, enum ebpf_log_level level, const char *format, va_list args)
{
    char line[LOG_LINE_MAX];
    va_list again;

    if (log->fn) {
        va_copy(again, args);
        log->fn(log->user, level, format, again);
        va_end(again);
    }
    if (log->line_fn) {
        vsnprintf(line, sizeof(line), format, args);
        log->line_fn(log->user, level, line);
    }
}

static inline void __attribute__((format(printf, 3, 4)))
ebpf_log__write(const struct ebpf_log *log, enum ebpf_log_level level, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    ebpf_log__write_args(log, level, format, args);
    va_end(args);
}

#endif
