// SPDX-License-Identifier: BSD-2-Clause
/* TraceTask.c - see TraceTask.h. */
#include "TraceTask.h"

#include <string.h>

void trace_pids__fill(struct ebpf_pid_info *pids, const struct trace_values *v)
{
    *pids = (struct ebpf_pid_info){
        .tid = (uint32_t)NUMBER(v, tids),
        .tgid = trace_values__upper(NUMBER(v, tids)),
        .ppid = (uint32_t)NUMBER(v, ppid),
        .pgid = (uint32_t)NUMBER(v, pgid),
        .sid = (uint32_t)NUMBER(v, sid),
        .start_time_ns = NUMBER(v, start),
    };
}

void trace_creds__fill(struct ebpf_cred_info *creds, const struct trace_values *v)
{
    *creds = (struct ebpf_cred_info){
        .ruid = (uint32_t)NUMBER(v, ids),
        .rgid = trace_values__upper(NUMBER(v, ids)),
        .euid = (uint32_t)NUMBER(v, effective_ids),
        .egid = trace_values__upper(NUMBER(v, effective_ids)),
        .suid = (uint32_t)NUMBER(v, saved_ids),
        .sgid = trace_values__upper(NUMBER(v, saved_ids)),
        .cap_permitted = NUMBER(v, cap_permitted),
        .cap_effective = NUMBER(v, cap_effective),
    };
}

void trace_tty__fill(struct ebpf_tty_dev *tty, const struct trace_values *v)
{
    uint64_t driver = NUMBER(v, tty_driver), size = NUMBER(v, tty_size);

    memset(tty, 0, sizeof(*tty));
    if (!NUMBER(v, tty))
        return;
    *tty = (struct ebpf_tty_dev){
        .major = (uint32_t)driver,
        .minor = trace_values__upper(driver) + (uint32_t)NUMBER(v, tty_index),
        .winsize_rows = size & 0xffff,
        .winsize_cols = size >> 16 & 0xffff,
    };
}

void trace_namespaces__fill(struct ebpf_ns_info *ns, const struct trace_values *v)
{
    ns->uts = (uint32_t)NUMBER(v, uts_ns);
    ns->ipc = (uint32_t)NUMBER(v, ipc_ns);
    ns->mnt = (uint32_t)NUMBER(v, mnt_ns);
    ns->net = (uint32_t)NUMBER(v, net_ns);
    ns->cgroup = (uint32_t)NUMBER(v, cgroup_ns);
    ns->time = (uint32_t)NUMBER(v, time_ns);
}

void trace_comm__fill(char comm[EBPF_COMM_LEN], uint64_t begin, uint64_t end)
{
    memcpy(comm, &begin, sizeof(begin));
    memcpy(comm + sizeof(begin), &end, sizeof(end));
    comm[strnlen(comm, EBPF_COMM_LEN - 1)] = '\0';
}
