/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceLife.h - makes the events of processes that begin, execute a program, and end. */
#ifndef EBPF_TRACE_LIFE_H
#define EBPF_TRACE_LIFE_H

#include "TraceEvents.h"

/* Make the event of a record, or keep what it has for a later one. False if it is none of these probes. */
bool trace_life__take(struct trace_events *events, const struct trace_values *v);

#endif
