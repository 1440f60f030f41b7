/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Select.h - the conditions that decide which tasks and files are wanted.
 *
 * The conditions (struct select_list) are in memory that the library maps, and may change while the probes run. Whether
 * the acting task is wanted is decided before anything of an event is computed (current__is_filtered). Whether a file
 * is wanted is decided once its paths are known.
 */
#ifndef EBPF_CORE_SELECT_H
#define EBPF_CORE_SELECT_H

#include "Slot.h"
#include "Task.h"

/* Tree flags of processes, by process id. Created only if trees are followed. */
struct tree_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct tree_chunk);
};

extern struct tree_map tree_members SEC(".maps");

/* The fate of an event: it is made, or counted as something else. */
enum fate {
    FATE_MADE,
    FATE_FILTERED,
    FATE_OVER_BUDGET, /* lost; see Budget.h */
};

static __always_inline enum fate fate__of(bool is_filtered)
{
    return is_filtered ? FATE_FILTERED : FATE_MADE;
}

/* Return whether the selection rejects what the current task does; in Select.bpf.c. */
extern int selection__rejects(u32 tgid);

/* Kinds of conditions on the acting task. */
#define SELECTS_TASKS ((1u << SELECT_PATH) - 1)

/* Return whether a task's name is that of `emit_runtime.quick`. For most names eight bytes decide. */
static __always_inline bool comm__meets_quick(bool typed, struct task_struct *task)
{
    const struct select_quick *quick = &emit_runtime.quick;
    u64 word;

    kernel__copy(typed, &word, task->comm, sizeof(word));
    if ((word ^ quick->value[0]) & quick->mask[0])
        return false;
    if (!quick->mask[1])
        return true;
    kernel__copy(typed, &word, task->comm + sizeof(word), sizeof(word));
    return !((word ^ quick->value[1]) & quick->mask[1]);
}

/*
 * Return whether `emit_runtime.quick` rejects what the current task does. Inline, because a call would double the cost.
 */
static __always_inline bool current__fails_quick(u32 kinds)
{
    bool matches = false;

    if (emit_constants.selects & 1u << SELECT_COMM && kinds & 1u << SELECT_COMM)
        WITH_CURRENT(task, typed, matches = comm__meets_quick(typed, task));
    else if (emit_constants.selects & 1u << SELECT_UID && kinds & 1u << SELECT_UID)
        matches = (u32)bpf_get_current_uid_gid() == emit_runtime.quick.value[0];
    else
        return false;
    return matches == emit_runtime.quick.excludes;
}

/*
 * Return whether the lists, or `emit_runtime.quick` with a process id, reject it. Only the lists know whether a process
 * with that id is the process meant.
 */
static __always_inline bool current__fails_lists(u32 kinds, u32 tgid)
{
    const struct select_quick *quick = &emit_runtime.quick;

    if (kinds & 1u << SELECT_PID && tgid != quick->value[0])
        return !quick->excludes;
    if (kinds & ~(1u << SELECT_PID) || !(emit_runtime.selects & SELECTS_TASKS))
        return false;
    return selection__rejects(tgid);
}

/* Return whether the current process is helper number `n`, whose id it has, and not a later one; in Probe.bpf.c. */
extern int helper__acts(u32 n);

/* Return whether the current process is that of the library, or works for it. */
static __always_inline bool current__is_own(u32 tgid)
{
    if (tgid == emit_runtime.self_tgid)
        return true;
    if (!emit_runtime.has_helpers)
        return false;
    for (u32 n = 0; n < EMIT_HELPERS_MAX; n++) {
        if (emit_runtime.helpers[n].tgid == tgid)
            return helper__acts(n);
    }
    return false;
}

/* Return whether the selection rejects what the current process does. A single condition is checked first. */
static __always_inline bool current__is_filtered(void)
{
    const bool selects = emit_constants.selects & SELECTS_TASKS;
    u32 kinds = 0;

    if (selects)
        kinds = READ_ONCE(emit_runtime.quick.kinds); /* only then: otherwise the compiler would always load it */
    if (kinds && current__fails_quick(kinds))
        return true;
    u32 tgid = bpf_get_current_pid_tgid() >> 32;

    return current__is_own(tgid) || (selects && current__fails_lists(kinds, tgid));
}

/* Count as lost an event of the current task that a program does not know enough about. */
static __always_inline void count__unreadable(enum ebpf_event_type type)
{
    if (event__is_called(type) && !current__is_filtered())
        count__seen_and_lost(type, EBPF_REASON_UNREADABLE);
}

/*
 * Return whether the selection rejects events about a process itself, given the address of its leader; in Select.bpf.c.
 * `is_current`: the current task belongs to that process.
 */
extern int selection__rejects_process(u64 leader, u32 is_current);

#define SELECTS_PATHS (1u << SELECT_PATH)
#define SELECTS_TREES (1u << SELECT_TREE)

static __always_inline bool process__is_filtered(u32 tgid, u64 leader, bool is_current)
{
    if (tgid == emit_runtime.self_tgid)
        return true;
    return emit_constants.selects & SELECTS_TASKS && emit_runtime.selects & SELECTS_TASKS &&
           selection__rejects_process(leader, is_current);
}

/* Return whether there are conditions on paths. */
static __always_inline bool paths__are_selected(void)
{
    return emit_constants.selects & SELECTS_PATHS && emit_runtime.selects & SELECTS_PATHS;
}

/* How a path matches the conditions: bits of scratch.path_matches. */
#define PATH_IS_INCLUDED 1
#define PATH_IS_NOT_EXCLUDED 2

/* Match the path that was walked last against the conditions; in Select.bpf.c. */
extern int selection__look_at_path(u32 slot);

/* Match a path that was appended. If a file event has two paths, one match is enough. */
static __always_inline void path__select(struct scratch *s, u32 tag)
{
    if (paths__are_selected() && (tag == EBPF_TAG_PATH || tag == EBPF_TAG_OLD_PATH || tag == EBPF_TAG_NEW_PATH))
        selection__look_at_path(s->slot);
}

static __always_inline bool paths__are_rejected(const struct scratch *s)
{
    u32 matches = s->path_matches;

    if (!paths__are_selected())
        return false;
    return (emit_runtime.include.kinds & SELECTS_PATHS && !(matches & PATH_IS_INCLUDED)) ||
           (emit_runtime.exclude.kinds & SELECTS_PATHS && !(matches & PATH_IS_NOT_EXCLUDED));
}

#endif
