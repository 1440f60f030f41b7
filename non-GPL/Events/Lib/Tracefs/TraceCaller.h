/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceCaller.h - who came by a probe whose function has no task: what the tables have of the thread.
 *
 * The kernel can fetch nothing of the current task but its name. So the rest is what was seen of the thread last.
 */
#ifndef EBPF_TRACE_CALLER_H
#define EBPF_TRACE_CALLER_H

#include "TraceEvents.h"

struct trace_caller {
    struct ebpf_pid_info pids; /* only `tid` if the thread is not known */
    struct process *process;   /* NULL: not known */
    struct ebpf_cred_info creds;
    struct ebpf_ns_info ns;
    char comm[EBPF_COMM_LEN];
};

/* Find the caller of a probe that fetches `caller_comm`. */
void trace_caller__find(struct trace_caller *ret_caller, struct trace_events *events, const struct trace_values *v);

/* Return whether an event of a caller is to be made; it is counted if it is not. */
bool trace_caller__is_wanted(struct trace_events *events, const struct trace_caller *caller, enum ebpf_event_type type);

/* Return whether the selection has a caller, for an event of it that may come later. */
bool trace_caller__passes(const struct trace_events *events, const struct trace_caller *caller);

/* Return whether a caller is a thread of the kernel. */
static inline bool trace_caller__is_kernel(const struct trace_caller *caller)
{
    return caller->process && caller->process->is_kernel;
}

/* A thread was seen to begin (at the probe `fork`), to exec, or to end: keep the table of threads. */
void trace_caller__begins(struct trace_events *events, const struct trace_values *v);
void trace_caller__execs(struct trace_events *events, const struct trace_values *v);
void trace_caller__ends(struct trace_events *events, const struct trace_values *v);

/* Note what the probes `group`, `credentials` and `namespaces` have seen of a thread. */
void trace_caller__note_group(struct trace_events *events, const struct trace_values *v);
void trace_caller__note_creds(struct trace_events *events, const struct trace_values *v);
void trace_caller__note_namespaces(struct trace_events *events, const struct trace_values *v);

#endif
