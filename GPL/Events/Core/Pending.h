/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pending.h - records of operations that are under way.
 *
 * What an operation removes or moves must be looked at before it, and whether it succeeds is known after it. So the
 * record is begun where the kernel is about to do it, kept in a slot, and submitted or dropped where it has been done.
 * In between the task may sleep and others run, so the slots are not those of Emit.h, which are held for a moment only.
 *
 * A task finds its slot again by its id: it takes the first free one of a few places that follow from the id, and looks
 * in the same places later. An operation that has none is counted as lost. The end of an operation can be missed (the
 * kernel skips a program that is already running on the CPU), which leaves a slot taken: its task takes it over when it
 * comes again, another one when it is old and nothing else is free.
 *
 * File systems on top of others call the same functions for what is below, in the same task: the object tells those
 * apart.
 */
#ifndef EBPF_CORE_PENDING_H
#define EBPF_CORE_PENDING_H

#include "Emit.h"
#include "Select.h"

#define PENDING_STALE 30000LL           /* jiffies: 30 seconds, or 120 where the clock ticks 250 times a second */
#define PENDING_IS_FILTERED 0x80000000u /* of pending_op.type: there is no record */

static __always_inline struct scratch *pending__place(u64 owner, u32 n, u32 *ret_slot)
{
    u32 slot = ((((u32)owner * 0x9e3779b1u) >> 16) + n) & (PENDING_SLOTS - 1);

    *ret_slot = slot;
    return bpf_map_lookup_elem(&pending, &slot);
}

/* Take over a slot whose owner never came back. */
static __always_inline bool pending__steal(struct scratch *s)
{
    u64 now = bpf_jiffies64();
    bool stolen = false;

    if (!*(volatile u64 *)&s->op.owner || (s64)(now - s->op.since) < PENDING_STALE)
        return false;
    CLAIM_ADD(&s->op.steals, 1);
    if (*(volatile u32 *)&s->op.steals == 1 && (s64)(now - *(volatile u64 *)&s->op.since) >= PENDING_STALE) {
        u32 type = s->op.type & (EMIT_TYPES_MAX - 1);

        if (s->op.type & PENDING_IS_FILTERED)
            count__seen_and_filtered(type);
        else
            count__seen_and_lost(type, EBPF_REASON_STATE);
        s->op.since = now;
        stolen = true;
    }
    CLAIM_ADD(&s->op.steals, -1);
    return stolen;
}

static __always_inline struct scratch *pending__take(struct scratch *s, u32 slot, u64 owner)
{
    *(volatile u64 *)&s->op.since = bpf_jiffies64(); /* before it has an owner, lest it look old */
    *(volatile u64 *)&s->op.owner = owner;
    s->slot = slot | SLOT_PENDING;
    return s;
}

/* A slot for an operation of the current task, or NULL when there is none. */
static __always_inline struct scratch *pending__claim(void)
{
    u64 owner = bpf_get_current_pid_tgid();
    struct scratch *s;
    u32 slot;

    for (u32 n = 0; n < PENDING_TRIES; n++) {
        s = pending__place(owner, n, &slot);
        if (!s)
            continue;
        if (*(volatile u64 *)&s->op.owner == owner)
            return pending__take(s, slot, owner); /* its own, left over */
        CLAIM_ADD(&s->claims, 1);
        if (*(volatile u64 *)&s->claims == 1)
            return pending__take(s, slot, owner);
        scratch__release(s);
    }
    s = pending__place(owner, 0, &slot);
    return s && pending__steal(s) ? pending__take(s, slot, owner) : NULL;
}

/*
 * Begin the record of an operation on `object` that is about to happen. NULL when it is not to be made: then an event
 * that could not be kept has been counted.
 */
static __always_inline struct scratch *pending__begin(enum ebpf_event_type type, u32 size, const void *object)
{
    if (!emit_runtime.live)
        return NULL;
    struct scratch *s = pending__claim();

    if (!s) {
        count__seen_and_lost(type, EBPF_REASON_NO_SCRATCH);
        return NULL;
    }
    s->op.object = scalar__of(s, object);
    s->op.type = type;
    if (current__is_filtered()) { /* to be counted if it is done */
        s->op.type = type | PENDING_IS_FILTERED;
        return NULL;
    }
    record__begin(s, type, size);
    return s;
}

#define PENDING_BEGIN(NAME, name, object) pending__begin(EBPF_EVENT_##NAME, sizeof(struct ebpf_##name##_event), object)

static __always_inline struct scratch *pending__find(const void *object)
{
    u64 owner = bpf_get_current_pid_tgid();

    for (u32 n = 0; n < PENDING_TRIES; n++) {
        u32 slot;
        struct scratch *s = pending__place(owner, n, &slot);

        if (s && *(volatile u64 *)&s->op.owner == owner && s->op.object == scalar__of(s, object))
            return s;
    }
    return NULL;
}

static __always_inline void pending__release(struct scratch *s)
{
    s->op.owner = 0;
    scratch__release(s);
}

/*
 * The current task's operation on `object` has come to its end. Its record, to be completed and submitted, or NULL when
 * there is none: it is nobody's, has failed, or is filtered, and is done with.
 */
static __always_inline struct scratch *pending__done(enum ebpf_event_type type, const void *object, bool has_failed)
{
    struct scratch *s = pending__find(object);

    if (!s || (s->op.type & ~PENDING_IS_FILTERED) != type)
        return NULL;
    if (!has_failed && !(s->op.type & PENDING_IS_FILTERED))
        return s;
    if (!has_failed && emit_runtime.live)
        count__seen_and_filtered(type);
    pending__release(s);
    return NULL;
}

/* The record is complete. */
static __always_inline void pending__submit(struct scratch *s, enum ebpf_event_type type, enum ebpf_ring ring)
{
    struct ebpf_event_header *hdr = (void *)s->data;

    s->op.owner = 0;
    if (!emit_runtime.live) {
        scratch__release(s);
        return;
    }
    if (paths__are_rejected(s)) {
        count__seen_and_filtered(type);
        scratch__release(s);
        return;
    }
    count__seen(type);
    hdr->ts_boot_ns = bpf_ktime_get_boot_ns();
    emit__submit(s, type, ring, SCRATCH_PATHS);
}

#define PENDING_SUBMIT(s, NAME) pending__submit(s, EBPF_EVENT_##NAME, EMIT_RING_##NAME)

#endif
