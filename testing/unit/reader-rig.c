// SPDX-License-Identifier: BSD-2-Clause
/* reader-rig.c - see reader-rig.h. */
#include "reader-rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STREAMS 4

struct memory_ring memory[EBPF_RING_COUNT];
struct ebpf_counts counts;
struct ebpf_backend backend;
struct ebpf_reader reader;

struct rig_event seen[SEEN_MAX];
int seen_count, refuse_from, losses_count;
bool refuse_losses;
struct loss losses[512];
int counts_count; /* how often the counts were read */

static void memory__counts(struct ebpf_backend *b, struct ebpf_counts *ret_counts)
{
    (void)b;
    *ret_counts = counts;
    counts_count++;
}

static void memory__end(struct ebpf_backend *b)
{
    (void)b;
}

struct ebpf_process others[EBPF_OTHERS_MAX];
size_t other_count;

static size_t memory__others(struct ebpf_backend *b, struct ebpf_process ret_others[EBPF_OTHERS_MAX])
{
    (void)b;
    memcpy(ret_others, others, other_count * sizeof(*others));
    return other_count;
}

uint64_t over_budget_lost; /* 0: no process exceeds a budget */
static bool memory__over_budget(struct ebpf_backend *b, struct ebpf_over_budget *ret_over)
{
    (void)b;
    *ret_over = (struct ebpf_over_budget){.uid = 1000, .lost = over_budget_lost};
    over_budget_lost = 0;
    return ret_over->lost;
}

int pump_rounds;
static int pump_records;
static uint64_t pumped;

static bool memory__pump(struct ebpf_backend *b)
{
    (void)b;
    if (!pump_rounds)
        return false;
    pump_rounds--;
    for (int i = 0; i < pump_records; i++, pumped++)
        put(EBPF_RING_MAIN, pumped + 1, 0, pumped + 1);
    return true;
}

static struct ebpf_backend_ops memory_ops = {.counts = memory__counts,
                                             .stop = memory__end,
                                             .others = memory__others,
                                             .over_budget = memory__over_budget,
                                             .close = memory__end};

static int on_event(void *user, const struct ebpf_event *event)
{
    (void)user;
    if (refuse_from && seen_count >= refuse_from)
        return -ENOSPC;
    seen[seen_count].seq = event->seq;
    seen[seen_count].ts = event->hdr->ts_boot_ns;
    seen[seen_count].time = event->time_ns;
    seen[seen_count++].type = event->hdr->type;
    return 0;
}

static int on_loss(void *user, const struct ebpf_loss *loss)
{
    (void)user;
    if (refuse_losses)
        return -ENOSPC;
    losses[losses_count++] = *loss__of(loss);
    return 0;
}

void rig__begin(const struct ebpf_source_opts *user_opts)
{
    struct ebpf_source_opts opts = *user_opts;

    opts.sz = sizeof(opts);
    opts.handler = on_event;
    opts.loss_handler = on_loss;
    ebpf_reader__fini(&reader);
    memset(memory, 0, sizeof(memory));
    memset(&counts, 0, sizeof(counts));
    seen_count = losses_count = refuse_from = 0;
    memory_ops.pump = NULL;
    backend.ops = &memory_ops;
    for (int i = 0; i < EBPF_RING_COUNT; i++)
        backend.rings[i] =
            (struct ebpf_ringbuf){&memory[i].consumer, &memory[i].producer, memory[i].data, RING_SIZE - 1};
    if (ebpf_reader__init(&reader, &backend, &opts, STREAMS))
        abort();
}

void rig__pump(int rounds, int records)
{
    memory_ops.pump = memory__pump;
    pump_rounds = rounds;
    pump_records = records;
    pumped = 0;
}

void ring__put(struct memory_ring *ring, const void *data, uint32_t len, uint32_t flags)
{
    uint32_t head[2] = {len | flags, 0};
    uint64_t pos = ring->producer;

    for (uint32_t i = 0; i < 8 + len; i++) {
        uint8_t byte = i < 8 ? ((uint8_t *)head)[i] : ((const uint8_t *)data)[i - 8];

        ring->data[(pos + i) % RING_SIZE] = byte;
        ring->data[(pos + i) % RING_SIZE + RING_SIZE] = byte;
    }
    ring->producer = pos + 8 + ((len + 7) & ~7u);
}

struct ebpf_process_setsid_event make(uint64_t ts, uint32_t stream, uint64_t stream_seq)
{
    struct ebpf_process_setsid_event e = {
        .hdr = {.ts_boot_ns = ts,
                .stream = stream,
                .stream_seq = stream_seq,
                .size = sizeof(e),
                .type = EBPF_EVENT_PROCESS_SETSID},
    };

    return e;
}

void put(int ring, uint64_t ts, uint32_t stream, uint64_t stream_seq)
{
    struct ebpf_process_setsid_event e = make(ts, stream, stream_seq);

    ring__put(&memory[ring], &e, sizeof(e), 0);
}
