/* SPDX-License-Identifier: BSD-2-Clause */
/* Handlers.h - what the library calls: an event or a loss becomes a line of output, a message one of standard error. */
#ifndef EVENTS_TRACE_HANDLERS_H
#define EVENTS_TRACE_HANDLERS_H

#include "Trace.h"

/* Return the options of a source whose events go to the output of a tracing. */
struct ebpf_source_opts handlers__source_opts(struct trace *trace);

#endif
