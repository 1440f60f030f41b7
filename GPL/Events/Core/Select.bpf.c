// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Select.bpf.c - whether a task and a path meet the conditions; see Select.h.
 *
 * Kernels before 6.8 check each global function, called or not, so a function whose condition is not in use returns on
 * its first line. Each list has a function of its own, in which the verifier sees one walk through it.
 *
 * The task to be decided about is the current one, for which 0 stands. For the end of a process, which may be seen in
 * another task, it is given by its address.
 *
 * Process ids are reused. So a condition on a process id holds only for a process that had started when the condition
 * was made.
 */
#include "Kprobe.h"
#include "Select.h"
#include "Table.h"

struct tree_map tree_members SEC(".maps");

#define PREFIX_WORDS (SELECT_PATH_MAX / 8)

static __always_inline const struct select_list *list__of(u32 excluded)
{
    return excluded ? &emit_runtime.exclude : &emit_runtime.include;
}

/* Return whether a list has an id: of a process or of a user. */
static __always_inline int ids__have(const u32 *ids, u32 id)
{
#pragma clang loop unroll(disable)
    for (u32 i = 0; i < SELECT_VALUES; i++) {
        u32 listed = READ_ONCE(ids[i]);

        if (listed == id)
            return 1;
        if (listed == SELECT_NO_ID)
            return 0;
    }
    return 0;
}

static __always_inline u64 task__start_time(u64 task)
{
    struct task_struct *other = (void *)task;
    u64 start_time;

    if (task)
        return BPF_CORE_READ(other, group_leader, start_time);
    WITH_CURRENT(current, typed, start_time = KREAD(typed, current, group_leader, start_time));
    return start_time;
}

int selection__has_pid(u32 excluded, u32 tgid, u64 task)
{
    if (!(emit_constants.selects & 1u << SELECT_PID) || !ids__have(list__of(excluded)->pids, tgid))
        return 0;
    return task__start_time(task) <= emit_runtime.selected_at;
}

int selection__has_uid(u32 excluded, u32 uid)
{
    return emit_constants.selects & 1u << SELECT_UID ? ids__have(list__of(excluded)->uids, uid) : 0;
}

/* Return the bytes of a name up to its NUL, then zeros. */
static __always_inline u64 comm__cut(u64 word)
{
    u64 zero = (word - 0x0101010101010101ULL) & ~word & 0x8080808080808080ULL;

    return zero ? word & (((zero & -zero) >> 7) - 1) : word;
}

int selection__has_comm(u32 excluded, u64 task)
{
    const struct select_list *list = list__of(excluded);
    u64 comm[2];

    if (!(emit_constants.selects & 1u << SELECT_COMM))
        return 0;
    if (task)
        bpf_probe_read_kernel(comm, sizeof(comm), ((struct task_struct *)task)->comm);
    else
        WITH_CURRENT(current, typed, kernel__copy(typed, comm, current->comm, sizeof(comm)));
    comm[0] = comm__cut(comm[0]);
    comm[1] = comm[0] >> 56 ? comm__cut(comm[1]) : 0;
#pragma clang loop unroll(disable)
    for (u32 i = 0; i < SELECT_TEXTS; i++) {
        u64 listed = READ_ONCE(list->comms[i][0]);

        if (listed == comm[0] && list->comms[i][1] == comm[1])
            return 1;
        if (listed == ~0ULL) /* marks the end of the list */
            return 0;
    }
    return 0;
}

static __always_inline u64 task__ancestor_cgroup_id(u64 task, u32 level)
{
    return task ? compat__ancestor_cgroup_id_of((void *)task, level) : compat__ancestor_cgroup_id(level);
}

static __always_inline bool list__has_cgroup(const struct select_list *list, u64 task)
{
#pragma clang loop unroll(disable)
    for (u32 i = 0; i < SELECT_TEXTS; i++) {
        u64 id = READ_ONCE(list->cgroups[i]);

        if (id && task__ancestor_cgroup_id(task, list->cgroup_levels[i]) == id)
            return true;
    }
    return false;
}

int selection__has_cgroup(u32 excluded, u64 task)
{
    if (!(emit_constants.selects & 1u << SELECT_CGROUP))
        return 0;
    return list__has_cgroup(list__of(excluded), task);
}

static __always_inline u16 *tree__entry(u32 tgid)
{
    u32 number = tgid / TREE_CHUNK;
    struct tree_chunk *chunk = bpf_map_lookup_elem(&tree_members, &number);

    return chunk ? &chunk->entries[tgid & (TREE_CHUNK - 1)] : NULL;
}

/* Return a few bits of a start time, not all 0. */
static __always_inline u16 tree__mark_of(u64 start_time)
{
    return hash__of(start_time, 16 - TREE_BITS) | 1;
}

/* Return the tree flags of a process; 0 if the entry is about an earlier process with that id, or nothing is known. */
static __always_inline u32 tree__flags_at(const u16 *entry, u64 start_time)
{
    u32 bits = READ_ONCE(*entry), mark = bits >> TREE_BITS;

    if (mark ? mark != tree__mark_of(start_time) : start_time > emit_runtime.selected_at)
        return 0;
    return bits & ((1u << TREE_BITS) - 1);
}

