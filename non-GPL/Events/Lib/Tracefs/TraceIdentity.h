/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceIdentity.h - makes the events of what a process is: its session, its user and its group. */
#ifndef EBPF_TRACE_IDENTITY_H
#define EBPF_TRACE_IDENTITY_H

#include "TraceEvents.h"

void trace_session__take(struct trace_events *events, const struct trace_values *v);
void trace_ids__take(struct trace_events *events, const struct trace_values *v);

/* A thread's exec has succeeded, or has failed after its ids were changed: report these changes, or do not. */
void trace_ids__end_exec(struct trace_events *events, const struct trace_values *v, bool has_succeeded);

#endif
