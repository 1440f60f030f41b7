// SPDX-License-Identifier: BSD-2-Clause
/* Stats.c - see Stats.h. */
#include "Stats.h"

#include "Sized.h"

uint64_t lost__sum(const uint64_t lost[EBPF_REASON_COUNT])
{
    uint64_t sum = 0;

    for (int reason = 0; reason < EBPF_REASON_COUNT; reason++)
        sum += lost[reason];
    return sum;
}

int ebpf_stats__type(const struct ebpf_stats *stats, enum ebpf_event_type type, struct ebpf_type_stats *ret_type)
{
    if (!ebpf_event_type__name(type)) {
        errno = EINVAL;
        return -EINVAL;
    }
    const struct type_counts *counts = &stats__of(stats)->types[type];
    const struct ebpf_type_stats all = {
        .seen = counts->seen,
        .delivered = counts->delivered,
        .filtered = counts->filtered,
        .lost = lost__sum(counts->lost),
    };
    int err = SIZED_WRITE(ret_type, &all);

    if (err)
        errno = -err;
    return err;
}

uint64_t ebpf_stats__lost(const struct ebpf_stats *stats, enum ebpf_event_type type, enum ebpf_reason reason)
{
    bool is_known = ebpf_event_type__name(type) && ebpf_reason__key(reason);

    return is_known ? stats__of(stats)->types[type].lost[reason] : 0;
}

bool ebpf_loss__next(const struct ebpf_loss *loss, struct ebpf_loss_count *count)
{
    unsigned int type = count->type, reason = count->events ? (unsigned int)count->reason + 1 : 0;

    for (; type < EBPF_EVENT_TYPE_COUNT; type++, reason = 0) {
        for (; reason < EBPF_REASON_COUNT; reason++) {
            uint64_t events = loss__of(loss)->counts[type][reason];

            if (!events)
                continue;
            *count = (struct ebpf_loss_count){.type = type, .reason = reason, .events = events};
            return true;
        }
    }
    return false;
}
