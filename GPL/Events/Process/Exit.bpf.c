// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_EXIT: a process ended.
 *
 * There are two hooks, because no single one knows everything. At the tracepoint sched_process_exit a task still has
 * namespaces and terminal, but its files are open and other threads may be behind it. At do_notify_parent, which the
 * kernel calls when the last thread is gone and just before the parent is notified, files are closed and the status is
 * final, but namespaces and terminal have been released. So the first program stores what the second one cannot find
 * any more, and decides whether the process is selected, because the second one may run in a tracer. The second one
 * always makes the event. If nothing was stored (the kernel skipped the first program, or the process was past it when
 * the probes were attached), the event lacks these members and says so (is_partial).
 *
 * The stored state is in a table indexed by signal_struct, which lives until the last task of the process is freed. An
 * entry is held while the process closes its files, and longer if a tracer holds threads that have ended. A process
 * that finds no free slot stores its entry in task storage, if the kernel has it (since 5.13), so it takes nothing
 * from others.
 *
 * Only once: do_notify_parent is called with tasklist_lock held for writing and, except with PREEMPT_RT, interrupts
 * off, so it is never skipped and never runs twice at a time. It is called again for a process that was reported
 * already; exit__is_repeated recognizes those calls.
 *
 * The obvious hook, sched_process_exit alone, reports threads as processes or a process before its files are closed,
 * and two threads that end at the same moment can both appear to be the last. It is used only where there is no fentry
 * (tp_btf__sched_process_exit_only); there, file and connection events of the process may follow its exit.
 *
 * Misses: nothing known. Tried: 1,700 processes killed at once, 1,100 processes of each of which a tracer holds a
 * thread, leaders that end first, tracers that are not the parent and end before their tracee, parents that do not wait
 * or ignore their children. Where the kernel preempts BPF programs and has no kprobes, up to two thirds of many
 * processes that were killed at once were partial, because the program that reads the namespaces was skipped; none was
 * missing.
 */
#include "../Core/Probe.h"

struct exiting {
    u64 claims;      /* see Claim.h */
    u64 signal;      /* of the process that owns the entry */
    u64 scalar;      /* see scalar__through */
    u32 slot;        /* index in the table */
    u32 is_filtered; /* the selection leaves it out: nothing else is stored */
    struct ebpf_pid_info pids;
    struct ebpf_cred_info creds;
    struct ebpf_tty_dev ctty;
    struct ebpf_ns_info ns;
    char comm[EBPF_COMM_LEN];
    struct cgroup_ref cgroup; /* of the last thread: the first one may be gone, its cgroup frozen */
};

/*
 * Both tables are indexed by the address of the signal_struct: its bucket is an element of `exiting_signals`, and a
 * group of slots in `exiting`. The addresses of a bucket are adjacent, so one look shows that there is no entry.
 */
#define EXITING_BUCKETS_BITS 7
#define EXITING_BUCKETS (1 << EXITING_BUCKETS_BITS)
#define EXITING_TRIES 8 /* slots of a bucket */
#define EXITING_SLOTS (EXITING_BUCKETS * EXITING_TRIES)

struct exiting_signals {
    u64 of[EXITING_TRIES]; /* 0: no entry is published */
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, EXITING_BUCKETS);
    __type(key, u32);
    __type(value, struct exiting_signals);
} exiting_signals SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, EXITING_SLOTS);
    __type(key, u32);
    __type(value, struct exiting);
} exiting SEC(".maps");

/* For processes that find no free slot. */
struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct exiting);
} exiting_apart SEC(".maps");

/* The start time distinguishes processes that used one signal_struct after another. */
struct exited_key {
    u64 signal, start_time;
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, struct exited_key);
    __type(value, u32);
} exited SEC(".maps");

/*
 * Return whether a task is a kernel thread and no process. A helper that could not be executed is a process: its fork
 * was reported.
 */
static __always_inline bool task__is_kernels(struct task_struct *task)
{
    return task->flags & PF_KTHREAD && !compat__is_unexecuted_helper(task);
}

static __always_inline bool process__is_ending(struct task_struct *task)
{
    return task->signal->live.counter == 0 && !task__is_kernels(task);
}

static __always_inline void exit_status__fill(struct ebpf_process_exit_event *e, struct task_struct *leader)
{
    u32 status = leader->signal->flags & SIGNAL_GROUP_EXIT ? leader->signal->group_exit_code : leader->exit_code;

    e->exit_signal = status & 0x7f;
    e->exit_code = e->exit_signal ? 0 : status >> 8 & 0xff;
    if (status & 0x80)
        e->hdr.flags |= EBPF_EXIT_F_CORE;
}

static __always_inline struct exiting_signals *exiting_signals__at(u32 bucket)
{
    return table__slot(&exiting_signals, EXITING_BUCKETS, bucket);
}

