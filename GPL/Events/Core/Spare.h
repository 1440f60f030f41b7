/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Spare.h - several programs on one hook that do one thing, for kernels that preempt BPF programs. What a kprobe can do
 * (Kprobe.h) needs none where there are kprobes.
 *
 * The kernel skips a program that is already running on the CPU (recursion_misses), and one that was preempted counts
 * as running: with preempt=full or lazy, every other task's event on that CPU would be lost until the first one goes
 * on. The guard is by program, so a hook has several. They run one after the other in the same task. The main program
 * is the first: it makes the event, and leaves a mark. The others, its spares, are stubs: one that finds no mark calls
 * the main program's body as a tail, which has no guard of its own. LSM programs have no guard at all since 6.2; where
 * they can be used nothing is spare.
 *
 * An event is lost only when all programs are busy on the CPU. How often that was is at most
 *   - as often as the main program was skipped, less what the others have rescued, and
 *   - as often as the last one was skipped, which is busy for a moment only.
 * The first bound is exact where each run leaves a mark, the second holds where runs that make no event leave none.
 *
 * A mark belongs to a task and says which hook the task's newest event is of. It is there from the first program of an
 * event to the last, which takes it away: for a microsecond, as a rule. Nothing else of the task comes between, for one
 * follows the other at one place of the kernel. All marks are in a table of some thousand places, which are free but
 * for those of tasks that are between two programs at this moment. A task has a few places that follow from its id, and
 * takes the first that is free.
 *
 * A place changes by additions only, so it is the sum of what is in it, and two tasks that take it at once both see
 * that: each takes its own away again and goes on to the next place. A last program that the kernel skips leaves a mark
 * behind. The task's next event takes it over. If there is none, the task having ended, it stays until all places of
 * some other task are taken, and it is more than some seconds old.
 *
 * What somebody can do who makes marks stay behind, by tasks that end: where all four places of a task are marked and
 * no mark is old, one is taken from another task. That task's event is then reported twice if the task is between two
 * programs just now; no event is lost. For that most places would have to be filled every few seconds, by thousands of
 * tasks, each of which the kernel has to have skipped a program of in its last moment. Which tasks share places nobody
 * can know: a number drawn at the start decides.
 */
#ifndef EBPF_CORE_SPARE_H
#define EBPF_CORE_SPARE_H

#include "Slot.h"
#include "Table.h"

#define MARK_BUCKETS 2048 /* a power of two */
#define MARK_SLOTS 4      /* of a task */

struct mark_bucket {
    u64 marks[MARK_SLOTS]; /* 0: free */
};

struct spare_marks_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, MARK_BUCKETS);
    __type(key, u32);
    __type(value, struct mark_bucket);
};

extern struct spare_marks_map spare_marks SEC(".maps");

/* A mark: the thread's id, when it was made, which program of the hook has seen it last, and the hook. */
#define MARK_TID_SHIFT 32
#define MARK_TIME_SHIFT 16
#define MARK_TIME_MASK 0xffff
#define MARK_ORDER_SHIFT 8
#define MARK_ORDER_MASK 0xff
#define MARK_HOOK_MASK 0xff
#define MARK_ORDER_LAST MARK_ORDER_MASK
#define MARK_TIME_UNIT_SHIFT 9 /* of jiffies: half a second to five */
#define MARK_OLD 2

struct mark_slots {
    struct mark_bucket *bucket;
    u32 first; /* of the places of the bucket, to be tried by this task; then the others */
    u32 tid;
};

static __always_inline struct mark_slots mark_slots__of_current(void)
{
    struct mark_slots slots = {.tid = bpf_get_current_pid_tgid()};
    u32 hash = slots.tid * emit_constants.mark_seed >> 40;

    slots.first = hash;
    slots.bucket = table__slot(&spare_marks, MARK_BUCKETS, hash >> 2);
    return slots;
}

static __always_inline u64 *mark_slots__at(const struct mark_slots *slots, u32 n)
{
    return &slots->bucket->marks[(slots->first + n) & (MARK_SLOTS - 1)];
}

static __always_inline bool mark__is_of(u64 mark, const struct mark_slots *slots)
{
    return mark >> MARK_TID_SHIFT == slots->tid;
}

/* Put a mark in the place of another one, or of none. False when somebody else has changed the place meanwhile. */
static __always_inline bool mark__replace(u64 *at, u64 old, u64 mark)
{
    CLAIM_ADD(at, mark - old);
    if (READ_ONCE(*at) == mark)
        return true;
    CLAIM_ADD(at, old - mark);
    return false;
}

static __always_inline bool mark__is_old(u64 mark, u64 now)
{
    return ((now - (mark >> MARK_TIME_SHIFT)) & MARK_TIME_MASK) >= MARK_OLD;
}

/* Whether the last spare of a hook has put it, before it calls the body: no other comes that could take it away. */
static __always_inline bool mark__is_of_last(u64 mark, enum spare_hook hook)
{
    return (mark & MARK_HOOK_MASK) == hook && (mark >> MARK_ORDER_SHIFT & MARK_ORDER_MASK) == MARK_ORDER_LAST;
}

