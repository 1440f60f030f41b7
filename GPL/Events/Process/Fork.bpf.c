// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_FORK: a process was created.
 *
 * Hook: the tracepoint sched_process_fork. It comes once a fork, vfork, clone or clone3, in the creator, when the child
 * is complete and has not run yet, so the child's own events can only follow. Threads come here too and are left out,
 * and so are kernel threads. What io_uring starts for itself does not come here.
 *
 * Misses: on kernels before 5.18 the kernel starts its user mode helpers as kernel threads, which they stop to be when
 * they exec: their exec and exit are seen, their fork is not.
 */
#include "../Core/Path.h"
#include "../Core/Spare.h"
#include "../Core/Task.h"

struct spare_marks_map fork_marks SEC(".maps");

static __noinline int sched_process_fork__handle(struct task_struct *parent, struct task_struct *child, bool spare)
{
    if (child->pid != child->tgid || child->flags & PF_KTHREAD ||
        spare__is_done(&fork_marks, child->pid, child->start_time))
        return 0;
    if (spare)
        spare__rescued(EBPF_EVENT_PROCESS_FORK);
    struct scratch *s = EMIT_BEGIN(PROCESS_FORK, process_fork);

    if (!s)
        return 0;
    struct ebpf_process_fork_event *e = (void *)s->data;
    struct fs_struct *fs = child->fs;

    pid_info__fill(&e->parent_pids, true, parent);
    pid_info__fill(&e->child_pids, true, child);
    cred_info__fill(&e->creds, true, child);
    ctty__fill(&e->ctty, true, child);
    ns_info__fill(&e->ns, s, child);
    comm__fill(s, true, parent);

    varlen__path(s, EBPF_TAG_CWD, &fs->pwd, fs);
    varlen__root_path(s, fs);
    varlen__cgroup_path(s, child);
    EMIT_SUBMIT(s, PROCESS_FORK);
    return 0;
}

#define FORK_PROGRAM(name, spare)                                                                                      \
    SEC("tp_btf/sched_process_fork")                                                                                   \
    int BPF_PROG(name, struct task_struct *parent, struct task_struct *child)                                          \
    {                                                                                                                  \
        return sched_process_fork__handle(parent, child, spare);                                                       \
    }

FORK_PROGRAM(tp_btf__sched_process_fork, false)
FORK_PROGRAM(tp_btf__sched_process_fork_spare1, true)
FORK_PROGRAM(tp_btf__sched_process_fork_spare2, true)
FORK_PROGRAM(tp_btf__sched_process_fork_spare3, true)
