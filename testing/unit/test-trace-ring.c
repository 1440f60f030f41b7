// SPDX-License-Identifier: BSD-2-Clause
/* test-trace-ring.c - a ring in memory, written as the tracefs backend does, read as the reader does. */
#include <stdlib.h>

#include "Tracefs/TraceRing.h"
#include "check.h"
#include "record-build.h"

#define RING_SIZE (UINT64_C(256) * 1024)
#define HEADER_SIZE 8

static struct trace_ring ring;
static struct ebpf_ringbuf view;

static uint8_t byte_of(uint32_t number, uint32_t i)
{
    return (uint8_t)(number * 31 + i * 7 + (i >> 8));
}

/* Write a record whose bytes depend on its number. False if there is no room. */
static bool write_record(uint32_t number, uint32_t size)
{
    uint8_t *data = trace_ring__reserve(&ring);

    if (!data)
        return false;
    CHECK((uintptr_t)data % 8 == 0);
    for (uint32_t i = 0; i < size; i++)
        data[i] = byte_of(number, i);
    trace_ring__submit(&ring, size);
    return true;
}

/* Return the oldest record through the view, where the reader looks for it; NULL if there is none. */
static const uint8_t *peek(uint32_t *ret_size)
{
    const uint64_t pos = *view.consumer_pos;
    const uint8_t *head = view.data + (pos & view.mask);

    if (pos >= *view.producer_pos)
        return NULL;
    memcpy(ret_size, head, sizeof(*ret_size));
    return head + HEADER_SIZE;
}

/* Take the oldest record. False if it is not this one, whole. */
static bool take_record(uint32_t number, uint32_t size)
{
    uint32_t got;
    const uint8_t *data = peek(&got);

    if (!data || got != size)
        return false;
    for (uint32_t i = 0; i < size; i++) {
        if (data[i] != byte_of(number, i))
            return false;
    }
    *view.consumer_pos += HEADER_SIZE + (((uint64_t)size + 7) & ~UINT64_C(7));
    return true;
}

static bool is_empty(void)
{
    uint32_t size;

    return !peek(&size);
}

static void open_ring(void)
{
    if (trace_ring__init(&ring, RING_SIZE, &view))
        abort();
}

static void test_view(void)
{
    open_ring();
    CHECK(view.mask == RING_SIZE - 1 && *view.producer_pos == 0 && *view.consumer_pos == 0 && is_empty());
    CHECK(trace_ring__reserve(&ring) && is_empty()); /* what is not submitted is not there */
    for (uint32_t size = 0; size < 64; size++) {
        CHECK(write_record(size, size) && *view.producer_pos - *view.consumer_pos == HEADER_SIZE + (size + 7) / 8 * 8);
        CHECK(take_record(size, size) && is_empty());
    }
    trace_ring__fini(&ring);
}

/* Records of many sizes go around the ring several times, and reach beyond its end. */
static void test_wrap(void)
{
    uint64_t state = 1;
    uint32_t sizes[4], written = 0, read = 0;
    unsigned int beyond = 0;

    open_ring();
    while (read < 2000) {
        while (written - read < 4) {
            const uint32_t size = (uint32_t)(random__next(&state) % 40000);
            const uint64_t at = *view.producer_pos & view.mask;

            if (!write_record(written, size))
                break;
            sizes[written++ % 4] = size;
            beyond += at + HEADER_SIZE + size > RING_SIZE;
        }
        CHECK(written != read);
        CHECK(take_record(read, sizes[read % 4]));
        read++;
    }
    CHECK(beyond > 50);
    trace_ring__fini(&ring);
}

/* As long as the longest record might not fit, there is no room; nothing that is unread is written over. */
static void test_full(void)
{
    const uint32_t size = 1000;
    uint32_t written = 0;

    open_ring();
    while (written < 1000 && write_record(written, size))
        written++;
    CHECK(written < 1000 && RING_SIZE - *view.producer_pos < TRACE_RECORD_MAX + 2 * HEADER_SIZE);
    CHECK(RING_SIZE - *view.producer_pos > TRACE_RECORD_MAX - size);
    CHECK(!trace_ring__reserve(&ring) && *view.producer_pos == written * (uint64_t)(HEADER_SIZE + size));
    CHECK(take_record(0, size) && write_record(written, size) && !trace_ring__reserve(&ring));
    for (uint32_t i = 1; i <= written; i++)
        CHECK(take_record(i, size));
    CHECK(is_empty() && trace_ring__reserve(&ring));
    trace_ring__fini(&ring);
}

/* The longest record begins at each place of the ring's last part, with unread records before it. */
static void test_longest(void)
{
    const uint32_t longest = TRACE_RECORD_MAX;
    unsigned int beyond = 0;

    for (uint64_t start = 8; start <= RING_SIZE; start += 8 + 8 * 97) {
        open_ring();
        *view.consumer_pos = ring.producer_pos = start - 8;
        CHECK(write_record(7, 0) && write_record(8, longest));
        beyond += start + HEADER_SIZE + longest > RING_SIZE;
        CHECK(write_record(9, 24));
        CHECK(take_record(7, 0) && take_record(8, longest) && take_record(9, 24) && is_empty());
        trace_ring__fini(&ring);
    }
    CHECK(beyond > 100);
    open_ring();
    *view.consumer_pos = ring.producer_pos = RING_SIZE - 8; /* only the header is before the end */
    CHECK(write_record(1, longest) && write_record(2, 8) && take_record(1, longest) && take_record(2, 8));
    trace_ring__fini(&ring);
}

int main(void)
{
    test_view();
    test_wrap();
    test_full();
    test_longest();
    return check__report();
}
