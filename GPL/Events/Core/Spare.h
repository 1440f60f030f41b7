/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Spare.h - several copies of one program on one hook, for kernels that preempt BPF programs.
 *
 * The kernel skips a program that is already running on the CPU (recursion_misses), and one that was preempted counts
 * as running: with preempt=full or lazy, every other task's event on that CPU would be lost until the first one goes
 * on. The guard is by program, so copies of it on the same hook have one each. They run one after the other in the same
 * task; the first that is not skipped makes the event and leaves a mark, by which the others know. An event is lost
 * only when all copies are busy on the CPU. How often that was is known in two ways:
 *
 *   on a tracepoint, where copies are run in the order in which they were attached, exactly: as often as the first was
 *   skipped, less what the spares have rescued. For that each run has to leave a mark, also one that makes no event.
 *
 *   on a trampoline, where they are run in the reverse order, at most as often as the program itself, the last, was
 *   skipped. It is busy for a moment only: it finds that a spare has been there. Runs that make no event need no mark.
 */
#ifndef EBPF_CORE_SPARE_H
#define EBPF_CORE_SPARE_H

#include "Emit.h"

/* Made only where there are spares. An entry has to stay for as long as a task can be preempted between two copies. */
struct spare_marks_map {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, u64);
    __type(value, u64);
};

static __always_inline bool spare__is_done_at(void *marks, u64 address, u64 key)
{
    u64 *mark = bpf_map_lookup_elem(marks, &address);

    if (mark && *mark == key)
        return true;
    bpf_map_update_elem(marks, &address, &key, BPF_ANY);
    return false;
}

/*
 * Whether another copy has made this event, which is about `task`. `key` is unlike that of any other event about it,
 * nor about another task at the same address.
 */
static __always_inline bool spare__is_done(void *marks, struct task_struct *task, u64 key)
{
    if (!emit_constants.spares)
        return false;
    u64 address = 0;

    *(struct task_struct *volatile *)&address = task;
    return spare__is_done_at(marks, address, key);
}

/*
 * The same for an event that has nothing to be told from the next one by: copies are run in a certain order, so one
 * that is run after itself or a later one is run for another event. `object` is what the event is about, `place` that
 * in the order, from 0.
 */
static __always_inline bool spare__comes_after(void *marks, u64 object, u32 place)
{
    if (!emit_constants.spares)
        return false;
    u64 address = bpf_get_current_task();
    struct task_struct *task = (void *)address;
    u64 about = object ^ BPF_CORE_READ(task, start_time), mark = about << 2 | place;
    u64 *last = bpf_map_lookup_elem(marks, &address);
    bool after = last && *last >> 2 == mark >> 2 && (*last & 3) < place;

    bpf_map_update_elem(marks, &address, &mark, BPF_ANY);
    return after;
}

static __always_inline void spare__rescued(enum ebpf_event_type type)
{
    struct cpu_counters *c = counters__get();

    if (c)
        COUNT(c->rescued[type]);
}

#endif
