/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Spare.h - several copies of one program on one hook, for kernels that preempt BPF programs.
 *
 * The kernel skips a program that is already running on the CPU (recursion_misses), and one that was preempted counts
 * as running: with preempt=full or lazy, every other task's event on that CPU would be lost until the first one goes
 * on. The guard is by program, so copies of it on the same hook have one each. They run one after the other in the same
 * task; the first that is not skipped makes the event and leaves a mark, by which the others know. An event is lost
 * only when all copies are busy on the CPU: as often as the first was skipped, less what the spares have rescued.
 */
#ifndef EBPF_CORE_SPARE_H
#define EBPF_CORE_SPARE_H

#include "Emit.h"

#define SPARE_MARKS 16384

struct spare_marks_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, SPARE_MARKS);
    __type(key, u32);
    __type(value, u64);
};

/*
 * Whether another copy has made this event. `id` chooses the mark, `key` is unlike that of any other event with that
 * id.
 */
static __always_inline bool spare__is_done(void *marks, u32 id, u64 key)
{
    if (!emit_constants.spares)
        return false;
    u32 slot = id & (SPARE_MARKS - 1);
    u64 *mark = bpf_map_lookup_elem(marks, &slot);

    if (!mark)
        return false;
    if (*mark == key)
        return true;
    *mark = key;
    return false;
}

static __always_inline void spare__rescued(enum ebpf_event_type type)
{
    struct cpu_counters *c = counters__get();

    if (c)
        COUNT(c->rescued[type]);
}

#endif