static __always_inline void spare__put_mark(enum spare_hook hook, u32 order)
{
    if (!emit_constants.spares)
        return;
    struct mark_slots slots = mark_slots__of_current();

    if (!slots.bucket)
        return;
    u64 now = bpf_jiffies64() >> MARK_TIME_UNIT_SHIFT & MARK_TIME_MASK;
    u64 mark = (u64)slots.tid << MARK_TID_SHIFT | now << MARK_TIME_SHIFT | (u64)order << MARK_ORDER_SHIFT | hook;

    /* first one that is free or the task's own, then one that is old, then any */
#pragma clang loop unroll(disable)
    for (u32 n = 0; n <= 2 * MARK_SLOTS; n++) {
        u64 *at = mark_slots__at(&slots, n), old = READ_ONCE(*at);
        bool will_do = n < MARK_SLOTS       ? !old || mark__is_of(old, &slots)
                       : n < 2 * MARK_SLOTS ? mark__is_old(old, now)
                                            : true;

        if (will_do && mark__is_of(old, &slots) && mark__is_of_last(old, hook))
            mark = 0;
        if (will_do && mark__replace(at, old, mark))
            return;
    }
}

/*
 * Leave the mark of an event of a hook, by which the spares know that it is made. To be said in a body before it leaves
 * anything out that its spares do not leave out as well. None stays when the last spare has called the body: nobody
 * would take it away, and it would be taken for that of the next event.
 */
static __always_inline void spare__mark(enum spare_hook hook)
{
    spare__put_mark(hook, 0);
}

/*
 * Whether a program before the n-th of `count` spares has left a mark. Notes in it that this one has seen it, or takes
 * it away when no other comes. A mark that this or a later spare has seen is one of an event before, whose last spare
 * was skipped.
 */
static __always_inline bool spare__is_marked(enum spare_hook hook, u32 n, u32 count)
{
    struct mark_slots slots = mark_slots__of_current();

    if (!slots.bucket)
        return true;
#pragma clang loop unroll(disable)
    for (u32 i = 0; i < MARK_SLOTS; i++) {
        u64 *at = mark_slots__at(&slots, i), mark = READ_ONCE(*at);
        u64 order = mark >> MARK_ORDER_SHIFT & MARK_ORDER_MASK;

        if (!mark__is_of(mark, &slots))
            continue;
        if ((mark & MARK_HOOK_MASK) != hook || order >= n)
            return false;
        CLAIM_ADD(at, n == count ? -mark : (n - order) << MARK_ORDER_SHIFT);
        return true;
    }
    return false;
}

/* An event is made by another program than the main one. */
static __always_inline void spare__count_rescued(enum spare_hook hook)
{
    struct cpu_counters *c = counters__get();

    if (c)
        COUNT(c->rescued[hook]);
}

/* Of one program, the body of a hook; the library puts it there. */
struct spare_body_map {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(u32));
    __uint(value_size, sizeof(u32));
};

/*
 * To be said in a body: a tail call, which is never made. Since 6.13 (a76ab5731e32) a program that its guard lets run
 * once a CPU has its stack in memory of the CPU, unless it contains a tail call. But a body that is called as a tail is
 * not guarded, so two tasks would share that stack.
 */
#define SPARE_BODY(ctx, body)                                                                                          \
    do {                                                                                                               \
        if (emit_constants.spares == SPARES_NEVER)                                                                     \
            bpf_tail_call(ctx, &body, 0);                                                                              \
    } while (0)

/* The n-th of `count` spares makes the event. */
static __always_inline void spare__rescue(void *ctx, void *body, enum spare_hook hook, u32 n, u32 count)
{
    spare__count_rescued(hook);
    if (n == count)
        spare__put_mark(hook, MARK_ORDER_LAST);
    bpf_tail_call(ctx, body, 0);
}

/* All that the n-th of `count` spares does. */
static __always_inline int spare__run(void *ctx, void *body, enum spare_hook hook, u32 n, u32 count)
{
    if (!emit_constants.spares || spare__is_marked(hook, n, count))
        return 0;
    spare__rescue(ctx, body, hook, n, count);
    return 0;
}

/* Two spares of a trampoline's program that begins with SPARE_BEGIN: each of its runs leaves a mark. */
#define SPARE_PROGRAM(section, name, n, body, hook)                                                                    \
    SEC(section) int BPF_PROG(name##_spare##n)                                                                         \
    {                                                                                                                  \
        return spare__run(ctx, &body, hook, n, 2);                                                                     \
    }

#define SPARES(section, name, body, hook)                                                                              \
    struct spare_body_map body SEC(".maps");                                                                           \
                                                                                                                       \
    SPARE_PROGRAM(section, name, 1, body, hook)                                                                        \
    SPARE_PROGRAM(section, name, 2, body, hook)

#define SPARE_BEGIN(ctx, body, hook)                                                                                   \
    do {                                                                                                               \
        SPARE_BODY(ctx, body);                                                                                         \
        spare__mark(hook);                                                                                             \
    } while (0)

#endif
