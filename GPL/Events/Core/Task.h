/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Task.h - the members of a record that describe a task: ids, credentials, terminal, namespaces, name. For `typed` see
 * Read.h.
 */
#ifndef EBPF_CORE_TASK_H
#define EBPF_CORE_TASK_H

#include "Slot.h"

static __always_inline u32 pid__nr(bool typed, struct pid *pid)
{
    return KREAD(typed, pid, numbers[0].nr);
}

static __always_inline void pid_info__fill(struct ebpf_pid_info *pi, bool typed, struct task_struct *task)
{
    struct task_struct *leader = KREAD(typed, task, group_leader);

    pi->tid = KREAD(typed, task, pid);
    pi->tgid = KREAD(typed, task, tgid);
    pi->ppid = KREAD(typed, leader, real_parent, tgid);
    pi->pgid = pid__nr(typed, KREAD(typed, task, signal, pids[PIDTYPE_PGID]));
    pi->sid = pid__nr(typed, KREAD(typed, task, signal, pids[PIDTYPE_SID]));
    pi->reserved = 0;
    pi->start_time_ns = KREAD(typed, leader, start_time);
}

static __always_inline void cred_info__fill_of(struct ebpf_cred_info *ci, bool typed, struct cred *cred)
{
    ci->ruid = KREAD(typed, cred, uid.val);
    ci->rgid = KREAD(typed, cred, gid.val);
    ci->euid = KREAD(typed, cred, euid.val);
    ci->egid = KREAD(typed, cred, egid.val);
    ci->suid = KREAD(typed, cred, suid.val);
    ci->sgid = KREAD(typed, cred, sgid.val);
    kernel__copy(typed, &ci->cap_permitted, &cred->cap_permitted, sizeof(u64));
    kernel__copy(typed, &ci->cap_effective, &cred->cap_effective, sizeof(u64));
}

static __always_inline void cred_info__fill(struct ebpf_cred_info *ci, bool typed, struct task_struct *task)
{
    cred_info__fill_of(ci, typed, KREAD(typed, task, cred));
}

static __always_inline void tty_dev__fill(struct ebpf_tty_dev *td, bool typed, struct tty_struct *tty)
{
    if (!compat__has_ttys() || !tty) {
        td->major = td->minor = td->winsize_rows = td->winsize_cols = 0;
        return;
    }
    td->major = KREAD(typed, tty, driver, major);
    td->minor = KREAD(typed, tty, driver, minor_start) + KREAD(typed, tty, index);
    td->winsize_rows = KREAD(typed, tty, winsize.ws_row);
    td->winsize_cols = KREAD(typed, tty, winsize.ws_col);
}

static __always_inline void ctty__fill(struct ebpf_tty_dev *td, bool typed, struct task_struct *task)
{
    tty_dev__fill(td, typed, KREAD(typed, task, signal, tty));
}

/*
 * Return the namespace that a process' pid belongs to, which is not the one that its next child gets. For `memory` see
 * scalar__through.
 */
static __always_inline u32 pid_ns__inum(u64 *memory, bool typed, struct pid *pid)
{
    if (typed && !pid->level)
        return pid->numbers[0]
            .ns->ns.inum; /* the initial namespace; deeper entries of the array have no type to the verifier */
    struct upid *upid = (void *)(scalar__through(memory, pid) + bpf_core_field_offset(struct pid, numbers));
    struct pid_namespace *ns = NULL;

    upid = (void *)upid + BPF_CORE_READ(pid, level) * bpf_core_type_size(struct upid);
    bpf_core_read(&ns, sizeof(ns), &upid->ns);
    return BPF_CORE_READ(ns, ns.inum);
}

static __always_inline void ns_info__fill(struct ebpf_ns_info *ni, u64 *memory, bool typed, struct task_struct *task)
{
    struct nsproxy *nsproxy = KREAD(typed, task, nsproxy);

    ni->uts = KREAD(typed, nsproxy, uts_ns, ns.inum);
    ni->ipc = KREAD(typed, nsproxy, ipc_ns, ns.inum);
    ni->mnt = KREAD(typed, nsproxy, mnt_ns, ns.inum);
    ni->net = KREAD(typed, nsproxy, net_ns, ns.inum);
    ni->cgroup = KREAD(typed, nsproxy, cgroup_ns, ns.inum);
    ni->time = KREAD(typed, nsproxy, time_ns, ns.inum);
    ni->pid = pid_ns__inum(memory, typed, KREAD(typed, task, thread_pid));
    ni->user = KREAD(typed, task, cred, user_ns, ns.inum);
}

static __always_inline void comm__fill(struct scratch *s, bool typed, struct task_struct *task)
{
    struct ebpf_event_header *hdr = (void *)s->data;

    kernel__copy(typed, hdr->comm, task->comm, EBPF_COMM_LEN);
}

/*
 * Return whether the current task is a thread that the kernel started for itself. Those that it starts for a process
 * (io_uring) belong to that process.
 */
static __always_inline bool current__is_kernel_thread(void)
{
    bool is_kernel_thread;

    WITH_CURRENT(task, typed, is_kernel_thread = KREAD(typed, task, flags) & PF_KTHREAD);
    return is_kernel_thread;
}

/* Fill in ids and name of the current task, which every event of a system call has. */
static __always_inline void current__fill(struct scratch *s, struct ebpf_pid_info *pi)
{
    WITH_CURRENT(task, typed, {
        pid_info__fill(pi, typed, task);
        comm__fill(s, typed, task);
    });
}

/* Fill in ids, name and credentials of the current task. */
static __always_inline void current__fill_creds(struct scratch *s, struct ebpf_pid_info *pi, struct ebpf_cred_info *ci)
{
    WITH_CURRENT(task, typed, {
        pid_info__fill(pi, typed, task);
        cred_info__fill(ci, typed, task);
        comm__fill(s, typed, task);
    });
}

/* Fill in ids, name, credentials, terminal and namespaces of the current task, in a record `e` that has all of them. */
#define CURRENT_FILL_ALL(s, e)                                                                                         \
    WITH_CURRENT(task, typed, {                                                                                        \
        pid_info__fill(&(e)->pids, typed, task);                                                                       \
        cred_info__fill(&(e)->creds, typed, task);                                                                     \
        ctty__fill(&(e)->ctty, typed, task);                                                                           \
        ns_info__fill(&(e)->ns, &(s)->scalar, typed, task);                                                            \
        comm__fill(s, typed, task);                                                                                    \
    })

#endif
