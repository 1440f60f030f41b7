/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Spare.h - several programs on one hook that do one thing, for kernels that preempt BPF programs.
 *
 * The kernel skips a program that is already running on the CPU (recursion_misses), and one that was preempted counts
 * as running: with preempt=full or lazy, every other task's event on that CPU would be lost until the first one goes
 * on. The guard is by program, so a hook has several. They run one after the other in the same task; the first that is
 * not skipped makes the event and leaves a mark with the task, by which the others know. Only one of them, the main
 * program, has a body. The others, its spares, are stubs that look at the mark, and then call the body as a tail, which
 * has no guard of its own. LSM programs have no guard at all since 6.2; where they can be used nothing is spare.
 *
 * An event is lost only when all programs are busy on the CPU. How often that was is at most
 *   - as often as the one that is run first was skipped, less what the others have rescued, and
 *   - as often as the one that is run last was skipped, which is busy for a moment only.
 * The first bound is exact where each run leaves a mark, the second holds where runs that make no event leave none.
 *
 * Copies are run in a known order: on a tracepoint as they were attached, on a trampoline the last one first. So one
 * that is run after itself or after a later one is run for another event.
 */
#ifndef EBPF_CORE_SPARE_H
#define EBPF_CORE_SPARE_H

#include "State.h"

/* Whether a program with this place in the order comes after another one for the same event. Leaves its own mark. */
static __always_inline bool spare__is_marked(struct task_state *state, enum mark mark, u64 object, u32 place)
{
    u64 now = object << 2 | place, last = state->marks[mark];

    state->marks[mark] = now;
    return last >> 2 == now >> 2 && (last & 3) < place;
}

/* An event is made by another program than the one that is run first. */
static __always_inline void spare__count_rescued(enum spare_hook hook, u32 place)
{
    struct cpu_counters *c = place ? counters__get() : NULL;

    if (c)
        COUNT(c->rescued[hook]);
}

/*
 * For the main program of a hook, which has the place `place` in the order: whether another one has made this event,
 * which is about `object`. Programs of other hooks that are run between those of this one must leave other marks. When
 * no mark can be left, for want of memory, only the main program makes events.
 */
static __always_inline bool spare__is_done(enum mark mark, enum spare_hook hook, u64 object, u32 place)
{
    if (!emit_constants.spares)
        return false;
    struct task_state *state = task_state__get();

    if (!state)
        return false;
    if (state->handed_over == hook + 1) {
        state->handed_over = 0;
        return false;
    }
    if (spare__is_marked(state, mark, object, place))
        return true;
    spare__count_rescued(hook, place);
    return false;
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

/* All that a spare does. */
static __always_inline int spare__run(void *ctx, void *body, enum mark mark, enum spare_hook hook, u64 object,
                                      u32 place)
{
    struct task_state *state = emit_constants.spares ? task_state__get() : NULL;

    if (!state || spare__is_marked(state, mark, object, place))
        return 0;
    spare__count_rescued(hook, place);
    state->handed_over = hook + 1; /* the body may return before it looks: then it stands for no other hook */
    bpf_tail_call(ctx, body, 0);
    state->handed_over = 0;
    return 0;
}

/* Two spares of a trampoline's program that begins with SPARE_BEGIN: each of its runs leaves a mark. */
#define SPARE_PROGRAM(section, name, n, body, mark, hook, place)                                                       \
    SEC(section) int BPF_PROG(name##_spare##n)                                                                         \
    {                                                                                                                  \
        return spare__run(ctx, &body, mark, hook, hook, place);                                                        \
    }

#define SPARES(section, name, body, mark, hook)                                                                        \
    struct spare_body_map body SEC(".maps");                                                                           \
                                                                                                                       \
    SPARE_PROGRAM(section, name, 1, body, mark, hook, 1)                                                               \
    SPARE_PROGRAM(section, name, 2, body, mark, hook, 0)

/* Leave the program when another one of the hook has made the event. */
#define SPARE_BEGIN(ctx, body, mark, hook)                                                                             \
    do {                                                                                                               \
        SPARE_BODY(ctx, body);                                                                                         \
        if (spare__is_done(mark, hook, hook, 2))                                                                       \
            return 0;                                                                                                  \
    } while (0)

#endif
