// SPDX-License-Identifier: BSD-2-Clause
/* TraceRing.c - see TraceRing.h. */
#include "TraceRing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* As the kernel has it: the length, a word that is not used here, the record, padding up to 8. */
#define HEADER_SIZE 8
#define SPAN_MAX (HEADER_SIZE + TRACE_RECORD_MAX + 8)

int trace_ring__init(struct trace_ring *ring, uint64_t size, struct ebpf_ringbuf *ret_view)
{
    *ring = (struct trace_ring){.size = size, .memory = malloc(size + SPAN_MAX)};
    if (!ring->memory)
        return -ENOMEM;
    *ret_view = (struct ebpf_ringbuf){.consumer_pos = &ring->consumer_pos,
                                      .producer_pos = &ring->producer_pos,
                                      .data = ring->memory,
                                      .mask = size - 1};
    return 0;
}

void trace_ring__fini(struct trace_ring *ring)
{
    free(ring->memory);
    ring->memory = NULL;
}

static uint8_t *ring__head(const struct trace_ring *ring)
{
    return ring->memory + (ring->producer_pos & (ring->size - 1));
}

bool trace_ring__has_room(const struct trace_ring *ring, uint64_t more)
{
    return ring->size - (ring->producer_pos - ring->consumer_pos) >= SPAN_MAX + more;
}

void *trace_ring__reserve(const struct trace_ring *ring)
{
    if (!trace_ring__has_room(ring, 0))
        return NULL;
    return ring__head(ring) + HEADER_SIZE;
}

void trace_ring__submit(struct trace_ring *ring, uint32_t size)
{
    memset(ring__head(ring), 0, HEADER_SIZE);
    memcpy(ring__head(ring), &size, sizeof(size));
    ring->producer_pos += HEADER_SIZE + (((uint64_t)size + 7) & ~UINT64_C(7));
}
