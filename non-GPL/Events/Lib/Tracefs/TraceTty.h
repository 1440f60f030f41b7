/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceTty.h - makes the events of what is written to terminals. */
#ifndef EBPF_TRACE_TTY_H
#define EBPF_TRACE_TTY_H

#include "TraceEvents.h"

/* Make the event of a record, or keep what it has for a later one. False if it is none of these probes. */
bool trace_tty__take(struct trace_events *events, const struct trace_values *v);

#endif
