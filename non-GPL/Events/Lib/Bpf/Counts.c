// SPDX-License-Identifier: BSD-2-Clause
/* Counts.c - see Counts.h. */
#include "Counts.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "Core/EmitShared.h"

static uint64_t program__recursion_misses(const struct bpf_program *program)
{
    struct bpf_prog_info info = {0};
    __u32 len = sizeof(info);

    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len))
        return 0;
    return info.recursion_misses;
}

/*
 * What the kernel's guard skipped never reached our counters: it was seen and lost, as far as the event is concerned.
 */
static void counts__add_recursion(struct bpf_backend *b, struct ebpf_counts *counts)
{
    for (size_t i = 0; i < b->hooks.count; i++) {
        const char *name = b->hooks.programs[i].name;
        int event = hooks__skipped_event(&b->hooks, name);

        if (!event)
            continue;
        if (b->links[i] && !b->stopped)
            b->recursion_misses[i] = program__recursion_misses(bpf_object__find_program_by_name(b->object, name));
        counts->seen[event] += b->recursion_misses[i];
        counts->lost[event][EBPF_REASON_RECURSION] += b->recursion_misses[i];
    }
    for (int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
        uint64_t rescued = 0;

        for (int cpu = 0; cpu < b->cpus; cpu++)
            rescued += b->counters[cpu].rescued[type];
        if (rescued > counts->lost[type][EBPF_REASON_RECURSION])
            rescued = counts->lost[type][EBPF_REASON_RECURSION]; /* read after the misses: some may be newer */
        counts->seen[type] -= rescued;
        counts->lost[type][EBPF_REASON_RECURSION] -= rescued;
    }
}

void bpf_backend__counts(struct ebpf_backend *backend, struct ebpf_counts *ret_counts)
{
    struct bpf_backend *b = (struct bpf_backend *)backend;

    memset(ret_counts, 0, sizeof(*ret_counts));
    for (int cpu = 0; cpu < b->cpus; cpu++) {
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
