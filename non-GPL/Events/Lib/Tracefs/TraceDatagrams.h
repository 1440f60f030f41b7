/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceDatagrams.h - makes the events of flows of UDP datagrams. */
#ifndef EBPF_TRACE_DATAGRAMS_H
#define EBPF_TRACE_DATAGRAMS_H

#include "TraceEvents.h"

/* Take a record of a probe of ProbesNetwork.def, if it is of UDP. */
void trace_datagrams__take(struct trace_events *events, const struct trace_values *v);

#endif
