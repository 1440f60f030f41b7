/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceListen.h - makes the event of a TCP socket that begins to listen. */
#ifndef EBPF_TRACE_LISTEN_H
#define EBPF_TRACE_LISTEN_H

#include "TraceEvents.h"

/* Note with what backlog a thread calls listen. */
void trace_listening__note(struct trace_events *events, const struct trace_values *v);

void trace_listen__take(struct trace_events *events, const struct trace_values *v);

#endif