/* Give a process the flags of its parent, whose flags may not be known (yet). */
static __always_inline u32 tree__inherit(u16 *entry, u64 start_time, u32 parent, u64 parent_start_time)
{
    const u16 *of_parent = tree__entry(parent);
    u32 flags = of_parent ? tree__flags_at(of_parent, parent_start_time) : 0;

    WRITE_ONCE(*entry, flags ? flags | tree__mark_of(start_time) << TREE_BITS : 0);
    return flags;
}

/*
 * Return the tree flags of a process; one older than the probes, or whose start the kernel skipped, inherits its
 * parent's on first use.
 */
int tree__flags(u32 tgid, u64 task)
{
    u16 *entry = emit_constants.selects & SELECTS_TREES ? tree__entry(tgid) : NULL;
    struct task_struct *parent, *other = (void *)task;
    u64 start_time = task__start_time(task);
    u32 flags = entry ? tree__flags_at(entry, start_time) : 0;

    if (!entry || flags)
        return flags;
    if (!task)
        other = (void *)bpf_get_current_task();
    parent = BPF_CORE_READ(other, group_leader, real_parent, group_leader);
    return tree__inherit(entry, start_time, BPF_CORE_READ(parent, tgid), BPF_CORE_READ(parent, start_time));
}

/*
 * Return whether a task is in another pid or mount namespace than the first process. A process that has ended has no
 * mount namespace left.
 */
static __always_inline bool task__is_in_container(u64 task)
{
    struct task_struct *other = (void *)task;
    bool is;

    if (task)
        return BPF_CORE_READ(other, thread_pid, level);
    WITH_CURRENT(current, typed,
                 is = KREAD(typed, current, thread_pid, level) ||
                      KREAD(typed, current, nsproxy, mnt_ns, ns.inum) != emit_runtime.host_mnt_ns);
    return is;
}

static __always_inline u32 task__uid(u64 task)
{
    struct task_struct *other = (void *)task;

    return task ? BPF_CORE_READ(other, cred, uid.val) : (u32)bpf_get_current_uid_gid();
}

/*
 * Return from the function if the condition of a kind is not met. `is_included`, `is_excluded`: whether a list matches.
 */
#define DECIDE(kind, is_included, is_excluded)                                                                         \
    do {                                                                                                               \
        if (emit_runtime.include.kinds & 1u << (kind) && !(is_included))                                               \
            return 1;                                                                                                  \
        if (emit_runtime.exclude.kinds & 1u << (kind) && (is_excluded))                                                \
            return 1;                                                                                                  \
    } while (0)

#define SELECTS(kind) (emit_constants.selects & emit_runtime.selects & 1u << (kind))

/* Return whether the conditions on tasks reject a task. `named` is the task whose name counts. */
static __always_inline int task__is_rejected(u32 tgid, u64 task, u64 named)
{
    if (SELECTS(SELECT_PID))
        DECIDE(SELECT_PID, selection__has_pid(0, tgid, task), selection__has_pid(1, tgid, task));
    if (SELECTS(SELECT_TREE)) {
        u32 flags = tree__flags(tgid, task);

        DECIDE(SELECT_TREE, flags & TREE_INCLUDED, flags & TREE_EXCLUDED);
    }
    if (SELECTS(SELECT_UID)) {
        u32 uid = task__uid(task);

        DECIDE(SELECT_UID, selection__has_uid(0, uid), selection__has_uid(1, uid));
    }
    if (SELECTS(SELECT_COMM))
        DECIDE(SELECT_COMM, selection__has_comm(0, named), selection__has_comm(1, named));
    if (SELECTS(SELECT_CGROUP))
        DECIDE(SELECT_CGROUP, selection__has_cgroup(0, task), selection__has_cgroup(1, task));
    if (SELECTS(SELECT_CONTAINER)) {
        bool is = task__is_in_container(task);

        DECIDE(SELECT_CONTAINER, is, is);
    }
    return 0;
}

int selection__rejects(u32 tgid)
{
    return task__is_rejected(tgid, 0, 0);
}

int selection__rejects_process(u64 leader, u32 is_current)
{
    struct task_struct *task = (void *)leader;
    u32 tgid = BPF_CORE_READ(task, tgid);

    if (!(emit_constants.selects & SELECTS_TASKS))
        return 0;
    return is_current ? task__is_rejected(tgid, 0, leader) : task__is_rejected(tgid, leader, leader);
}

/*
 * Return whether the path that was walked last is the n-th path of a list, or below it. Both are stored leaf first, so
 * the walked path has to end with the other one, at the beginning of a component.
 */
