/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceConnections.h - makes the events of TCP connections. */
#ifndef EBPF_TRACE_CONNECTIONS_H
#define EBPF_TRACE_CONNECTIONS_H

#include "TraceEvents.h"

/* Make the event of a record of a probe of ProbesNetwork.def, if it is one of TCP. */
void trace_connections__take(struct trace_events *events, const struct trace_values *v);

/* Return whether a TCP socket belongs to one of MPTCP. */
bool trace_sock__is_subflow(const struct trace_events *events, const struct trace_values *v);

/* Begin an event of a process of that name. */
void *trace_connection__begin(struct trace_events *events, enum ebpf_event_type type, size_t size,
                              const struct trace_values *v, const char *comm);

#endif