static __always_inline struct exiting *exiting__find(u64 signal)
{
    u32 bucket = hash__of(signal, EXITING_BUCKETS_BITS);
    struct exiting_signals *signals = exiting_signals__at(bucket);

    for (u32 n = 0; signals && n < EXITING_TRIES; n++) {
        if (READ_ONCE(signals->of[n]) == signal)
            return table__slot(&exiting, EXITING_SLOTS, bucket * EXITING_TRIES + n);
    }
    return NULL;
}

static __always_inline struct exiting *exiting__claim(u64 signal)
{
    u32 first = hash__of(signal, EXITING_BUCKETS_BITS) * EXITING_TRIES;
    struct exiting *x;

#pragma clang loop unroll(disable)
    FOR_EACH_SLOT(x, n, &exiting, EXITING_SLOTS, first, EXITING_TRIES) {
        if (claim__try(&x->claims)) {
            x->slot = first + n;
            return x;
        }
    }
    return NULL;
}

/* Publish the entry under this signal_struct, or, with 0, withdraw it. */
static __always_inline void exiting__set_signal(struct exiting *x, u64 signal)
{
    u64 slot = x->slot;
    struct exiting_signals *signals = exiting_signals__at(slot / EXITING_TRIES);

    WRITE_ONCE(x->signal, signal);
    if (signals && x->claims)
        WRITE_ONCE(signals->of[slot % EXITING_TRIES], signal);
}

static __always_inline void exiting__release(struct exiting *x)
{
    exiting__set_signal(x, 0);
    claim__release(&x->claims);
}

static __always_inline u64 signal__address(struct task_struct *task)
{
    u64 signal = scalar__of_any(task->signal);

    return signal ? signal : (u64)BPF_CORE_READ(task, signal);
}

/* Return the leader's address as a number, which global functions accept. */
static __always_inline u64 leader__address(struct task_struct *leader)
{
    return (u64)BPF_CORE_READ(leader, group_leader);
}

/*
 * Fill the members of an entry of the table, or of a record. `task` is a thread of the process; `comm_` is where the
 * name goes.
 */
#define EXITING_FILL(x, comm_, memory, task)                                                                           \
    do {                                                                                                               \
        struct task_struct *leader_ = (task)->group_leader;                                                            \
                                                                                                                       \
        pid_info__fill(&(x)->pids, true, leader_);                                                                     \
        cred_info__fill(&(x)->creds, true, task);                                                                      \
        ctty__fill(&(x)->ctty, true, task);                                                                            \
        ns_info__fill(&(x)->ns, memory, true, task);                                                                   \
        kernel__copy(true, comm_, leader_->comm, EBPF_COMM_LEN);                                                       \
    } while (0)

/*
 * Return the leader's task storage, which nobody else can fill. NULL if the kernel has none. From a kprobe it can only
 * be reached in the process itself, which is where it ends, unless its last thread is one that a tracer waits for.
 */
static __always_inline struct exiting *exiting__apart(struct task_struct *leader)
{
    if (!emit_constants.has_task_storage)
        return NULL;
    if (!emit_constants.untyped)
        return bpf_task_storage_get(&exiting_apart, (void *)leader, NULL, 0);
    struct task_struct *task = (void *)bpf_get_current_task_btf(), *own = task->group_leader;

    return own->tgid == leader->tgid ? bpf_task_storage_get(&exiting_apart, (void *)own, NULL, 0) : NULL;
}

