// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_EXIT: a process ended.
 *
 * Two hooks, because no single one knows everything. At the tracepoint sched_process_exit a task still has namespaces
 * and terminal, but its files are open and other threads may be behind it. At do_notify_parent, which the kernel calls
 * when the last thread is gone and just before the parent is told, files are closed and the status is final, but
 * namespaces and terminal have been given up. So the first keeps what the second will not find, in a table by
 * signal_struct (which lives until the last task of the process is freed), and the second takes it out: who takes it
 * out, emits, hence once a process. What the first did not keep, because the kernel skipped it or there was no place,
 * the second counts as lost.
 *
 * A process that a stranger traces comes to the second hook twice, first for the tracer, then, in the tracer, for its
 * parent: nothing is kept then, and who is not the process itself does not count a loss.
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
    u64 claims; /* 1: taken, as in Emit.h */
    u64 signal; /* whose it is */
    struct ebpf_pid_info pids;
    struct ebpf_cred_info creds;
    struct ebpf_tty_dev ctty;
    struct ebpf_ns_info ns;
    char comm[EBPF_COMM_LEN];
    struct cgroup_ref cgroup; /* of the last thread: the first one may be gone, and stays where it was */
};

/*
 * An array and not a hash, which takes four times as long. An entry is in one of a few places that follow from the
 * address of the signal_struct. One whose second hook was skipped stays until the address is used again.
 */
#define EXITING_PLACES 1024 /* a power of two */
#define EXITING_TRIES 8

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, EXITING_PLACES);
    __type(key, u32);
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

static __always_inline struct exiting *exiting__place(u64 signal, u32 n)
{
    u32 place = ((u32)(signal * 0x9e3779b97f4a7c15ULL >> 40) + n) & (EXITING_PLACES - 1);

    return bpf_map_lookup_elem(&exiting, &place);
}

static __always_inline struct exiting *exiting__find(u64 signal)
{
    for (u32 n = 0; n < EXITING_TRIES; n++) {
        struct exiting *x = exiting__place(signal, n);

        if (x && *(volatile u64 *)&x->signal == signal)
            return x;
    }
    return NULL;
}

static __always_inline struct exiting *exiting__claim(u64 signal)
{
    for (u32 n = 0; n < EXITING_TRIES; n++) {
        struct exiting *x = exiting__place(signal, n);

        if (!x)
            continue;
        CLAIM_ADD(&x->claims, 1);
        if (*(volatile u64 *)&x->claims == 1)
            return x;
        CLAIM_ADD(&x->claims, -1);
    }
    return NULL;
}

static __always_inline void exiting__release(struct exiting *x)
{
    *(volatile u64 *)&x->signal = 0;
    CLAIM_ADD(&x->claims, -1);
}

static __always_inline u64 signal__address(struct task_struct *task)
{
    u64 signal = scalar__of_any(task->signal);

    return signal ? signal : (u64)BPF_CORE_READ(task, signal);
}

/*
 * Thread and process are of the same process. `s` is for the pid namespace alone: the values go to where they are to
 * be, in the table or in a record.
 */
#define EXITING_FILL(x, comm_, s, task)                                                                                \
    do {                                                                                                               \
        struct task_struct *leader_ = (task)->group_leader;                                                            \
                                                                                                                       \
        pid_info__fill(&(x)->pids, true, leader_);                                                                     \
        cred_info__fill(&(x)->creds, true, task);                                                                      \
        ctty__fill(&(x)->ctty, true, task);                                                                            \
        ns_info__fill(&(x)->ns, s, true, task);                                                                        \
        kernel__copy(true, comm_, leader_->comm, EBPF_COMM_LEN);                                                       \
    } while (0)

/*
 * Two threads that end at once may both look like the last: then the first one has done it, or both write the same
 * process. So has the copy before a spare one: this needs no marks.
 */
static __noinline int sched_process_exit__handle(struct task_struct *task)
{
    if (!process__is_ending(task))
        return 0;
    u64 signal = signal__address(task), start_time = task->group_leader->start_time;
    struct exiting *x = exiting__find(signal);

    if (x && *(volatile u64 *)&x->pids.start_time_ns == start_time)
        return 0;
    struct scratch *s = scratch__claim();

    if (!x)
        x = s ? exiting__claim(signal) : NULL;
    if (!s || !x) {
        /* what was begun after the source is counted by the second hook, which will not find it */
        if (start_time <= emit_runtime.live_since)
            count__seen_and_lost(EBPF_EVENT_PROCESS_EXIT, EBPF_REASON_STATE);
        if (s)
            scratch__release(s);
        return 0;
    }
    *(volatile u64 *)&x->pids.start_time_ns = start_time; /* before it is found */
    *(volatile u64 *)&x->signal = signal;
    EXITING_FILL(x, x->comm, s, task);
    x->cgroup = cgroup_ref__of(s, true, task->cgroups);
    scratch__release(s);
    return 0;
}

#define EXIT_PROGRAM(name)                                                                                             \
    SEC("ebpf.tp_btf/sched_process_exit")                                                                              \
    int BPF_PROG(name, struct task_struct *task)                                                                       \
    {                                                                                                                  \
        return sched_process_exit__handle(UNTRUSTED(task_struct, task));                                               \
    }

EXIT_PROGRAM(tp_btf__sched_process_exit)
EXIT_PROGRAM(tp_btf__sched_process_exit_spare1)
EXIT_PROGRAM(tp_btf__sched_process_exit_spare2)
EXIT_PROGRAM(tp_btf__sched_process_exit_spare3)

/* Make the event of what is kept of a process; `leader` is typed. */
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

SEC("ebpf.fentry/do_notify_parent")
int BPF_PROG(fentry__do_notify_parent, struct task_struct *leader)
{
    if (leader->pid != leader->tgid || leader->signal->nr_threads > 1 || leader->flags & PF_KTHREAD)
        return 0;
    u64 signal = signal__address(leader);
    struct exiting *x = exiting__find(signal);

    if (!x || x->pids.start_time_ns != leader->start_time) {
        /*
         * One that is older than the source may have been past the first hook. And a zombie comes here again when its
         * parent ends without having waited for it, then in that process.
         */
        if (leader->start_time > emit_runtime.live_since && (pid_t)(bpf_get_current_pid_tgid() >> 32) == leader->tgid)
            count__seen_and_lost(EBPF_EVENT_PROCESS_EXIT, EBPF_REASON_STATE);
        return 0;
    }
    exit__emit(x, leader);
    exiting__release(x);
    x = exiting__find(signal); /* of two threads that have not seen each other */
    if (x)
        exiting__release(x);
    return 0;
}

SEC("ebpf.tp_btf/sched_process_exit")
int BPF_PROG(tp_btf__sched_process_exit_only, struct task_struct *trusted)
{
    struct task_struct *task = UNTRUSTED(task_struct, trusted);

    if (!process__is_ending(task))
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
    struct ebpf_process_exit_event *e = (void *)s->data;

    EXITING_FILL(e, e->hdr.comm, s, task);
    exit_status__fill(e, leader);
    varlen__cgroup_path(s, true, task->cgroups);
    EMIT_SUBMIT(s, PROCESS_EXIT);
    return 0;
}
