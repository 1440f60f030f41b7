/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stats.h - counts by type and reason. An embedder sees the public part of these structs, and the rest by functions: it
 * is as long as there are types and reasons.
 */
#ifndef EBPF_LIB_STATS_H
#define EBPF_LIB_STATS_H

#include "EbpfEvents.h"

/* Counts of a type. */
struct type_counts {
    uint64_t seen, delivered, filtered, lost[EBPF_REASON_COUNT];
};

/* What a struct ebpf_stats is the beginning of. */
struct stats {
    struct ebpf_stats head;
    struct type_counts types[EBPF_EVENT_TYPE_COUNT];
};

/* What a struct ebpf_loss is the beginning of. */
struct loss {
    struct ebpf_loss head;
    uint64_t counts[EBPF_EVENT_TYPE_COUNT][EBPF_REASON_COUNT];
};

static inline const struct stats *stats__of(const struct ebpf_stats *stats)
{
    return (const struct stats *)stats;
}

static inline const struct loss *loss__of(const struct ebpf_loss *loss)
{
    return (const struct loss *)loss;
}

/* Return the sum over all reasons. */
uint64_t lost__sum(const uint64_t lost[EBPF_REASON_COUNT]);

#endif
