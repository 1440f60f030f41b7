/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceFileChanges.h - makes the events FILE_MODIFY. */
#ifndef EBPF_TRACE_FILE_CHANGES_H
#define EBPF_TRACE_FILE_CHANGES_H

#include "TraceEvents.h"

/* Take a record; false if it is not one of theirs. */
bool trace_file_changes__take(struct trace_events *events, const struct trace_values *v);

#endif
