/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceTask.h - the members of an event that describe a task, from the values of a record. */
#ifndef EBPF_TRACE_TASK_H
#define EBPF_TRACE_TASK_H

#include "TraceProbes.h"

#define NUMBER(v, value) trace_values__number(v, TRACE_VALUE_##value)

static inline uint32_t trace_values__upper(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

void trace_pids__fill(struct ebpf_pid_info *pids, const struct trace_values *v);
void trace_creds__fill(struct ebpf_cred_info *creds, const struct trace_values *v);
void trace_tty__fill(struct ebpf_tty_dev *tty, const struct trace_values *v);

/* Fill in the namespaces, except those of process ids and of users. */
void trace_namespaces__fill(struct ebpf_ns_info *ns, const struct trace_values *v);

/* Fill in a name of a thread that was fetched as two words. */
void trace_comm__fill(char comm[EBPF_COMM_LEN], uint64_t begin, uint64_t end);

#endif
