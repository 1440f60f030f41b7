/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceArgs.h - the arguments and the environment of an executed program.
 *
 * Arguments are fetched by a probe of their own, whose record may be too long for the kernel to keep (a page). If it
 * is, or there are more of them than it fetches, they are read from /proc, and compared with their length and first
 * bytes, which the record of the exec has. The environment is read from /proc.
 */
#ifndef EBPF_TRACE_ARGS_H
#define EBPF_TRACE_ARGS_H

#include "TraceProbes.h"

struct args_note;

struct trace_args {
    struct args_note *notes; /* arguments of execs that are about to be reported, by thread */
};

/* Make room for notes. 0 or -ENOMEM. */
int trace_args__init(struct trace_args *args);
void trace_args__fini(struct trace_args *args);

/* Keep the arguments of a record for that of the exec, which follows. */
void trace_args__note(struct trace_args *args, const struct trace_values *v);

/* Add the arguments to an event. */
void trace_args__add(struct trace_args *args, struct ebpf_event_header *hdr, const struct trace_values *v);

/* Add the environment of a process to an event; what is left of it, if the process is gone. */
void trace_env__add(struct ebpf_event_header *hdr, uint32_t tgid);

#endif
