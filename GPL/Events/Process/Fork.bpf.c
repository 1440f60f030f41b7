// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_FORK: a process was created.
 *
 * Hook: the tracepoint sched_process_fork. It fires once per fork, vfork, clone or clone3, in the creator, when the
 * child is complete and has not run yet, so the child's own events can only follow. Threads and kernel threads pass it
 * too and are left out. Threads that io_uring starts for itself do not pass it. On kernels that preempt BPF programs, a
 * kprobe on wake_up_new_task, which comes next, reports the fork.
 *
 * Before 5.18 (343f4c49f243) the kernel starts its user mode helpers as kernel threads, which become processes when
 * they exec. They are reported when they begin, in call_usermodehelper_exec_async; kernels that have user_mode_thread,
 * which came with that commit, do not need this program. It can go with 5.10 and 5.15.
 *
 * Tried: fork, vfork, clone and clone3 in all forms: from threads, for the parent, with shared memory, into a cgroup,
 * in new namespaces, with an id of the creator's choice. Misses: kernel threads that do not exec.
 */
#include "../Core/Probe.h"

struct spare_body_map fork_body SEC(".maps");

/* For `typed` see Read.h. */
static __always_inline void fork__fill(struct scratch *s, struct ebpf_process_fork_event *e, bool typed,
                                       struct task_struct *parent, struct task_struct *child)
{
    struct fs_struct *fs = KREAD(typed, child, fs);

    pid_info__fill(&e->parent_pids, typed, parent);
    pid_info__fill(&e->child_pids, typed, child);
    cred_info__fill(&e->creds, typed, child);
    ctty__fill(&e->ctty, typed, child);
    ns_info__fill(&e->ns, &s->scalar, typed, child);
    comm__fill(s, typed, parent);

    const struct path_root *root = path_root__of(s, typed, child);

    varlen__path(s, EBPF_TAG_CWD, root, typed, &fs->pwd);
    varlen__root_path(s, root);
    varlen__cgroup_path(s, typed, child);
}

static __always_inline int forked__emit(enum preemption preemption, struct task_struct *parent,
                                        struct task_struct *child)
{
    if (child->pid != child->tgid || child->flags & PF_KTHREAD)
        return 0;
    enum fate fate = CURRENT_FATE(process_fork);

    if (emit_constants.budget)
        fork__note_fate(child->tgid, fate);
    EMIT(PROCESS_FORK, e, s, preemption, fate)
        fork__fill(s, e, true, parent, child);
    return 0;
}

SEC("ebpf.tp_btf/sched_process_fork")
int BPF_PROG(tp_btf__sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
    SPARE_BODY(ctx, fork_body);
    spare__mark(SPARE_FORK); /* the kernel counts skips for threads too */
    return forked__emit(MAY_BE_PREEMPTED, UNTRUSTED(task_struct, parent), UNTRUSTED(task_struct, child));
}

/*
 * wake_up_new_task comes next in the creator. Threads of io_uring and vhost pass it too, and are left out as all
 * threads are.
 */
SEC("ebpf.kprobe/wake_up_new_task")
int kprobe__wake_up_new_task(struct pt_regs *regs)
{
    return forked__emit(NOT_PREEMPTED, UNTRUSTED(task_struct, (void *)bpf_get_current_task_btf()),
                        KPROBE_ARG(regs, 1, task_struct));
}

#define FORK_SPARE(n)                                                                                                  \
    SEC("ebpf.tp_btf/sched_process_fork") int BPF_PROG(tp_btf__sched_process_fork_spare##n)                            \
    {                                                                                                                  \
        return spare__run(ctx, &fork_body, SPARE_FORK, n, 3);                                                          \
    }

FORK_SPARE(1)
FORK_SPARE(2)
FORK_SPARE(3)

SEC("ebpf.fentry/call_usermodehelper_exec_async")
int BPF_PROG(fentry__call_usermodehelper_exec_async)
{
    struct task_struct *task = (void *)bpf_get_current_task();

    if (!(BPF_CORE_READ(task, flags) & PF_KTHREAD))
        return 0;
    EMIT(PROCESS_FORK, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered()))
        fork__fill(s, e, false, BPF_CORE_READ(task, real_parent), task);
    return 0;
}
