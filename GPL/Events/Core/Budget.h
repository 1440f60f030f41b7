/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Budget.h - how many events a process may make in a second, of those that any user can make at will and that wait in
 * the same ring as execs.
 *
 * An event takes of the budget of the process that acts, which is kept with the process and shared by its threads, and
 * then of the user's, which is that of BUDGET_PROCESSES processes: or a hundred processes had a hundred budgets. Root's
 * processes have no such bound in common. Nobody's budget is taken of by what others do, so a connection that is
 * accepted takes of none. What is beyond a budget is counted as lost (EBPF_REASON_BUDGET), before anything of it is
 * computed, and so is what belongs to it: the exit of a process whose fork is lost, unless it has executed something;
 * the failure or the close of a connection whose attempt is. A fork or attempt that is reported has its end.
 *
 * Who has lost most on a CPU since the reader last asked is noted for the reader (struct over_budget), in memory that
 * it maps: a record would need room in the ring that is full.
 *
 * Where there is no memory to keep a process' budget, it has none that could be exceeded.
 */
#ifndef EBPF_CORE_BUDGET_H
#define EBPF_CORE_BUDGET_H

#include "Select.h"

#define BUDGET_PROCESSES 16 /* that a user can have spend all of their budgets in the same second */
#define BUDGET_USERS 1024

/* A map of what users have spent. The one that has been idle for longest gives way, and has spent nothing then. */
struct budget_users_map {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, BUDGET_USERS);
    __type(key, u32);
    __type(value, struct budget);
};

/* Whether the fork of a process is lost, by process id. */
struct budget_forks_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct lost_forks);
};

extern struct budget_users_map budget_users SEC(".maps");
extern struct budget_forks_map budget_forks SEC(".maps");

/* Take an event of the budget of the current process; 1 when there is nothing left. In Budget.bpf.c. */
extern int budget__is_spent(void);

/* What becomes of an event of the current task that is of those that take of a budget. */
static __always_inline enum fate current__fate(void)
{
    if (current__is_filtered())
        return FATE_FILTERED;
    return emit_constants.budget && emit_runtime.live && budget__is_spent() ? FATE_OVER_BUDGET : FATE_MADE;
}

static __always_inline u8 *lost_fork__at(u32 tgid)
{
    u32 chunk = tgid / TREE_CHUNK;
    struct lost_forks *forks = bpf_map_lookup_elem(&budget_forks, &chunk);

    return forks ? &forks->is_lost[tgid & (TREE_CHUNK - 1)] : NULL;
}

/* Note what becomes of the fork of a process, which has not run yet; where there are budgets. */
static __always_inline void fork__note_fate(u32 tgid, enum fate fate)
{
    u8 *is_lost_at = lost_fork__at(tgid);

    if (is_lost_at)
        WRITE_ONCE(*is_lost_at, fate == FATE_OVER_BUDGET);
}

/* What becomes of the exit of a process, given whether it is filtered. */
static __always_inline enum fate exit__fate(struct task_struct *leader, bool is_filtered)
{
    u8 *is_lost_at = emit_constants.budget ? lost_fork__at(leader->tgid) : NULL;

    if (!is_lost_at)
        return fate__of(is_filtered);
    bool is_lost = READ_ONCE(*is_lost_at) && leader->flags & PF_FORKNOEXEC;

    WRITE_ONCE(*is_lost_at, 0);
    return is_lost && !is_filtered ? FATE_OVER_BUDGET : fate__of(is_filtered);
}

#endif
