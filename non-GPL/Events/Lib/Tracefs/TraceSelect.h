/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceSelect.h - applies a selection in user space: filters in tracefs run after all values were fetched. */
#ifndef EBPF_TRACE_SELECT_H
#define EBPF_TRACE_SELECT_H

#include "../Log.h"
#include "../Processes.h"

#define TRACE_CONDITIONS_MAX 64 /* they are bits of struct process */

struct trace_condition {
    enum ebpf_select_kind kind;
    bool exclude;
    uint32_t id;
    char *text;   /* belongs to it; of a path as events have it, without links */
    char *target; /* likewise: of a path that is a link itself; NULL: it is none */
};

struct trace_selection {
    struct trace_condition conditions[TRACE_CONDITIONS_MAX];
    size_t count;
    uint32_t host_pid_ns, host_mnt_ns; /* of the first process */
};

/* The process that acts. */
struct trace_actor {
    const struct process *process;
    uint32_t uid;
    const char *comm; /* EBPF_COMM_LEN bytes */
    struct ebpf_ns_info ns;
};

/*
 * Replace a selection, and mark the processes that it is about. 0; or -EINVAL or -ENOMEM, logged: then it is as it was.
 */
int trace_selection__set(struct trace_selection *selection, struct processes *processes,
                         const struct ebpf_condition *conditions, size_t count, const struct ebpf_log *log);
void trace_selection__fini(struct trace_selection *selection);

/* Return whether what a process does passes the conditions on processes. */
bool trace_selection__passes(const struct trace_selection *selection, const struct trace_actor *actor);

/*
 * Return whether a record of a file passes the conditions on paths. A path that lacks its beginning may be anywhere: no
 * condition leaves it out.
 */
bool trace_selection__passes_paths(const struct trace_selection *selection, const struct ebpf_event_header *hdr);

/* Find out what a condition on a path is about. 0; or -EINVAL or -ENOMEM, logged. */
int trace_condition__resolve(struct trace_condition *condition, const char *text, const struct ebpf_log *log);

#endif
