// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Select.bpf.c - whether a task and a path meet the conditions; see Select.h.
 *
 * Kernels before 6.8 check each global function, called or not: what no condition asks for is nothing but its first
 * line. Each list has a function of its own, in which the verifier sees one walk through it.
 */
#include "Select.h"

struct tree_map tree_members SEC(".maps");

#define PREFIX_WORDS (SELECT_PATH_MAX / 8)

static __always_inline const struct select_list *list__of(u32 excluded)
{
    return excluded ? &emit_runtime.exclude : &emit_runtime.include;
}

/* Process and user ids, which a list has in the same way. */
static __always_inline int ids__have(const u32 *ids, u32 id)
{
#pragma clang loop unroll(disable)
    for (u32 i = 0; i < SELECT_VALUES; i++) {
        u32 listed = *(const volatile u32 *)&ids[i];

        if (listed == id)
            return 1;
        if (listed == SELECT_NO_ID)
            return 0;
    }
    return 0;
}

int selection__has_pid(u32 excluded, u32 tgid)
{
    return emit_constants.selects & 1u << SELECT_PID ? ids__have(list__of(excluded)->pids, tgid) : 0;
}

int selection__has_uid(u32 excluded, u32 uid)
{
    return emit_constants.selects & 1u << SELECT_UID ? ids__have(list__of(excluded)->uids, uid) : 0;
}

/* Bytes of a name up to its NUL, and zeros. */
static __always_inline u64 comm__cut(u64 word)
{
    u64 zero = (word - 0x0101010101010101ULL) & ~word & 0x8080808080808080ULL;

    return zero ? word & (((zero & -zero) >> 7) - 1) : word;
}

int selection__has_comm(u32 excluded)
{
    const struct select_list *list = list__of(excluded);
    u64 comm[2];

    if (!(emit_constants.selects & 1u << SELECT_COMM))
        return 0;
    WITH_CURRENT(task, typed, kernel__copy(typed, comm, task->comm, sizeof(comm)));
    comm[0] = comm__cut(comm[0]);
    comm[1] = comm[0] >> 56 ? comm__cut(comm[1]) : 0;
#pragma clang loop unroll(disable)
    for (u32 i = 0; i < SELECT_TEXTS; i++) {
        u64 listed = *(const volatile u64 *)&list->comms[i][0];

        if (listed == comm[0] && list->comms[i][1] == comm[1])
            return 1;
        if (listed == ~0ULL) /* fills up */
            return 0;
    }
    return 0;
}

static __always_inline bool list__has_cgroup(const struct select_list *list)
{
#pragma clang loop unroll(disable)
    for (u32 i = 0; i < SELECT_TEXTS; i++) {
        u64 id = *(const volatile u64 *)&list->cgroups[i];

        if (id && compat__ancestor_cgroup_id(list->cgroup_levels[i]) == id)
            return true;
    }
    return false;
}

int selection__has_cgroup(u32 excluded)
{
    if (!(emit_constants.selects & 1u << SELECT_CGROUP))
        return 0;
    return list__has_cgroup(list__of(excluded));
}

static __always_inline u8 *tree__place(u32 tgid)
{
    u32 number = tgid / TREE_CHUNK;
    struct tree_chunk *chunk = bpf_map_lookup_elem(&tree_members, &number);

    return chunk ? &chunk->flags[tgid & (TREE_CHUNK - 1)] : NULL;
}

static __always_inline u32 tree__flags_of(u32 tgid)
{
    u8 *place = tree__place(tgid);

    return place ? *place : 0;
}

/* Of a process that was there before trees were followed, what its parent is. */
int tree__flags(u32 tgid)
{
    u8 *place = emit_constants.selects & SELECTS_TREES ? tree__place(tgid) : NULL;
    u32 parent;

    if (!place)
        return 0;
    if (!(*place & TREE_KNOWN)) {
        WITH_CURRENT(task, typed, parent = KREAD(typed, task, group_leader, real_parent, tgid));
        *place = tree__flags_of(parent); /* which may not be known either, yet */
    }
    return *place;
}

