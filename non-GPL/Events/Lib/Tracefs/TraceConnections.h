/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceConnections.h - makes the events of TCP connections, and of sockets that begin to listen. */
#ifndef EBPF_TRACE_CONNECTIONS_H
#define EBPF_TRACE_CONNECTIONS_H

#include "TraceEvents.h"

/* Make the event of a record of a probe of ProbesNetwork.def, if it is one of TCP. */
void trace_connections__take(struct trace_events *events, const struct trace_values *v);

#endif
