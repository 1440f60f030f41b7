/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceFileOps.h - makes the events of names in directories: FILE_CREATE, FILE_LINK, FILE_DELETE, FILE_RENAME. */
#ifndef EBPF_TRACE_FILE_OPS_H
#define EBPF_TRACE_FILE_OPS_H

#include "TraceEvents.h"

/* Take a record, if it is one of theirs. */
void trace_file_ops__take(struct trace_events *events, const struct trace_values *v);

#endif