/* A pid or mount namespace that is not the first process'. */
static __always_inline bool current__is_in_container(void)
{
    bool is;

    WITH_CURRENT(task, typed,
                 is = KREAD(typed, task, thread_pid, level) ||
                      KREAD(typed, task, nsproxy, mnt_ns, ns.inum) != emit_runtime.host_mnt_ns);
    return is;
}

/* Returns from the function when the condition of a kind is not met; `include` and `exclude` tell what matches. */
#define DECIDE(kind, is_included, is_excluded)                                                                         \
    do {                                                                                                               \
        if (emit_runtime.include.kinds & 1u << (kind) && !(is_included))                                               \
            return 1;                                                                                                  \
        if (emit_runtime.exclude.kinds & 1u << (kind) && (is_excluded))                                                \
            return 1;                                                                                                  \
    } while (0)

#define SELECTS(kind) (emit_constants.selects & emit_runtime.selects & 1u << (kind))

int selection__rejects(u32 tgid)
{
    if (SELECTS(SELECT_PID))
        DECIDE(SELECT_PID, selection__has_pid(0, tgid), selection__has_pid(1, tgid));
    if (SELECTS(SELECT_TREE)) {
        u32 flags = tree__flags(tgid);

        DECIDE(SELECT_TREE, flags & TREE_INCLUDED, flags & TREE_EXCLUDED);
    }
    if (SELECTS(SELECT_UID)) {
        u32 uid = bpf_get_current_uid_gid();

        DECIDE(SELECT_UID, selection__has_uid(0, uid), selection__has_uid(1, uid));
    }
    if (SELECTS(SELECT_COMM))
        DECIDE(SELECT_COMM, selection__has_comm(0), selection__has_comm(1));
    if (SELECTS(SELECT_CGROUP))
        DECIDE(SELECT_CGROUP, selection__has_cgroup(0), selection__has_cgroup(1));
    if (SELECTS(SELECT_CONTAINER)) {
        bool is = current__is_in_container();

        DECIDE(SELECT_CONTAINER, is, is);
    }
    return 0;
}

/*
 * Whether the path that was walked last is, or is below, the n-th path of a list: its last bytes are that path's, which
 * is stored in the same way, leaf first, and a component begins there.
 */
int path__is_below(u32 slot, u32 n)
{
    struct scratch *s = emit_constants.selects & SELECTS_PATHS ? scratch__at(slot) : NULL;
    const struct select_list *list = n < SELECT_TEXTS ? &emit_runtime.include : &emit_runtime.exclude;

    n &= SELECT_TEXTS - 1;
    u64 len = list->path_lens[n], used = s ? *(volatile u32 *)&s->walk.used : 0;
    u64 at;

    if (!s || !len || len > SELECT_PATH_MAX || len > used)
        return 0;
    at = *(volatile u32 *)&s->walk.start + used - len;
    BARRIER(at);
    if (!at || at > SCRATCH_PATHS - SELECT_PATH_MAX || (used > len && s->data[at - 1]))
        return 0;
#pragma clang loop unroll(disable)
    for (u32 i = 0; i < PREFIX_WORDS; i++) {
        u64 differs = *(u64 *)&s->data[at + i * 8] ^ list->paths[n][i];
        u64 left = len - i * 8;

        if (left < 8)
            differs <<= 64 - left * 8; /* a little endian machine: the first bytes are the lowest */
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

/* A new process is whose descendant its parent is. */
SEC("ebpf.tp_btf/sched_process_fork")
int BPF_PROG(tp_btf__follow_trees, struct task_struct *parent, struct task_struct *child)
{
    u8 *place = emit_constants.selects & SELECTS_TREES && child->pid == child->tgid ? tree__place(child->tgid) : NULL;

    if (place)
        *place = tree__flags_of(parent->tgid);
    return 0;
}
