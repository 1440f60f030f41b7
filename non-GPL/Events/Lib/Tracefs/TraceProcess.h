/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceProcess.h - makes the events of what processes do to others and to themselves: ptrace, memfds, segments, … */
#ifndef EBPF_TRACE_PROCESS_H
#define EBPF_TRACE_PROCESS_H

#include "TraceEvents.h"

/* Make the event of a record, or keep what it has for a later one. False if it is none of these probes. */
bool trace_process__take(struct trace_events *events, const struct trace_values *v);

/* Have the kernel come by where shared memory segments are made, which shows how they differ from other things. */
void trace_shm__learn(struct trace_events *events);

#endif