/* Create the task storage of the current process. The leader is reached by a pointer that the verifier trusts. */
static __always_inline struct exiting *exiting__make_apart(void)
{
    if (!emit_constants.has_task_storage)
        return NULL;
    struct task_struct *task = (void *)bpf_get_current_task_btf(), *leader = task->group_leader;

    return bpf_task_storage_get(&exiting_apart, (void *)leader, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

static __always_inline bool exiting__is_of(struct exiting *x, u64 signal, u64 start_time)
{
    return READ_ONCE(x->signal) == signal && READ_ONCE(x->pids.start_time_ns) == start_time;
}

/*
 * Store the state of a process when its last thread ends. Two threads that end at once may both appear to be the last:
 * then the first one has done it already, or both write the state of one process. A spare finds that the copy before it
 * has done it, so no marks are needed.
 */
static __noinline int sched_process_exit__handle(struct task_struct *task)
{
    if (!process__is_ending(task))
        return 0;
    struct task_struct *leader = task->group_leader;
    u64 signal = signal__address(task), start_time = leader->start_time;
    struct exiting *x = exiting__find(signal);

    if (x && READ_ONCE(x->pids.start_time_ns) == start_time)
        return 0;
    if (!x)
        x = exiting__claim(signal);
    if (!x)
        x = exiting__make_apart();
    if (!x)
        return 0;
    WRITE_ONCE(x->pids.start_time_ns, start_time); /* before the entry is published */
    x->is_filtered = process__is_filtered(leader->tgid, scalar__through(&x->scalar, leader), true);
    exiting__set_signal(x, signal);
    if (!x->is_filtered) {
        EXITING_FILL(x, x->comm, &x->scalar, task);
        x->cgroup = cgroup_ref__of(&x->scalar, true, task);
    }
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

/* The kernel calls taskstats_exit just before the tracepoint, for each task that ends. */
SEC("ebpf.kprobe/taskstats_exit")
int kprobe__taskstats_exit(struct pt_regs *regs)
{
    return sched_process_exit__handle(KPROBE_ARG(regs, 1, task_struct));
}

/* Make the event from the stored state of a process. */
static __always_inline void exit__emit(const struct exiting *x, struct task_struct *leader)
{
    EMIT(PROCESS_EXIT, e, s, NOT_PREEMPTED, exit__fate(leader, x->is_filtered)) {
        e->pids = x->pids;
        e->creds = x->creds;
        e->ctty = x->ctty;
        e->ns = x->ns;
        __builtin_memcpy(e->hdr.comm, x->comm, EBPF_COMM_LEN);
        exit_status__fill(e, leader);
        varlen__cgroup_ref(s, x->cgroup);
    }
}

/* Make the event of a process without stored state, from what can still be read. */
static __always_inline void exit__emit_partial(struct task_struct *leader)
{
    bool is_filtered = process__is_filtered(leader->tgid, leader__address(leader), false);

    EMIT(PROCESS_EXIT, e, s, NOT_PREEMPTED, exit__fate(leader, is_filtered)) {
        pid_info__fill(&e->pids, true, leader);
        cred_info__fill(&e->creds, true, leader);
        ctty__fill(&e->ctty, true, leader);
        comm__fill(s, true, leader);
        __builtin_memset(&e->ns, 0, sizeof(e->ns));
        e->ns.pid = pid_ns__inum(&s->scalar, true, leader->thread_pid);
        e->ns.user = leader->cred->user_ns->ns.inum;
        exit_status__fill(e, leader);
        e->hdr.flags |= EBPF_EXIT_F_PARTIAL;
        varlen__cgroup_path(s, true, leader);
    }
}

/*
 * Return whether the process has been reported. The kernel calls do_notify_parent again after a tracer that is not the
 * parent has waited for the process (EXIT_TRACE), and when the parent or tracer ends without having waited: then in
 * that process, which has begun to end but is not yet a zombie, and the process has no tracer any more. A tracer that
 * waits for the last thread of a process whose leader has ended causes the first call: it is not ending, or has become
 * a zombie itself and is about to release its tracees.
 */
static __always_inline bool exit__is_repeated(struct task_struct *leader)
{
    u32 flags, state;

    if (leader->exit_state == EXIT_TRACE)
        return true;
    if ((pid_t)(bpf_get_current_pid_tgid() >> 32) == leader->tgid || leader->ptrace)
        return false;
    WITH_CURRENT(task, typed, {
        flags = KREAD(typed, task, flags);
        state = KREAD(typed, task, exit_state);
    });
    return flags & PF_EXITING && !state;
}

SEC("ebpf.fentry/do_notify_parent")
int BPF_PROG(fentry__do_notify_parent, struct task_struct *leader)
{
    if (leader->pid != leader->tgid || leader->signal->nr_threads > 1 || task__is_kernels(leader))
        return 0;
    u64 signal = signal__address(leader);
    struct exiting *x = exiting__find(signal), *apart = NULL;

    if (!x || x->pids.start_time_ns != leader->start_time) {
        x = apart = exiting__apart(leader);
        if (!x || !exiting__is_of(x, signal, leader->start_time)) {
            if (!exit__is_repeated(leader))
                exit__emit_partial(leader);
            return 0;
        }
    }
    exit__emit(x, leader);
    if (apart) {
        apart->signal = 0;
        return 0;
    }
    exiting__release(x);
    x = exiting__find(signal); /* a second entry, if two threads did not see each other's */
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

    STORE_POINTER(key.signal, task->signal);
    key.start_time = leader->start_time;
    /* an int: before 6.4 (d7ba4cc900bf) the verifier's direct call of the map's function leaves the upper half zero */
    if ((int)bpf_map_update_elem(&exited, &key, &one, BPF_NOEXIST) == -EEXIST)
        return 0; /* if it cannot be noted for another reason, the exit may be reported twice */
    bool is_filtered = process__is_filtered(leader->tgid, leader__address(leader), true);

    EMIT(PROCESS_EXIT, e, s, MAY_BE_PREEMPTED, exit__fate(leader, is_filtered)) {
        EXITING_FILL(e, e->hdr.comm, &s->scalar, task);
        exit_status__fill(e, leader);
        varlen__cgroup_path(s, true, task);
    }
    return 0;
}
