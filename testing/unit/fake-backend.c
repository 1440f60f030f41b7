// SPDX-License-Identifier: BSD-2-Clause
/* fake-backend.c - replaces the backend that loads probes: rings with the records of a test, no counts. */
#include "fake-backend.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct ebpf_source_opts fake_opts;
int fake_error;
int fake_stopped;
uint64_t fake_lost;
struct ebpf_backend *fake_backend;
bool (*fake_pump)(struct ebpf_backend *backend);
uint64_t fake_period_ns;

#define RING_SIZE 4096
#define RING_DISCARDED (1u << 30)

static uint64_t consumer_pos[EBPF_RING_COUNT], producer_pos[EBPF_RING_COUNT];
static _Alignas(8) uint8_t data[EBPF_RING_COUNT][RING_SIZE];

/* Write the head of a record of that length; return the position after it. */
static uint8_t *ring__begin_record(uint32_t len, uint32_t flags)
{
    uint8_t *at = data[0] + producer_pos[0] % RING_SIZE;
    const uint32_t head[2] = {len | flags, 0};

    memcpy(at, head, sizeof(head));
    producer_pos[0] += (sizeof(head) + len + 7) / 8 * 8;
    return at + sizeof(head);
}

void fake__put(const void *record, uint32_t size)
{
    const uint32_t span = (8 + size + 7) / 8 * 8, left = RING_SIZE - (uint32_t)(producer_pos[0] % RING_SIZE);

    if (producer_pos[0] - consumer_pos[0] + (left < span ? left : 0) + span > RING_SIZE)
        abort();
    if (left < span)
        ring__begin_record(left - 8, RING_DISCARDED); /* a part beyond the end wraps to the beginning */
    memcpy(ring__begin_record(size, 0), record, size);
}

void fake__put_setsid(uint64_t number)
{
    const struct ebpf_process_setsid_event event = {
        .hdr = {.type = EBPF_EVENT_PROCESS_SETSID, .size = sizeof(event), .stream_seq = number, .ts_boot_ns = number},
        .pids.tgid = (uint32_t)number,
    };

    fake__put(&event, sizeof(event));
}

static void fake__counts(struct ebpf_backend *backend, struct ebpf_counts *ret_counts)
{
    (void)backend;
    memset(ret_counts, 0, sizeof(*ret_counts));
    ret_counts->lost[EBPF_EVENT_PROCESS_SETSID][EBPF_REASON_RING_FULL] = fake_lost;
}

static void fake__stop(struct ebpf_backend *backend)
{
    (void)backend;
    fake_stopped++;
}

static void fake__close(struct ebpf_backend *backend)
{
    for (int i = 0; i < EBPF_RING_COUNT; i++)
        close(backend->ring_fds[i]);
    free(backend);
}

static int fake__select(struct ebpf_backend *backend, const struct ebpf_condition *conditions, size_t count)
{
    (void)backend, (void)conditions, (void)count;
    return fake_error;
}

static struct ebpf_backend_ops fake_ops = {
    .counts = fake__counts, .stop = fake__stop, .select = fake__select, .close = fake__close};

int ebpf_backend__open(const struct ebpf_source_opts *opts, struct ebpf_backend **ret_backend)
{
    fake_opts = *opts;
    if (fake_error)
        return fake_error;
    struct ebpf_backend *b = calloc(1, sizeof(*b));

    if (!b)
        return -ENOMEM;
    fake_ops.pump = fake_pump;
    b->ops = &fake_ops;
    b->kind = EBPF_BACKEND_BPF;
    b->period_ns = fake_period_ns;
    b->streams = 1;
    for (int i = 0; i < EBPF_RING_COUNT; i++) {
        b->ring_fds[i] = fake_pump ? -1 : eventfd(0, EFD_CLOEXEC);
        consumer_pos[i] = producer_pos[i] = 0;
        b->rings[i] = (struct ebpf_ringbuf){&consumer_pos[i], &producer_pos[i], data[i], RING_SIZE - 1};
    }
    b->available = opts->events;
    *ret_backend = fake_backend = b;
    return 0;
}
