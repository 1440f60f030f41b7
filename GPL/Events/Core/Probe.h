/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Probe.h - the one include of a probe, with everything that a record is made with. EMIT is a block that fills a record
 * in a slot (Slot.h) and submits it at its end.
 *
 * For each event type, at any time: seen = delivered + filtered + lost. emit__begin counts an event as seen; after that
 * exactly one of the three others is counted.
 */
#ifndef EBPF_CORE_PROBE_H
#define EBPF_CORE_PROBE_H

#include "Budget.h"
#include "Cgroup.h"
#include "CompatFs.h"
#include "CompatNet.h"
#include "Kprobe.h"
#include "Path.h"
#include "Pending.h"
#include "Ring.h"
#include "Select.h"
#include "Slot.h"
#include "Spare.h"
#include "Syscall.h"
#include "Table.h"
#include "Task.h"

/* Count an event that is not made. */
static __always_inline void count__unmade(enum ebpf_event_type type, enum fate fate)
{
    struct cpu_counters *c = counters__get();

    if (!c)
        return;
    COUNT(c->seen[type]);
    if (emit_constants.budget && fate == FATE_OVER_BUDGET)
        COUNT(c->lost[EBPF_REASON_BUDGET][type]);
    else
        COUNT(c->filtered[type]);
}

/* Fill in the header but the time. */
static __always_inline void record__begin(struct scratch *s, enum ebpf_event_type type, u32 size)
{
    struct ebpf_event_header *hdr = (void *)s->data;

    hdr->type = type;
    hdr->flags = 0;
    hdr->reserved = 0;
    s->len = size;
    s->path_matches = 0;
}

/*
 * Fill the name and the fixed part behind the header with bytes that no event has, so that a test finds a member that a
 * probe left unfilled. Only in builds for tests: elsewhere this is dead code to the verifier.
 */
static __always_inline void record__poison(struct scratch *s, u32 size)
{
    const u32 from = __builtin_offsetof(struct ebpf_event_header, comm);

    __builtin_memset(s->data + from, EMIT_POISON, size - from);
}

/*
 * Begin a record of `type` whose fixed part has `size` bytes, if its fate is to be made. The fixed part is not cleared:
 * the caller fills every member. Returns NULL, with the event counted, if there is to be no record. `time` is that of
 * the event; 0: now.
 */
static __always_inline struct scratch *emit__begin_at(enum preemption preemption, enum ebpf_event_type type, u32 size,
                                                      enum fate fate, u64 time)
{
    if (!emit_runtime.live)
        return NULL;
    if (fate != FATE_MADE) {
        count__unmade(type, fate);
        return NULL;
    }
    count__seen(type);

    struct scratch *s = scratch__claim(preemption);

    if (!s) {
        count__lost(type, EBPF_REASON_NO_SCRATCH);
        return NULL;
    }
    record__begin(s, type, size);
    ((struct ebpf_event_header *)s->data)->ts_boot_ns = time ?: bpf_ktime_get_boot_ns();
    if (emit_constants.poison)
        record__poison(s, size);
    return s;
}

static __always_inline struct scratch *emit__begin(enum preemption preemption, enum ebpf_event_type type, u32 size,
                                                   enum fate fate)
{
    return emit__begin_at(preemption, type, size, fate, 0);
}

/*
 * Copy the record to its ring, if its user may, count it, and release the slot. `limit` bounds the length for the
 * verifier.
 */
static __always_inline void emit__submit(struct scratch *s, enum ebpf_event_type type, enum ebpf_ring ring, u32 limit)
{
    struct ebpf_event_header *hdr = (void *)s->data;
    struct cpu_counters *c = counters__get();
    void *map = ring == EBPF_RING_BULK ? (void *)&ring_bulk : (void *)&ring_main;
    int flags = emit_constants.wakeup_bytes ? BPF_RB_NO_WAKEUP : 0;
    u32 len = READ_ONCE(s->len);
    long err = -1;

    hdr->stream = s->slot;
    hdr->stream_seq = ++s->stream_seq[ring];
    hdr->size = len;
    if (hdr->stream_seq % 8 == 0 || len > RING_LARGE || READ_ONCE(emit_runtime.ring_is_crowded[ring]))
        flags = ring__look(ring, type, len);
    if (flags >= 0 && len <= limit)
        err = bpf_ringbuf_output(map, s->data, len, flags);
    if (c) {
        if (err)
            COUNT(c->lost[EBPF_REASON_RING_FULL][type]);
        else
            COUNT(c->delivered[type]);
    }
    scratch__release(s);
}

/* For each event of the schema: the type of its record, and the function that ends the block of EMIT. */
// clang-format off
#define EVENT(id, NAME, name, option, ring, doc)                                                                       \
    typedef struct ebpf_##name##_event emit_record_##NAME;                                                             \
    static __always_inline void emit__end_##NAME(struct scratch **s)                                                   \
    {                                                                                                                  \
        if (*s)                                                                                                        \
            emit__submit(*s, EBPF_EVENT_##NAME, EBPF_RING_##ring, SCRATCH_DATA);                                       \
    }
// clang-format on
#include "../Events.def"

/*
 * Make a record in the block that follows. `e` is its fixed part, whose members behind the header the block has to
 * fill; `s` is its slot, to which variable fields are appended. If `begin` gives no slot the block is skipped; the
 * event has been counted then. Every way out of the block, even a return, ends in `end`, which submits the record.
 */
#define EMIT_RECORD(NAME, e, s, begin, end)                                                                            \
    for (struct scratch * s __attribute__((cleanup(end))) = (begin), *once_##s = s; once_##s; once_##s = NULL)         \
        for (emit_record_##NAME *e = (void *)s->data; e; e = NULL)

#define EMIT_BEGIN_AT(NAME, preemption, fate, time)                                                                    \
    emit__begin_at(preemption, EBPF_EVENT_##NAME, sizeof(emit_record_##NAME), fate, time)
#define EMIT_BEGIN(NAME, preemption, fate) EMIT_BEGIN_AT(NAME, preemption, fate, 0)

#define EMIT_AT(NAME, e, s, preemption, fate, time)                                                                    \
    EMIT_RECORD(NAME, e, s, EMIT_BEGIN_AT(NAME, preemption, fate, time), emit__end_##NAME)
#define EMIT(NAME, e, s, preemption, fate) EMIT_AT(NAME, e, s, preemption, fate, 0)

/* EMIT if the event is selected, for programs that serve several events. */
#define EMIT_WANTED_AT(NAME, e, s, fate, time)                                                                         \
    EMIT_RECORD(NAME, e, s,                                                                                            \
                event__is_wanted(EBPF_EVENT_##NAME) ? EMIT_BEGIN_AT(NAME, MAY_BE_PREEMPTED, fate, time) : NULL,        \
                emit__end_##NAME)
#define EMIT_WANTED(NAME, e, s, fate) EMIT_WANTED_AT(NAME, e, s, fate, 0)

#endif
