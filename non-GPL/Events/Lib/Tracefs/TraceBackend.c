/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceBackend.c - see TraceBackend.h. */
#include "TraceBackend.h"

#include <errno.h>

#include "../Log.h"

int trace_backend__open(const struct ebpf_source_opts *opts, struct ebpf_backend **ret_backend)
{
    const struct ebpf_log log = ebpf_log__of(opts);

    (void)ret_backend;
    ebpf_log__write(&log, EBPF_LOG_ERROR, "cannot use tracefs: this version of the library has no events from it");
    return -EOPNOTSUPP;
}
