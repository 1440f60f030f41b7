/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PointsBackend.h - the backend of tracefs for kernels that have no kprobes: see Points.h.
 *
 * Tracepoints have no count of hits. So what is lost is what the pages of the buffers say was overwritten, and what is
 * missing among the numbers of the connector's messages, whatever it was: it counts as lost of one type of event each.
 */
#ifndef EBPF_POINTS_BACKEND_H
#define EBPF_POINTS_BACKEND_H

#include "TraceInstance.h"
#include "Backend.h"

/* As ebpf_backend__open, in an instance, which belongs to the backend from now on, also if this fails. */
int points_backend__open(const struct ebpf_source_opts *opts, struct trace_instance *in,
                         struct ebpf_backend **ret_backend);

#endif
