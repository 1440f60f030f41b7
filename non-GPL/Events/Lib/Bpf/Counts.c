// SPDX-License-Identifier: BSD-2-Clause
/* Counts.c - see Counts.h. */
#include "Counts.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "Core/EmitShared.h"

/*
 * Return how often the kernel has skipped a program while events were enabled. If the kernel does not report it, return
 * the last known value, and warn once.
 */
static uint64_t guarded__skips(struct bpf_backend *b, struct guarded_program *program)
{
    struct bpf_prog_info info = {0};
    __u32 len = sizeof(info);

    if (b->stopped)
        return program->skips - program->before;
    if (!bpf_obj_get_info_by_fd(program->fd, &info, &len)) {
        program->skips = info.recursion_misses;
    } else if (!b->skips_are_unknown) {
        b->skips_are_unknown = true;
        ebpf_log__write(&b->probes.log, EBPF_LOG_WARNING,
                        "the kernel does not report how often it skips the probes: %s; 'recursion' may be too low",
                        strerror(errno));
    }
    return program->skips - program->before;
}

static uint64_t backend__rescued(const struct bpf_backend *b, int hook)
{
    uint64_t rescued = 0;

    for (int cpu = 0; cpu < b->probes.cpus; cpu++)
        rescued += b->counters[cpu].rescued[hook];
    return rescued;
}

/* Return the spare of a row's program that is run last; NULL if it has none here. */
static const struct hooks_program *hooks__last_spare(struct hooks *hooks, size_t row)
{
    const struct hooks_program *spare, *last = NULL;

    for (int n = 0; (spare = hooks__spare(hooks, row, n)); n++)
        last = spare->wanted ? spare : last;
    return last;
}

static struct guarded_hook backend__guarded(struct bpf_backend *b, size_t i, int event)
{
    struct guarded_hook hook = {.event = event, .first = {.fd = b->probes.hooks.programs[i].fd}, .last = {.fd = -1}};
    const struct hook_row *row = hooks__row(i);
    const struct hooks_program *spare = row ? hooks__last_spare(&b->probes.hooks, i) : NULL;
    const struct hooks_program *second = row ? hooks__second(&b->probes.hooks, i) : NULL;

    if (second)
        hook.last.fd = second->fd;
    if (!spare || !row->body)
        return hook;
    hook.has_spares = true;
    hook.spare_hook = row->spare_hook;
    hook.last.fd = spare->fd;
    return hook;
}

/*
 * Note the counts of the time before events were enabled, to be subtracted. While programs are being attached, spares
 * are there first, and rescue runs that nobody skipped; these must not make up for skips later on. In this order, no
 * skip of the meantime is made up for by an earlier rescue.
 */
static void guarded__begin(struct bpf_backend *b, struct guarded_hook *hook)
{
    hook->first.before = guarded__skips(b, &hook->first);
    if (hook->last.fd >= 0)
        hook->last.before = guarded__skips(b, &hook->last);
    if (hook->has_spares)
        hook->rescued_before = backend__rescued(b, hook->spare_hook);
}

void counts__watch(struct bpf_backend *b)
{
    b->guarded_count = 0;
    for (size_t i = 0; i < b->probes.hooks.count; i++) {
        int event = b->probes.hooks.programs[i].attached ? hooks__skipped_event(&b->probes.hooks, i) : 0;

        if (!event)
            continue;
        b->guarded[b->guarded_count] = backend__guarded(b, i, event);
        guarded__begin(b, &b->guarded[b->guarded_count++]);
    }
}

/*
 * Return how often an event was lost because all programs of a hook were busy: at most as often as the main program was
 * skipped, minus what the others have rescued, and at most as often as the last program was skipped; see Core/Spare.h.
 * With a second program, at most as often as either was skipped.
 */
static uint64_t backend__skips_of_hook(struct bpf_backend *b, struct guarded_hook *hook)
{
    if (hook->last.fd < 0)
        return guarded__skips(b, &hook->first);
    /* read before the skips, or some rescued runs may not count as skipped yet */
    uint64_t rescued = hook->has_spares ? backend__rescued(b, hook->spare_hook) - hook->rescued_before : 0;
    uint64_t first = guarded__skips(b, &hook->first), last = guarded__skips(b, &hook->last);

    first = first > rescued ? first - rescued : 0;
    return first < last ? first : last;
}

/*
 * Count the runs that the kernel's guard skipped, which never reached the probes' counters, as seen and lost.
 */
static void counts__add_recursion(struct bpf_backend *b, struct ebpf_counts *counts)
{
    for (size_t i = 0; i < b->guarded_count; i++) {
        struct guarded_hook *hook = &b->guarded[i];
        uint64_t skips = backend__skips_of_hook(b, hook);

        counts->seen[hook->event] += skips;
        counts->lost[hook->event][EBPF_REASON_RECURSION] += skips;
    }
}

void bpf_backend__counts(struct ebpf_backend *backend, struct ebpf_counts *ret_counts)
{
    struct bpf_backend *b = (struct bpf_backend *)backend;

    memset(ret_counts, 0, sizeof(*ret_counts));
    for (int cpu = 0; cpu < b->probes.cpus; cpu++) {
        const volatile struct cpu_counters *c = &b->counters[cpu];

        for (int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
            ret_counts->seen[type] += c->seen[type];
            ret_counts->delivered[type] += c->delivered[type];
            ret_counts->filtered[type] += c->filtered[type];
            for (int reason = 0; reason < EBPF_REASON_COUNT; reason++)
                ret_counts->lost[type][reason] += c->lost[reason][type];
        }
    }
    counts__add_recursion(b, ret_counts);
}

/* Read what a CPU has noted in this round. False if that is nothing, or is being written: a later read will find it. */
static bool over_budget__read(const struct over_budget *noted, uint32_t period, struct over_budget *ret_over)
{
    uint64_t version = __atomic_load_n(&noted->version, __ATOMIC_ACQUIRE);

    *ret_over = *noted;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return !(version & 1) && __atomic_load_n(&noted->version, __ATOMIC_RELAXED) == version && ret_over->lost &&
           ret_over->period == period;
}

bool bpf_backend__over_budget(struct ebpf_backend *backend, struct ebpf_over_budget *ret_over)
{
    struct bpf_backend *b = (struct bpf_backend *)backend;
    struct over_budget most = {0}, over;

    for (int cpu = 0; cpu < b->probes.cpus; cpu++) {
        if (over_budget__read(&b->counters[cpu].over_budget, b->runtime->budget_period, &over) && over.lost > most.lost)
            most = over;
    }
    if (!most.lost)
        return false;
    __atomic_store_n(&b->runtime->budget_period, b->runtime->budget_period + 1, __ATOMIC_RELAXED);
    *ret_over = (struct ebpf_over_budget){.pids = most.pids, .uid = most.uid, .lost = most.lost};
    memcpy(ret_over->comm, most.comm, sizeof(ret_over->comm));
    return true;
}

bool counts__are_settled(const struct ebpf_counts *counts)
{
    for (int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
        uint64_t known = counts->delivered[type] + counts->filtered[type];

        for (int reason = 0; reason < EBPF_REASON_COUNT; reason++)
            known += counts->lost[type][reason];
        if (known != counts->seen[type])
            return false;
    }
    return true;
}
