/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceFileOpens.h - makes the events FILE_MEMFD_OPEN and FILE_SHMEM_OPEN. */
#ifndef EBPF_TRACE_FILE_OPENS_H
#define EBPF_TRACE_FILE_OPENS_H

#include "TraceEvents.h"

/* A file is opened, with success but for a refusal by a security module. */
void trace_file_open__take(struct trace_events *events, const struct trace_values *v);

#endif
