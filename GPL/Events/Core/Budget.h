/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Budget.h - how many events a process may make in a second, of those types that any user can make at will and that are
 * in the ring of execs.
 *
 * An event takes from the budget of the acting process, which its threads share, and then from that of its user, which
 * is BUDGET_PROCESSES times as large; otherwise a hundred processes would have a hundred budgets. Root has no budget as
 * a user. What others do takes from nobody's budget, so accepting a connection takes from none. An event beyond the
 * budget is counted as lost (EBPF_REASON_BUDGET) before anything of it is computed. So is what belongs to it: the exit
 * of a process whose fork is lost, unless the process has executed something, and the failure or close of a connection
 * whose attempt is lost. If a fork or an attempt is reported, its end is reported too.
 *
 * On each CPU the process that has lost most since the last look of the reader is noted (struct over_budget), in memory
 * that the library maps: a record would need room in the ring that is full.
 *
 * If there is no memory for the budget of a process, the process has no limit.
 */
#ifndef EBPF_CORE_BUDGET_H
#define EBPF_CORE_BUDGET_H

#include "Select.h"

#define BUDGET_PROCESSES 16 /* number of processes of a user that can spend all of their budgets within one second */
#define BUDGET_USERS 1024

/* What users have spent. The user who has been idle for longest is evicted, and has spent nothing by then. */
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

/* Take an event from the budget of the current process. Returns 1 if nothing is left. In Budget.bpf.c. */
extern int budget__is_spent(void);

enum {
#define BUDGETED(name, which) BUDGETED_##name,
#include "../Events.def"
};

/* Return the fate of an event of the current task, by its name in lower case, which the schema has as BUDGETED. */
#define CURRENT_FATE(name) ((void)BUDGETED_##name, current__fate())

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

/* Note the fate of the fork of a process, which has not run yet. Only with a budget. */
static __always_inline void fork__note_fate(u32 tgid, enum fate fate)
{
    u8 *is_lost_at = lost_fork__at(tgid);

    if (is_lost_at)
        WRITE_ONCE(*is_lost_at, fate == FATE_OVER_BUDGET);
}

/* Return the fate of the exit of a process, given whether it is filtered. */
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
