// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_EXIT: a process ended.
 *
 * Two hooks, because no single one knows everything. At the tracepoint sched_process_exit a task still has namespaces
 * and terminal, but its files are open and other threads may be behind it. At do_notify_parent, which the kernel calls
 * when the last thread is gone and just before the parent is told, files are closed and the status is final, but
 * namespaces and terminal have been given up. So the first begins the record and keeps it (Core/Pending.h), by the
 * process, and the second completes it: who finds it there emits, hence once a process. What the first did not keep,
 * because the kernel skipped it or there was no room, the second counts as lost.
 *
 * A process that a stranger traces comes to the second hook twice, first for the tracer, then, in the tracer, for its
 * parent: by then there is no record, and who is not the process itself does not count a loss.
 *
 * The obvious hook, sched_process_exit alone, reports threads as processes or a process before its files are closed,
 * and two threads that end at the same moment can both look like the last. It is what is left where there is no fentry
 * (tp_btf__sched_process_exit_only); that process' own file and connection events may then follow its exit.
 *
 * Misses: a process that was past the first hook when the probes were attached.
 */
#include "../Core/Path.h"
#include "../Core/Pending.h"
#include "../Core/Task.h"

/* Marks owners of pending records that are processes, not tasks, whose ids have no such bit. */
#define OWNER_IS_PROCESS (1ULL << 63)

/* Of a signal_struct that is used again, the start time tells. */
struct exited_key {
    u64 signal, start_time;
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, struct exited_key);
    __type(value, u32);
} exited SEC(".maps");

static __always_inline bool process__is_ending(struct task_struct *task)
{
    return task->signal->live.counter == 0 && !(task->flags & PF_KTHREAD);
}

static __always_inline void exit_status__fill(struct ebpf_process_exit_event *e, struct task_struct *leader)
{
    u32 status = leader->signal->flags & SIGNAL_GROUP_EXIT ? leader->signal->group_exit_code : leader->exit_code;

    e->exit_signal = status & 0x7f;
    e->exit_code = e->exit_signal ? 0 : status >> 8 & 0xff;
    if (status & 0x80)
        e->hdr.flags |= EBPF_EXIT_F_CORE;
}

static __always_inline void exit__fill(struct scratch *s, struct task_struct *task)
{
    struct ebpf_process_exit_event *e = (void *)s->data;
    struct task_struct *leader = task->group_leader;

    pid_info__fill(&e->pids, true, leader);
    cred_info__fill(&e->creds, true, task);
    ctty__fill(&e->ctty, true, task);
    ns_info__fill(&e->ns, s, true, task);
    kernel__copy(true, e->hdr.comm, leader->comm, EBPF_COMM_LEN);
    /* of the last thread: the first one may be gone, and stays where it was */
    varlen__cgroup_path(s, true, task->cgroups);
}

/* Start times are different but by chance, and then the ids are. */
static __always_inline u64 process__owner(struct task_struct *leader)
{
    return OWNER_IS_PROCESS | ((u64)leader->tgid << 32 ^ leader->start_time);
}

static __always_inline bool exit__is_begun(u64 owner)
{
    return emit_constants.spares && pending__find(owner, NULL);
}

/* A spare copy finds the record of the copy before it and is content: this needs no marks. */
static __noinline int sched_process_exit__handle(struct task_struct *task)
{
    if (!emit_runtime.live || !process__is_ending(task))
        return 0;
    struct task_struct *leader = task->group_leader;
    u64 owner = process__owner(leader);

    if (exit__is_begun(owner))
        return 0;
    struct scratch *s = pending__claim(owner);

    if (!s) {
        /* of others, the second hook counts what it does not find */
        if (leader->start_time <= emit_runtime.live_since)
            count__seen_and_lost(EBPF_EVENT_PROCESS_EXIT, EBPF_REASON_STATE);
        return 0;
    }
    s = pending__start(s, EBPF_EVENT_PROCESS_EXIT, sizeof(struct ebpf_process_exit_event), leader->start_time);
    if (s)
        exit__fill(s, task);
    return 0;
}

#define EXIT_PROGRAM(name)                                                                                             \
    SEC("ebpf.tp_btf/sched_process_exit")                                                                              \
    int BPF_PROG(name, struct task_struct *task)                                                                       \
    {                                                                                                                  \
        return sched_process_exit__handle(task);                                                                       \
    }

EXIT_PROGRAM(tp_btf__sched_process_exit)
EXIT_PROGRAM(tp_btf__sched_process_exit_spare1)
EXIT_PROGRAM(tp_btf__sched_process_exit_spare2)
EXIT_PROGRAM(tp_btf__sched_process_exit_spare3)

SEC("ebpf.fentry/do_notify_parent")
int BPF_PROG(fentry__do_notify_parent, struct task_struct *leader)
{
    if (leader->pid != leader->tgid || leader->signal->nr_threads > 1 || leader->flags & PF_KTHREAD)
        return 0;
    struct scratch *s = pending__find(process__owner(leader), NULL);

    if (!s) {
        /*
         * One that is older than the source may have been past the first hook. And a zombie comes here again when its
         * parent ends without having waited for it, then in that process.
         */
        if (leader->start_time > emit_runtime.live_since && (pid_t)(bpf_get_current_pid_tgid() >> 32) == leader->tgid)
            count__seen_and_lost(EBPF_EVENT_PROCESS_EXIT, EBPF_REASON_STATE);
        return 0;
    }
    s = pending__end(s, EBPF_EVENT_PROCESS_EXIT, false);
    if (!s)
        return 0;
    exit_status__fill((void *)s->data, leader);
    PENDING_SUBMIT(s, PROCESS_EXIT);
    return 0;
}

SEC("ebpf.tp_btf/sched_process_exit")
int BPF_PROG(tp_btf__sched_process_exit_only, struct task_struct *task)
{
    if (!emit_runtime.live || !process__is_ending(task))
        return 0;
    struct task_struct *leader = task->group_leader;
    struct exited_key key = {};
    u32 one = 1;

    *(struct signal_struct *volatile *)&key.signal = task->signal;
    key.start_time = leader->start_time;
    if (bpf_map_update_elem(&exited, &key, &one, BPF_NOEXIST))
        return 0;
    struct scratch *s = EMIT_BEGIN(PROCESS_EXIT, process_exit);

    if (!s)
        return 0;
    exit__fill(s, task);
    exit_status__fill((void *)s->data, leader);
    EMIT_SUBMIT(s, PROCESS_EXIT);
    return 0;
}
