// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Budget.bpf.c - what processes and users have spent of their budgets; see Budget.h. */
#include "Budget.h"
#include "Pending.h"
#include "Share.h"
#include "Task.h"

#define NS_PER_S 1000000000

struct budget_users_map budget_users SEC(".maps");
struct budget_forks_map budget_forks SEC(".maps");

/*
 * Spend an event. Returns false if `size` events have been made in this second. Tasks that do this at once may make one
 * more each.
 */
static __always_inline bool budget__spend(struct budget *budget, u64 now, u64 size)
{
    if ((s64)(now - READ_ONCE(budget->since)) >= NS_PER_S) {
        WRITE_ONCE(budget->since, now);
        WRITE_ONCE(budget->spent, 0);
    }
    if (READ_ONCE(budget->spent) >= size)
        return false;
    ATOMIC_ADD(&budget->spent, 1);
    return true;
}

static __always_inline bool user__spends(u64 now)
{
    struct budget first = {.since = now, .spent = 1}, *budget;
    u32 uid = bpf_get_current_uid_gid();

    if (!uid)
        return true;
    uid = share__user();
    budget = bpf_map_lookup_elem(&budget_users, &uid);
    if (budget)
        return budget__spend(budget, now, (u64)emit_constants.budget * BUDGET_PROCESSES);
    bpf_map_update_elem(&budget_users, &uid, &first, BPF_NOEXIST);
    return true;
}

/* Count a lost event. Returns how many the process has lost since the last look of the reader. */
static __always_inline u64 process_budget__lose(struct process_budget *p, u32 period)
{
    if (READ_ONCE(p->period) != period) {
        WRITE_ONCE(p->lost, 0);
        WRITE_ONCE(p->period, period);
    }
    ATOMIC_ADD(&p->lost, 1);
    return READ_ONCE(p->lost);
}

/* Fill in the process, unless it is there already. Only the owner of the claim calls this. */
static __always_inline void over_budget__fill(struct over_budget *o, u32 period, u64 lost)
{
    WITH_CURRENT(task, typed, {
        u64 start_time = KREAD(typed, task, group_leader, start_time);

        if (o->period != period || o->pids.start_time_ns != start_time ||
            o->pids.tgid != (u32)(bpf_get_current_pid_tgid() >> 32)) {
            pid_info__fill(&o->pids, typed, task);
            o->uid = bpf_get_current_uid_gid();
            kernel__copy(typed, o->comm, task->comm, EBPF_COMM_LEN);
        }
    });
    o->period = period;
    o->lost = lost;
}

/* Note the current process, if no other one has lost more. An odd version shows the reader that it is being written. */
static __always_inline void over_budget__note(struct process_budget *p)
{
    u32 period = READ_ONCE(emit_runtime.budget_period);
    u64 lost = process_budget__lose(p, period);
    struct cpu_counters *c = counters__get();

    if (!c)
        return;
    struct over_budget *o = &c->over_budget;

    if (READ_ONCE(o->period) == period && READ_ONCE(o->lost) >= lost)
        return;
    if (claim__enter(&o->claims)) {
        CLAIM_ADD(&o->version, 1);
        over_budget__fill(o, period, lost);
        CLAIM_ADD(&o->version, 1);
    }
    claim__release(&o->claims);
}

int budget__is_spent(void)
{
    struct task_state *state = emit_constants.budget ? task_state__get_of_process() : NULL;
    u64 now = state ? bpf_ktime_get_ns() : 0;

    if (!state || (budget__spend(&state->budget.own, now, emit_constants.budget) && user__spends(now)))
        return 0;
    over_budget__note(&state->budget);
    return 1;
}
