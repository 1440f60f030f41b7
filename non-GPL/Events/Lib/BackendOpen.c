/* SPDX-License-Identifier: BSD-2-Clause */
/* BackendOpen.c - chooses where events come from: BPF, or tracefs where BPF cannot be used at all. */
#include "Backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "Bpf/BpfOpen.h"
#include "Log.h"
#include "Tracefs/TraceBackend.h"

/*
 * Stands between the backends that are tried and the caller's functions. While they are tried, the last error is held
 * back: it may turn out to be none. A backend keeps this as the `user` of its log, so it is freed after the backend.
 */
struct attempt {
    struct ebpf_log log; /* the caller's */
    bool (*is_cancelled)(void *user);
    bool is_open;             /* no errors are held back any more */
    char error[LOG_LINE_MAX]; /* the one that is held back; "": none */
};

static void attempt__pass_on(struct attempt *attempt)
{
    if (*attempt->error)
        ebpf_log__write(&attempt->log, EBPF_LOG_ERROR, "%s", attempt->error);
    *attempt->error = '\0';
}

static void attempt__log(void *user, enum ebpf_log_level level, const char *format, va_list args)
{
    struct attempt *attempt = user;

    if (attempt->is_open || level != EBPF_LOG_ERROR) {
        ebpf_log__write_args(&attempt->log, level, format, args);
        return;
    }
    attempt__pass_on(attempt);
    vsnprintf(attempt->error, sizeof(attempt->error), format, args);
}

static bool attempt__is_cancelled(void *user)
{
    const struct attempt *attempt = user;

    return attempt->is_cancelled && attempt->is_cancelled(attempt->log.user);
}

/* Make an attempt, and the options with which backends are tried. NULL if there is no memory for it. */
static struct attempt *attempt__new(const struct ebpf_source_opts *opts, struct ebpf_source_opts *ret_opts)
{
    struct attempt *attempt = calloc(1, sizeof(*attempt));

    if (!attempt)
        return NULL;
    attempt->log = ebpf_log__of(opts);
    attempt->is_cancelled = opts->is_cancelled;
    *ret_opts = *opts;
    ret_opts->log = opts->log || opts->log_line ? attempt__log : NULL;
    ret_opts->log_line = NULL;
    ret_opts->is_cancelled = attempt__is_cancelled;
    ret_opts->user = attempt;
    return attempt;
}

/* Open tracefs, because BPF cannot be used for the error that is held back. If that fails too, BPF's error counts. */
static int attempt__open_tracefs(struct attempt *attempt, const struct ebpf_source_opts *opts,
                                 struct ebpf_backend **ret_backend)
{
    char cause[LOG_LINE_MAX];

    strcpy(cause, attempt->error);
    *attempt->error = '\0';
    int err = trace_backend__open(opts, ret_backend);

    if (!err) {
        ebpf_log__write(&attempt->log, EBPF_LOG_WARNING,
                        "BPF cannot be used here (%s): events come from tracefs, which sees less", cause);
        return 0;
    }
    if (err == -ECANCELED)
        return err;
    ebpf_log__write(&attempt->log, EBPF_LOG_ERROR, "%s; tracefs cannot be used either: %s", cause, attempt->error);
    *attempt->error = '\0';
    return -EOPNOTSUPP;
}

/* Open BPF, or tracefs where BPF cannot be used at all. */
static int backend__open_any(const struct ebpf_source_opts *opts, struct ebpf_backend **ret_backend)
{
    const struct ebpf_log log = ebpf_log__of(opts);
    struct ebpf_source_opts tried;
    struct attempt *attempt = attempt__new(opts, &tried);

    if (!attempt) {
        ebpf_log__write(&log, EBPF_LOG_ERROR, "cannot open a source: %s; free memory", strerror(ENOMEM));
        return -ENOMEM;
    }
    int err = bpf_backend__open(&tried, ret_backend);

    if (err == -EOPNOTSUPP)
        err = attempt__open_tracefs(attempt, &tried, ret_backend);
    attempt__pass_on(attempt);
    if (err) {
        free(attempt);
        return err;
    }
    attempt->is_open = true;
    (*ret_backend)->attempt = attempt;
    return 0;
}

int ebpf_backend__open(const struct ebpf_source_opts *opts, struct ebpf_backend **ret_backend)
{
    const struct ebpf_log log = ebpf_log__of(opts);
    bool is_about_programs = opts->attach != EBPF_ATTACH_BEST || opts->disable_hooks;

    if (opts->backend == EBPF_BACKEND_AUTO && !is_about_programs)
        return backend__open_any(opts, ret_backend);
    if (opts->backend != EBPF_BACKEND_TRACEFS)
        return bpf_backend__open(opts, ret_backend);
    if (is_about_programs) {
        ebpf_log__write(&log, EBPF_LOG_ERROR,
                        "cannot open a source: tracefs has no BPF programs to attach or to disable; leave these "
                        "options out, or use BPF");
        return -EINVAL;
    }
    return trace_backend__open(opts, ret_backend);
}
