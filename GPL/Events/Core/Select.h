/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Select.h - whose events are wanted, and of which files.
 *
 * The conditions (struct select_list) are in memory that the library maps, and may change while the probes run. Who
 * acts is decided before anything of an event is computed (current__is_filtered); files are decided by the paths, once
 * those are known.
 */
#ifndef EBPF_CORE_SELECT_H
#define EBPF_CORE_SELECT_H

#include "Slot.h"
#include "Task.h"

/* What is known of whose descendants processes are, by process id; made only when trees are followed. */
struct tree_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct tree_chunk);
};

extern struct tree_map tree_members SEC(".maps");

/* What becomes of an event: it is made, or counted as something else. */
enum fate {
    FATE_MADE,
    FATE_FILTERED,
    FATE_OVER_BUDGET, /* lost; see Budget.h */
};

static __always_inline enum fate fate__of(bool is_filtered)
{
    return is_filtered ? FATE_FILTERED : FATE_MADE;
}

/* Whether the selection leaves out what the current task does; in Select.bpf.c. */
extern int selection__rejects(u32 tgid);

/* Kinds of conditions that are about who acts. */
#define SELECTS_TASKS ((1u << SELECT_PATH) - 1)

/* Whether a task's name is the one of `emit_runtime.quick`. Of most names eight bytes tell. */
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

/* Whether `emit_runtime.quick` leaves out what the current task does; here, since a call would double the cost. */
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

/* The same for the lists, and for a process id, since there may be more to a process than its number. */
static __always_inline bool current__fails_lists(u32 kinds, u32 tgid)
{
    const struct select_quick *quick = &emit_runtime.quick;

    if (kinds & 1u << SELECT_PID && tgid != quick->value[0])
        return !quick->excludes;
    if (kinds & ~(1u << SELECT_PID) || !(emit_runtime.selects & SELECTS_TASKS))
        return false;
    return selection__rejects(tgid);
}

/* Whether the current process' actions are not wanted. What a single condition leaves out is found out first. */
static __always_inline bool current__is_filtered(void)
{
    const bool selects = emit_constants.selects & SELECTS_TASKS;
    u32 kinds = 0;

    if (selects)
        kinds = READ_ONCE(emit_runtime.quick.kinds); /* only then: the compiler would load it always */
    if (kinds && current__fails_quick(kinds))
        return true;
    u32 tgid = bpf_get_current_pid_tgid() >> 32;

    return tgid == emit_runtime.self_tgid || (selects && current__fails_lists(kinds, tgid));
}

/*
 * Whether the selection leaves out what there is to say of a process itself, given by the address of its leader; in
 * Select.bpf.c. `is_current`: the current task is of that process.
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

/* There are conditions about paths. */
static __always_inline bool paths__are_selected(void)
{
    return emit_constants.selects & SELECTS_PATHS && emit_runtime.selects & SELECTS_PATHS;
}

/* How a path meets the conditions: bits of scratch.path_matches. */
#define PATH_IS_INCLUDED 1
#define PATH_IS_NOT_EXCLUDED 2

/* Look at the path that was walked last; in Select.bpf.c. */
extern int selection__look_at_path(u32 slot);

/* A path of a file event was appended. Of two, one that is wanted suffices. */
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
