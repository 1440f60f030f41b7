/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceCgroups.h - follows processes from one cgroup to another, by the tracepoint cgroup:cgroup_attach_task. */
#ifndef EBPF_TRACE_CGROUPS_H
#define EBPF_TRACE_CGROUPS_H

#include "../Record.h"
#include "TraceInstance.h"
#include "TracePages.h"

struct trace_cgroups {
    uint16_t event;                    /* 0: the kernel does not have it */
    int hierarchy_at, pid_at, path_at; /* in the record */
    int hierarchy;                     /* whose paths are followed */
};

void trace_cgroups__start(struct trace_cgroups *cgroups, const struct trace_instance *in);

/* Return whether a record says that a process was moved, and to which cgroup. */
bool trace_cgroups__take(const struct trace_cgroups *cgroups, const struct trace_record *record, uint32_t *ret_tgid,
                         struct slice *ret_path);

#endif
