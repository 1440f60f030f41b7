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

/* How often the kernel has skipped a program. */
static uint64_t backend__skips(struct bpf_backend *b, const struct hooks_program *program)
{
    size_t i = (size_t)(program - b->hooks.programs);

    if (b->links[i] && !b->stopped)
        b->recursion_misses[i] = program__recursion_misses(bpf_object__find_program_by_name(b->object, program->name));
    return b->recursion_misses[i];
}

static uint64_t backend__rescued(const struct bpf_backend *b, int hook)
{
    uint64_t rescued = 0;

    for (int cpu = 0; cpu < b->cpus; cpu++)
        rescued += b->counters[cpu].rescued[hook];
    return rescued;
}

static const struct hooks_body *bodies__find(const char *program, struct hooks_body *ret_body)
{
    for (size_t i = 0; hooks__body(i, ret_body); i++)
        if (!strcmp(ret_body->program, program))
            return ret_body;
    return NULL;
}

/*
 * How often an event was lost because all programs of a hook were busy: at most as often as the first in the order in
 * which they run was skipped, less what the others have made, and as often as the last was; see Core/Spare.h.
 */
static uint64_t backend__skips_of_hook(struct bpf_backend *b, const struct hooks_program *program)
{
    uint64_t skips = backend__skips(b, program), first, last;
    const struct hooks_program *spare, *final = NULL;
    struct hooks_body body;

    if (!skips && !b->hooks.spares)
        return 0;
    for (size_t i = 0; (spare = hooks__spare(&b->hooks, program->name, i)); i++)
        final = spare->wanted ? spare : final;
    if (!final || !bodies__find(program->name, &body))
        return skips;
    bool in_order = !strncmp(program->name, "tp_btf__", 8);
    uint64_t rescued = backend__rescued(b, body.hook); /* before the skips: or some rescued may have no skip yet */
    uint64_t skips_of_final = backend__skips(b, final);

    skips = backend__skips(b, program);
    first = in_order ? skips : skips_of_final;
    last = in_order ? skips_of_final : skips;
    first = first > rescued ? first - rescued : 0;
    return first < last ? first : last;
}

/*
 * What the kernel's guard skipped never reached our counters: it was seen and lost, as far as the event is concerned.
 */
static void counts__add_recursion(struct bpf_backend *b, struct ebpf_counts *counts)
{
    for (size_t i = 0; i < b->hooks.count; i++) {
        const struct hooks_program *program = &b->hooks.programs[i];
        int event = hooks__skipped_event(&b->hooks, program->name);
        uint64_t skips = event ? backend__skips_of_hook(b, program) : 0;

        counts->seen[event] += skips;
        counts->lost[event][EBPF_REASON_RECURSION] += skips;
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
