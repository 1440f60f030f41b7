// SPDX-License-Identifier: BSD-2-Clause
/* later-backend.c - the backend of test-abi's library: two records, one of an added type, and counts. */
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "Backend.h"

#define RING_SIZE 4096

static uint64_t consumer_pos[EBPF_RING_COUNT], producer_pos[EBPF_RING_COUNT];
static _Alignas(8) uint8_t data[EBPF_RING_COUNT][RING_SIZE];

static const struct {
    struct ebpf_process_exec_event exec;
    struct ebpf_varlen head;
    char filename[8];
} exec = {
    .exec = {.hdr = {.ts_boot_ns = 1, .stream_seq = 1, .size = sizeof(exec), .type = EBPF_EVENT_PROCESS_EXEC},
             .pids = {.tgid = 7}},
    .head = {.tag = EBPF_TAG_FILENAME, .len = sizeof("ls\0bin")},
    .filename = "ls\0bin",
};

static const struct ebpf_test_later_event later = {
    .hdr = {.ts_boot_ns = 2, .stream_seq = 2, .size = sizeof(later), .type = EBPF_EVENT_TEST_LATER},
    .answer = 42,
};

static void put(const void *record, uint32_t size)
{
    const uint32_t head[2] = {size, 0};

    memcpy(data[0] + producer_pos[0], head, sizeof(head));
    memcpy(data[0] + producer_pos[0] + sizeof(head), record, size);
    producer_pos[0] += sizeof(head) + size;
}

static void later__counts(struct ebpf_backend *backend, struct ebpf_counts *ret_counts)
{
    (void)backend;
    memset(ret_counts, 0, sizeof(*ret_counts));
    ret_counts->filtered[EBPF_EVENT_PROCESS_EXEC] = EBPF_EVENT_PROCESS_EXEC;
    ret_counts->filtered[EBPF_EVENT_TEST_LATER] = EBPF_EVENT_TEST_LATER;
    ret_counts->lost[EBPF_EVENT_PROCESS_EXEC][EBPF_REASON_RING_FULL] = 3;
    ret_counts->lost[EBPF_EVENT_TEST_LATER][EBPF_REASON_TEST_LATER] = 2;
    ret_counts->seen[EBPF_EVENT_PROCESS_EXEC] = EBPF_EVENT_PROCESS_EXEC + 1 + 3;
    ret_counts->seen[EBPF_EVENT_TEST_LATER] = EBPF_EVENT_TEST_LATER + 1 + 2;
}

static void later__stop(struct ebpf_backend *backend)
{
    (void)backend;
}

static void later__close(struct ebpf_backend *backend)
{
    for (int i = 0; i < EBPF_RING_COUNT; i++)
        close(backend->ring_fds[i]);
    free(backend);
}

static const struct ebpf_backend_ops later_ops = {.counts = later__counts, .stop = later__stop, .close = later__close};

int ebpf_backend__open(const struct ebpf_source_opts *opts, struct ebpf_backend **ret_backend)
{
    struct ebpf_backend *b = calloc(1, sizeof(*b));

    if (!b || opts->added)
        abort();
    b->ops = &later_ops;
    b->kind = EBPF_BACKEND_BPF;
    b->streams = 1;
    b->available = opts->events;
    b->bpf_tramp = true;
    consumer_pos[0] = producer_pos[0] = 0;
    put(&exec, sizeof(exec));
    put(&later, sizeof(later));
    for (int i = 0; i < EBPF_RING_COUNT; i++) {
        b->ring_fds[i] = eventfd(i == 0, EFD_CLOEXEC);
        b->rings[i] = (struct ebpf_ringbuf){&consumer_pos[i], &producer_pos[i], data[i], RING_SIZE - 1};
    }
    *ret_backend = b;
    return 0;
}
