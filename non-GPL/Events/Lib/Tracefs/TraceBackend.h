/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceBackend.h - the backend of kernels on which BPF cannot be used. */
#ifndef EBPF_TRACE_BACKEND_H
#define EBPF_TRACE_BACKEND_H

#include "../Backend.h"

/* As ebpf_backend__open, from kprobes and tracepoints in an instance of tracefs. */
int trace_backend__open(const struct ebpf_source_opts *opts, struct ebpf_backend **ret_backend);

#endif