int path__is_below(u32 slot, u32 n)
{
    struct scratch *s = emit_constants.selects & SELECTS_PATHS ? scratch__at(slot) : NULL;
    const struct select_list *list = n < SELECT_TEXTS ? &emit_runtime.include : &emit_runtime.exclude;

    n &= SELECT_TEXTS - 1;
    u64 len = list->path_lens[n], used = s ? READ_ONCE(s->walk.used) : 0;
    u64 at;

    if (!s || !len || len > SELECT_PATH_MAX || len > used)
        return 0;
    at = READ_ONCE(s->walk.start) + used - len;
    BARRIER(at);
    if (!at || at > SCRATCH_PATHS - SELECT_PATH_MAX || (used > len && s->data[at - 1]))
        return 0;
#pragma clang loop unroll(disable)
    for (u32 i = 0; i < PREFIX_WORDS; i++) {
        u64 differs = *(u64 *)&s->data[at + i * 8] ^ list->paths[n][i];
        u64 left = len - i * 8;

        if (left < 8)
            differs <<= 64 - left * 8; /* on a little endian machine the first bytes are the lowest */
        if (differs)
            return 0;
        if (left <= 8)
            return 1;
    }
    return 1;
}

static __always_inline bool path__is_in(u32 slot, u32 first)
{
#pragma clang loop unroll(disable)
    for (u32 n = 0; n < SELECT_TEXTS; n++) {
        if (path__is_below(slot, first + n))
            return true;
    }
    return false;
}

int selection__look_at_path(u32 slot)
{
    struct scratch *s = emit_constants.selects & SELECTS_PATHS ? scratch__at(slot) : NULL;

    if (!s)
        return -1;
    bool is_whole = !(s->walk.flags & (EBPF_VARLEN_TRUNCATED | EBPF_VARLEN_UNREACHABLE | EBPF_VARLEN_NAME_ONLY));

    if (is_whole && emit_runtime.include.kinds & SELECTS_PATHS && path__is_in(slot, 0))
        s->path_matches |= PATH_IS_INCLUDED;
    if (!is_whole || !(emit_runtime.exclude.kinds & SELECTS_PATHS) || !path__is_in(slot, SELECT_TEXTS))
        s->path_matches |= PATH_IS_NOT_EXCLUDED;
    return 0;
}

/* Give the conditions on a cgroup's path its id. `text` has SELECT_PATH_MAX bytes, zeros behind its NUL. */
static __always_inline void list__take_cgroup(struct select_list *list, const u64 *text, u64 id)
{
#pragma clang loop unroll(disable)
    for (u32 n = 0; n < SELECT_TEXTS; n++) {
        u32 i = 0;

#pragma clang loop unroll(disable)
        while (i < PREFIX_WORDS && READ_ONCE(list->cgroup_paths[n][i]) == text[i])
            i++;
        if (i == PREFIX_WORDS)
            WRITE_ONCE(list->cgroups[n], id);
    }
}

/*
 * A cgroup is selected by its path, but compared by its id. One that is removed and created again, as when a service
 * restarts, has a new id. The kernel never skips this program: it holds a lock here that keeps interrupts off.
 */
SEC("ebpf.tp_btf/cgroup_mkdir")
int BPF_PROG(tp_btf__cgroup_mkdir, struct cgroup *cgroup, const char *path)
{
    u64 text[PREFIX_WORDS] = {};

    if (!(emit_constants.selects & 1u << SELECT_CGROUP) || cgroup->root->hierarchy_id)
        return 0;
    if (bpf_probe_read_kernel_str(text, sizeof(text), path) >= (long)sizeof(text))
        return 0;
    list__take_cgroup(&emit_runtime.include, text, cgroup->kn->id);
    list__take_cgroup(&emit_runtime.exclude, text, cgroup->kn->id);
    return 0;
}

/*
 * A child belongs to the trees of its parent. Where the kernel preempts probes, this is a kprobe or three programs: a
 * child whose entry was missed would be lost with all its descendants, and inheriting twice does no harm.
 */
static __always_inline int trees__follow(struct task_struct *parent, struct task_struct *child)
{
    bool is_process = emit_constants.selects & SELECTS_TREES && child->pid == child->tgid;
    u16 *entry = is_process ? tree__entry(child->tgid) : NULL;

    if (entry)
        tree__inherit(entry, child->start_time, parent->tgid, parent->group_leader->start_time);
    return 0;
}

#define TREES_PROGRAM(name)                                                                                            \
    SEC("ebpf.tp_btf/sched_process_fork")                                                                              \
    int BPF_PROG(name, struct task_struct *parent, struct task_struct *child)                                          \
    {                                                                                                                  \
        return trees__follow(parent, child);                                                                           \
    }

TREES_PROGRAM(tp_btf__follow_trees)
TREES_PROGRAM(tp_btf__follow_trees_spare1)
TREES_PROGRAM(tp_btf__follow_trees_spare2)

SEC("ebpf.kprobe/wake_up_new_task")
int kprobe__follow_trees(struct pt_regs *regs)
{
    return trees__follow(UNTRUSTED(task_struct, (void *)bpf_get_current_task_btf()), KPROBE_ARG(regs, 1, task_struct));
}
