/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceFileOps.h - makes the events of names in directories: FILE_CREATE, FILE_LINK, FILE_DELETE, FILE_RENAME. */
#ifndef EBPF_TRACE_FILE_OPS_H
#define EBPF_TRACE_FILE_OPS_H

#include "TraceEvents.h"

/* Take a record, if it is one of theirs. */
void trace_file_ops__take(struct trace_events *events, const struct trace_values *v);

/* Return whether the thread has just created the file with a dentry; it is asked once, when the file is opened. */
bool trace_file_ops__has_created(struct trace_events *events, uint32_t tid, uint64_t dentry);

#endif
