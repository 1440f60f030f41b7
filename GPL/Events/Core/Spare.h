/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Spare.h - several programs on one hook that do the same work, for kernels that preempt BPF programs. Where the kernel
 * has kprobes, what a kprobe can see (Kprobe.h) needs no spares.
 *
 * The kernel skips a program that is already running on the CPU (recursion_misses), and a preempted program counts as
 * running. With preempt=full or lazy every event of other tasks on that CPU would be lost until the preempted one
 * continues. The guard is by program, so a hook has several programs. They run one after the other in the task whose
 * event it is. The first one, the main program, makes the event and leaves a mark. The others, its spares, are stubs: a
 * spare that finds no mark makes a tail call to the main program's body, which has no guard of its own. LSM programs
 * have no guard at all since 6.2; where they can be used there are no spares.
 *
 * An event is lost only if all programs of its hook are busy on the CPU. The number of such losses is at most
 *   - the skips of the main program, less the events that spares have rescued, and
 *   - the skips of the last spare, which is never busy for long.
 *
 * The first bound is exact where each run leaves a mark. The second holds where runs that make no event leave none.
 *
 * A mark belongs to a task, and names the hook of the task's newest event. It exists from the first program of an event
 * to the last, which takes it away: for a microsecond, as a rule. No other event of the task comes between, because the
 * programs of a hook run directly one after the other. All marks are in a table of some thousand slots. A slot is free
 * unless its task is between two programs at that moment. A task has a few slots, which follow from its id, and takes
 * the first that is free.
 *
 * A slot changes by additions only, so it holds the sum of its marks, and two tasks that take it at once both see that:
 * each takes its own mark away again and tries the next slot. If the kernel skips the last program, the mark stays
 * behind. The task's next event reuses it. If the task has ended, the mark stays until a task finds all its slots
 * taken, and the mark is some seconds old.
 *
 * An attacker can leave marks behind, with tasks that end. If all four slots of a task hold marks and none is old, the
 * task replaces the mark of another task. If that one is between two programs just then, its event is reported twice;
 * no event is lost. For that most slots would have to be filled every few seconds, by thousands of tasks, in the last
 * moment of each of which the kernel has to skip a program. Nobody can know which tasks share slots: a random number
 * that is drawn at the start decides.
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

/* A mark: thread id, time, the last program of the hook that has seen it, and the hook. */
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
    u32 first; /* slot of the bucket that this task tries first; then the others */
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

/* Replace a mark, or none, by another one. Returns false if somebody else has changed the slot meanwhile. */
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

/*
 * Return whether the last spare of a hook left the mark before its call of the body. No later program could take it
 * away.
 */
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

    /* first try for a free slot or one of the task's own, then for an old one, then take any */
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
 * Leave the mark of an event, which shows the spares that it is made. A body calls this before it leaves out anything
 * that its spares do not leave out too. If the last spare has called the body no mark stays, because no program would
 * take it away, and it would be taken for that of the next event.
 */
static __always_inline void spare__mark(enum spare_hook hook)
{
    spare__put_mark(hook, 0);
}

/*
 * Return whether a program before the n-th of `count` spares has left a mark. Notes in the mark that this spare has
 * seen it; the last spare removes it. A mark that this or a later spare has already seen belongs to an earlier event,
 * whose last spare was skipped.
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

/* Count an event that is made by another program than the main one. */
static __always_inline void spare__count_rescued(enum spare_hook hook)
{
    struct cpu_counters *c = counters__get();

    if (c)
        COUNT(c->rescued[hook]);
}

/* Holds one program, the body of a hook, which the library puts there. */
struct spare_body_map {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(u32));
    __uint(value_size, sizeof(u32));
};

/*
 * To be used in each body: a tail call that is never made. Since 6.13 (a76ab5731e32) a program that runs only once a
 * CPU at a time has its stack in memory of the CPU, unless it contains a tail call. But a body that is reached by a
 * tail call is not guarded, so two tasks would share that stack.
 */
#define SPARE_BODY(ctx, body)                                                                                          \
    do {                                                                                                               \
        if (emit_constants.spares == SPARES_NEVER)                                                                     \
            bpf_tail_call(ctx, &body, 0);                                                                              \
    } while (0)

/* Make the event in the n-th of `count` spares. */
static __always_inline void spare__rescue(void *ctx, void *body, enum spare_hook hook, u32 n, u32 count)
{
    spare__count_rescued(hook);
    if (n == count)
        spare__put_mark(hook, MARK_ORDER_LAST);
    bpf_tail_call(ctx, body, 0);
}

/* Run the n-th of `count` spares. */
static __always_inline int spare__run(void *ctx, void *body, enum spare_hook hook, u32 n, u32 count)
{
    if (!emit_constants.spares || spare__is_marked(hook, n, count))
        return 0;
    spare__rescue(ctx, body, hook, n, count);
    return 0;
}

/* Define two spares of a trampoline's program that begins with SPARE_BEGIN: each of its runs leaves a mark. */
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
