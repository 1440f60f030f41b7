/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reader.c - see Reader.h.
 *
 * Order. Each ring holds its records in the order in which they were made. Between rings the older record goes first,
 * and a ring that was empty is read again before a record of the other one is taken: if a process made a record in
 * each, the earlier one was in its ring before the later one was in the other. So the events of a process are always in
 * order.
 *
 * Numbers. Every event that is delivered gets the next number; losses get a range of their own when they are noticed,
 * so a hole in the numbers is always a loss that was reported. Losses are noticed from the probes' counters, at the
 * latest after LOSS_CHECK_NS, and at once if the numbers of a stream have a hole.
 */
#include "Reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "Record.h"

#define NS_PER_S UINT64_C(1000000000)
#define LOSS_CHECK_NS (NS_PER_S / 4)
#define OVER_BUDGET_NS NS_PER_S /* between two records about that */
#define CONSUME_MAX 65536       /* records in one call, which has to return under load, too */

/* The kernel's header of a record in a ring: length with two flags, page offset; records are aligned to 8. */
#define RING_HEADER_SIZE 8
#define RING_BUSY (1u << 31)
#define RING_DISCARDED (1u << 30)

static uint64_t clock__ns(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void reader__deliver(void *user, const struct ebpf_event_header *hdr, uint32_t size, uint64_t count);

int ebpf_reader__init(struct ebpf_reader *reader, struct ebpf_backend *backend, const struct ebpf_source_opts *opts,
                      uint32_t streams)
{
    memset(reader, 0, sizeof(*reader));
    reader->backend = backend;
    reader->handler = opts->handler;
    reader->handler_user = opts->user;
    reader->loss_handler = opts->loss_handler;
    reader->over_budget_handler = opts->budget && backend->ops->over_budget ? opts->over_budget_handler : NULL;
    reader->is_wanted = opts->is_wanted;
    reader->user = opts->user;
    reader->streams = streams;
    reader->stream_seqs = calloc((size_t)streams * EBPF_RING_COUNT, sizeof(*reader->stream_seqs));
    if (!reader->stream_seqs)
        return -ENOMEM;
    return opts->coalesce_ms ? ebpf_coalesce__new(opts->coalesce_ms, reader__deliver, reader, &reader->coalesce) : 0;
}

void ebpf_reader__fini(struct ebpf_reader *reader)
{
    free(reader->stream_seqs);
    reader->stream_seqs = NULL;
    ebpf_coalesce__free(reader->coalesce);
    reader->coalesce = NULL;
}

static uint64_t ring__record_span(uint32_t len)
{
    return RING_HEADER_SIZE + (((uint64_t)len + 7) & ~UINT64_C(7));
}

/* Return the oldest record of a ring; NULL if there is none, or if its writer has not finished (`*ret_busy`). */
static inline __attribute__((always_inline)) const void *ring__peek(struct ebpf_ringbuf *ring, uint32_t *ret_len,
                                                                    bool *ret_busy)
{
    *ret_busy = false;
    for (;;) {
        uint64_t pos = *ring->consumer_pos;

        if (pos >= __atomic_load_n(ring->producer_pos, __ATOMIC_ACQUIRE))
            return NULL;
        const uint8_t *head = ring->data + (pos & ring->mask);
        uint32_t len = __atomic_load_n((const uint32_t *)head, __ATOMIC_ACQUIRE);

        if (len & RING_BUSY) {
            *ret_busy = true;
            return NULL;
        }
        if (!(len & RING_DISCARDED)) {
            *ret_len = len;
            return head + RING_HEADER_SIZE;
        }
        __atomic_store_n(ring->consumer_pos, pos + ring__record_span(len & ~RING_DISCARDED), __ATOMIC_RELEASE);
    }
}

static void ring__advance(struct ebpf_ringbuf *ring, uint32_t len)
{
    __atomic_store_n(ring->consumer_pos, *ring->consumer_pos + ring__record_span(len), __ATOMIC_RELEASE);
}

static uint64_t record__time(const void *data, uint32_t len)
{
    return len < sizeof(struct ebpf_event_header) ? 0 : ((const struct ebpf_event_header *)data)->ts_boot_ns;
}

/*
 * Return whether a record goes before another one: the older one does, of two equally old ones that of the lower ring.
 */
static bool record__is_due_before(const void *data, uint32_t len, int ring, const void *than, uint32_t than_len)
{
    uint64_t time = record__time(data, len), than_time = record__time(than, than_len);

    return time < than_time || (time == than_time && !ring);
}

_Static_assert(EBPF_RING_COUNT == 2, "reader__pick knows of two rings");

/*
 * Pick the ring whose oldest record is due next; -1 if none is. A record that is being written may hide older ones than
 * the other ring's, so nothing is due until it is finished. The ring that had the last record is read first, and again
 * if it was empty and the other one is not.
 */
static int reader__pick(struct ebpf_reader *reader, const void **ret_data, uint32_t *ret_len)
{
    int first = reader->last_ring, other = !first;
    uint32_t len = 0, other_len = 0;
    bool busy, other_busy;
    const void *data = ring__peek(&reader->backend->rings[first], &len, &busy);
    const void *other_data = ring__peek(&reader->backend->rings[other], &other_len, &other_busy);

    if (!data && other_data && !busy)
        data = ring__peek(&reader->backend->rings[first], &len, &busy);
    if (busy || other_busy || (!data && !other_data))
        return -1;
    if (!data || (other_data && record__is_due_before(other_data, other_len, other, data, len))) {
        *ret_data = other_data;
        *ret_len = other_len;
        return reader->last_ring = other;
    }
    *ret_data = data;
    *ret_len = len;
    return first;
}

static uint64_t reader__lost(const struct ebpf_reader *reader, const struct ebpf_counts *counts, int type, int reason)
{
    uint64_t lost = counts->lost[type][reason];

    if (reason == EBPF_REASON_HANDLER)
        lost += reader->refused[type];
    if (reason == EBPF_REASON_UNREADABLE)
        lost += reader->unreadable[type];
    return lost;
}

/*
 * Collect the losses that are to be reported. Returns how many there are. If the kernel has skipped a program, a spare
 * may be making the event just now, so of these losses only the least count of the last checks is certain.
 */
static uint64_t reader__unreported(const struct ebpf_reader *reader, struct ebpf_counts *counts, struct loss *loss)
{
    uint64_t total = 0;

    for (int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
        for (int i = 0; i < EBPF_READER_SETTLE_CHECKS; i++) {
            if (counts->lost[type][EBPF_REASON_RECURSION] > reader->skipped[type][i])
                counts->lost[type][EBPF_REASON_RECURSION] = reader->skipped[type][i];
        }
        for (int reason = 0; reason < EBPF_REASON_COUNT; reason++) {
            uint64_t lost = reader__lost(reader, counts, type, reason);

            if (lost <= reader->reported[type][reason])
                continue;
            loss->counts[type][reason] = lost - reader->reported[type][reason];
            total += loss->counts[type][reason];
        }
    }
    return total;
}

static void reader__report(struct ebpf_reader *reader, struct ebpf_counts *counts)
{
    struct loss loss = {0};
    uint64_t total = reader__unreported(reader, counts, &loss);

    if (!total || reader->is_closed)
        return;
    loss.head = (struct ebpf_loss){
        .first_seq = reader->seq + 1,
        .last_seq = reader->seq + total,
        .time_ns = clock__ns(CLOCK_REALTIME),
        .ts_boot_ns = clock__ns(CLOCK_BOOTTIME),
    };
    if (reader->loss_handler && reader->loss_handler(reader->user, &loss.head))
        return;
    reader->seq = loss.head.last_seq;
    for (int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
        for (int reason = 0; reason < EBPF_REASON_COUNT; reason++)
            reader->reported[type][reason] += loss.counts[type][reason];
    }
}

/* Report the process that exceeds its budget most, behind the loss that it has caused. */
static void reader__report_over_budget(struct ebpf_reader *reader)
{
    struct ebpf_over_budget *over = &reader->over_budget;

    if (!reader->over_budget_handler || reader->is_closed)
        return;
    if (!reader->has_over_budget && reader->backend->ops->over_budget(reader->backend, over)) {
        over->ts_boot_ns = clock__ns(CLOCK_BOOTTIME);
        over->time_ns = clock__ns(CLOCK_REALTIME);
        reader->has_over_budget = true;
    }
    if (!reader->has_over_budget || reader->over_budget_handler(reader->user, over))
        return;
    reader->has_over_budget = false;
    reader->over_budget_reported_ns = clock__ns(CLOCK_MONOTONIC);
}

static void reader__report_certain(struct ebpf_reader *reader)
{
    struct ebpf_counts counts;

    reader->backend->ops->counts(reader->backend, &counts);
    reader__report(reader, &counts);
}

void ebpf_reader__report_losses(struct ebpf_reader *reader)
{
    struct ebpf_counts counts;

    reader->backend->ops->counts(reader->backend, &counts);
    for (int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
        for (int i = 0; i < EBPF_READER_SETTLE_CHECKS; i++)
            reader->skipped[type][i] = counts.lost[type][EBPF_REASON_RECURSION];
    }
    reader__report(reader, &counts);
    reader__report_over_budget(reader);
}

static void reader__check_losses(struct ebpf_reader *reader)
{
    uint64_t check = reader->checks++ % EBPF_READER_SETTLE_CHECKS;
    struct ebpf_counts counts;

    reader->backend->ops->counts(reader->backend, &counts);
    for (int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++)
        reader->skipped[type][check] = counts.lost[type][EBPF_REASON_RECURSION];
    reader->losses_checked_ns = clock__ns(CLOCK_MONOTONIC);
    reader__report(reader, &counts);
    if (reader->losses_checked_ns - reader->over_budget_reported_ns >= OVER_BUDGET_NS)
        reader__report_over_budget(reader);
}

static void reader__look_for_others(struct ebpf_reader *reader)
{
    const struct ebpf_backend_ops *ops = reader->backend->ops;

    reader->other_count = ops->others ? ops->others(reader->backend, reader->others) : 0;
}

/* Return the process that acts, with which every event begins. */
static const struct ebpf_pid_info *event__actor(const struct ebpf_event_header *hdr)
{
    return &((const struct ebpf_process_setsid_event *)hdr)->pids;
}

/*
 * Return whether another process with a source acts. Its exit counts as nobody's: it makes no further event, and others
 * may have caused it.
 */
static bool reader__is_of_others(const struct ebpf_reader *reader, const struct ebpf_event_header *hdr)
{
    const struct ebpf_pid_info *actor = event__actor(hdr);

    if (hdr->type == EBPF_EVENT_PROCESS_EXIT)
        return false;
    for (size_t i = 0; i < reader->other_count; i++) {
        if (actor->tgid == reader->others[i].tgid && actor->start_time_ns == reader->others[i].start_time_ns)
            return true;
    }
    return false;
}

/* Report losses if the numbers of a stream have a hole: what is missing was counted before this record was made. */
static void reader__check_stream(struct ebpf_reader *reader, int ring, const struct ebpf_event_header *hdr)
{
    if (hdr->stream >= reader->streams)
        return;
    uint64_t *last = &reader->stream_seqs[(uint32_t)ring * reader->streams + hdr->stream];

    if (hdr->stream_seq != *last + 1)
        reader__report_certain(reader);
    *last = hdr->stream_seq;
}

/* Deliver a record, which stands for `count` events of its type. */
static void reader__deliver(void *user, const struct ebpf_event_header *hdr, uint32_t size, uint64_t count)
{
    struct ebpf_reader *reader = user;
    struct ebpf_event event = {
        .hdr = hdr,
        .size = size,
        .seq = reader->seq + 1,
        .time_ns = hdr->ts_boot_ns + reader->boot_to_wall_ns,
    };

    if (reader->is_closed)
        return;
    if (reader->handler(reader->handler_user, &event)) {
        reader->refused[hdr->type] += count;
        return;
    }
    reader->seq++;
    reader->accepted[hdr->type] += count;
}

static void reader__handle(struct ebpf_reader *reader, int ring, const void *data, uint32_t len)
{
    const struct ebpf_event_header *hdr = data;

    reader->records++;
    if (ebpf_record__check(data, len)) {
        reader->corrupt++;
        if (len >= sizeof(*hdr) && hdr->type < EBPF_EVENT_TYPE_COUNT)
            reader->unreadable[hdr->type]++;
        return;
    }
    reader__check_stream(reader, ring, hdr);
    if (reader->is_closed)
        return;
    if ((reader->other_count && reader__is_of_others(reader, hdr)) ||
        (reader->net.is_set && net_selection__rejects(&reader->net, hdr)) ||
        (reader->is_wanted && !reader->is_wanted(reader->user, hdr))) {
        reader->filtered[hdr->type]++;
        return;
    }
    if (!reader->coalesce || !ebpf_coalesce__take(reader->coalesce, hdr, len))
        reader__deliver(reader, hdr, len, 1);
}

/* Handle up to `most` records of the rings. Returns how many there were. */
static int reader__drain(struct ebpf_reader *reader, int most)
{
    const void *data = NULL;
    uint32_t len = 0;
    int ring, n;

    for (n = 0; n < most && !reader->is_closed && (ring = reader__pick(reader, &data, &len)) >= 0; n++) {
        reader__handle(reader, ring, data, len);
        ring__advance(&reader->backend->rings[ring], len);
    }
    return n;
}

int ebpf_reader__consume(struct ebpf_reader *reader)
{
    const struct ebpf_backend_ops *ops = reader->backend->ops;
    bool has_put;
    int n = 0;

    bool is_time_to_check = clock__ns(CLOCK_MONOTONIC) - reader->losses_checked_ns >= LOSS_CHECK_NS;

    reader->boot_to_wall_ns = clock__ns(CLOCK_REALTIME) - clock__ns(CLOCK_BOOTTIME);
    if (is_time_to_check)
        reader__look_for_others(reader);
    do {
        has_put = ops->pump && ops->pump(reader->backend);
        n += reader__drain(reader, CONSUME_MAX - n);
    } while (has_put && n < CONSUME_MAX && !reader->is_closed);
    if (reader->coalesce)
        ebpf_coalesce__expire(reader->coalesce, clock__ns(CLOCK_BOOTTIME));
    if (is_time_to_check)
        reader__check_losses(reader);
    return n;
}

void ebpf_reader__stats(const struct ebpf_reader *reader, struct stats *ret_stats)
{
    struct ebpf_counts counts;

    reader->backend->ops->counts(reader->backend, &counts);
    memset(ret_stats, 0, sizeof(*ret_stats));
    ret_stats->head = (struct ebpf_stats){.records = reader->records, .corrupt = reader->corrupt};
    for (int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
        struct type_counts *t = &ret_stats->types[type];

        t->seen = counts.seen[type];
        t->filtered = counts.filtered[type] + reader->filtered[type];
        t->delivered = reader->accepted[type];
        for (int reason = 0; reason < EBPF_REASON_COUNT; reason++)
            t->lost[reason] = reader__lost(reader, &counts, type, reason);
    }
}

int ebpf_reader__drop(struct ebpf_reader *reader, unsigned int type, uint64_t events)
{
    if (type >= EBPF_EVENT_TYPE_COUNT || reader->accepted[type] < events)
        return -EINVAL;
    reader->accepted[type] -= events;
    reader->refused[type] += events;
    reader->reported[type][EBPF_REASON_HANDLER] += events;
    return 0;
}

void ebpf_reader__flush(struct ebpf_reader *reader)
{
    if (reader->coalesce)
        ebpf_coalesce__expire(reader->coalesce, UINT64_MAX);
}
