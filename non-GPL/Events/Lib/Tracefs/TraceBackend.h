/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceBackend.h - a backend for kernels without BPF: kprobes and tracepoints in an instance of tracefs.
 *
 * The kernel keeps what they record in a buffer for each CPU. Now and then (the backend's period) it is read, merged by
 * time and made into the same records that the BPF probes make, in rings in memory. While these are full, the rest
 * waits in the kernel. There, the oldest is overwritten, and counted: seen = hits of the probe that are events, lost =
 * hits whose record was never read.
 */
#ifndef EBPF_TRACE_BACKEND_H
#define EBPF_TRACE_BACKEND_H

#include "Backend.h"

/* As ebpf_backend__open. */
int trace_backend__open(const struct ebpf_source_opts *opts, struct ebpf_backend **ret_backend);

#endif
