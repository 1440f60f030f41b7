// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_EXIT: a process ended.
 *
 * Two hooks, because no single one knows everything. At the tracepoint sched_process_exit a task still has namespaces
 * and terminal, but its files are open and other threads may be behind it. At do_notify_parent, which the kernel calls
 * when the last thread is gone and just before the parent is told, files are closed and the status is final, but
 * namespaces and terminal have been given up. So the first keeps what the second will not find, in a table by
 * signal_struct (which lives until the last task of the process is freed), and the second deletes it: who deletes,
 * emits, hence once a process. What the first did not keep, because the kernel skipped it or the table was full, the
 * second counts as lost.
 *
 * A process that a stranger traces comes to the second hook twice, first for the tracer, then for its parent: the entry
 * stays from the one to the other, marked.
 *
 * The obvious hook, sched_process_exit alone, reports threads as processes or a process before its files are closed,
 * and two threads that end at the same moment can both look like the last. It is what is left where there is no fentry
 * (tp_btf__sched_process_exit_only); that process' own file and connection events may then follow its exit.
 *
 * Misses: a process that was past the first hook when the probes were attached.
 */
#include "../Core/Path.h"
#include "../Core/Task.h"

struct exiting {
    struct ebpf_pid_info pids;
    struct ebpf_cred_info creds;
    struct ebpf_tty_dev ctty;
    struct ebpf_ns_info ns;
    char comm[EBPF_COMM_LEN];
    struct cgroup_ref cgroup; /* of the last thread: the first one may be gone, and stays where it was */
    u64 emitted;              /* to come once more, for the parent */
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __type(key, u64);
    __type(value, struct exiting);
} exiting SEC(".maps");

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

static __always_inline void exiting__fill(struct exiting *x, struct scratch *s, struct task_struct *task)
{
    struct task_struct *leader = task->group_leader;

    pid_info__fill(&x->pids, true, leader);
    cred_info__fill(&x->creds, true, task);
    ctty__fill(&x->ctty, true, task);
    ns_info__fill(&x->ns, s, true, task);
    kernel__copy(true, x->comm, leader->comm, EBPF_COMM_LEN);
    x->cgroup = cgroup_ref__of(s, true, task->cgroups);
    x->emitted = 0;
}

/* Make the event of what is known of a process; `leader` is typed. */
static __always_inline void exit__emit(const struct exiting *x, struct task_struct *leader)
{
    struct scratch *s = EMIT_BEGIN(PROCESS_EXIT, process_exit);

    if (!s)
        return;
    struct ebpf_process_exit_event *e = (void *)s->data;

    e->pids = x->pids;
    e->creds = x->creds;
    e->ctty = x->ctty;
    e->ns = x->ns;
    __builtin_memcpy(e->hdr.comm, x->comm, EBPF_COMM_LEN);
    exit_status__fill(e, leader);
    varlen__cgroup_ref(s, x->cgroup);
    EMIT_SUBMIT(s, PROCESS_EXIT);
}

/*
 * The entry is of this process: a signal_struct is used again, and an entry can stay when the second hook was skipped.
 */
static __always_inline bool exiting__is_kept(struct signal_struct **signal, struct task_struct *leader)
{
    struct exiting *found = emit_constants.spares ? bpf_map_lookup_elem(&exiting, signal) : NULL;

    return found && found->pids.start_time_ns == leader->start_time;
}

/* A spare copy finds the entry of the copy before it and is content: this needs no marks. */
static __noinline int sched_process_exit__handle(struct task_struct *task)
{
    if (!process__is_ending(task))
        return 0;
    struct signal_struct *signal = task->signal;

    if (exiting__is_kept(&signal, task->group_leader))
        return 0;
    struct scratch *s = scratch__claim();

    if (!s)
        return 0;
    exiting__fill((void *)s->data, s, task);
    /* what was begun after the source is counted by the second hook, which will not find it */
    if (bpf_map_update_elem(&exiting, &signal, s->data, BPF_ANY) &&
        task->group_leader->start_time <= emit_runtime.live_since)
        count__seen_and_lost(EBPF_EVENT_PROCESS_EXIT, EBPF_REASON_STATE);
    scratch__release(s);
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
    struct signal_struct *signal = leader->signal;

    if (leader->pid != leader->tgid || signal->nr_threads > 1 || leader->flags & PF_KTHREAD)
        return 0;
    struct exiting *found = bpf_map_lookup_elem(&exiting, &signal);

    if (!found || found->pids.start_time_ns != leader->start_time) {
        /*
         * One that is older than the source may have been past the first hook. And a zombie comes here again when its
         * parent ends without having waited for it, then in that process.
         */
        if (leader->start_time > emit_runtime.live_since && (pid_t)(bpf_get_current_pid_tgid() >> 32) == leader->tgid)
            count__seen_and_lost(EBPF_EVENT_PROCESS_EXIT, EBPF_REASON_STATE);
        return 0;
    }
    struct exiting x = *found;

    if (leader->ptrace && leader->parent->tgid != leader->real_parent->tgid)
        found->emitted = 1;
    else
        bpf_map_delete_elem(&exiting, &signal);
    if (!x.emitted)
        exit__emit(&x, leader);
    return 0;
}

SEC("ebpf.tp_btf/sched_process_exit")
int BPF_PROG(tp_btf__sched_process_exit_only, struct task_struct *task)
{
    if (!process__is_ending(task))
        return 0;
    struct task_struct *leader = task->group_leader;
    struct exited_key key = {};
    struct scratch *s = scratch__claim();
    u32 one = 1;

    if (!s) {
        count__seen_and_lost(EBPF_EVENT_PROCESS_EXIT, EBPF_REASON_NO_SCRATCH);
        return 0;
    }
    struct exiting x;

    key.signal = scalar__of(s, task->signal);
    key.start_time = leader->start_time;
    exiting__fill(&x, s, task);
    scratch__release(s);
    if (!bpf_map_update_elem(&exited, &key, &one, BPF_NOEXIST))
        exit__emit(&x, leader);
    return 0;
}
