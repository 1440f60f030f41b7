/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceRing.h - a ring in this process's memory that a reader takes for one of BPF (struct ebpf_ringbuf).
 *
 * A record that reaches the end of the ring goes on behind it, where there is room for the longest one, so that none is
 * in two parts. There is one writer and one reader, in the same thread.
 */
#ifndef EBPF_TRACE_RING_H
#define EBPF_TRACE_RING_H

#include "Backend.h"

/* The longest record: fixed parts, the variable fields at their longest, and their heads. */
#define TRACE_RECORD_MAX (EBPF_ARGS_MAX + EBPF_ENV_MAX + 5 * EBPF_PATH_MAX + 4096)

struct trace_ring {
    uint64_t consumer_pos, producer_pos;
    uint8_t *memory;
    uint64_t size;
};

/* Allocate a ring of `size` bytes, a power of two above TRACE_RECORD_MAX, and show it to a reader. 0 or -ENOMEM. */
int trace_ring__init(struct trace_ring *ring, uint64_t size, struct ebpf_ringbuf *ret_view);
void trace_ring__fini(struct trace_ring *ring);

/* Return where the next record is to be written, of up to TRACE_RECORD_MAX bytes; NULL if the ring is too full. */
void *trace_ring__reserve(const struct trace_ring *ring);

/* Return whether there is room for such a record, and for `more` bytes of others. */
bool trace_ring__has_room(const struct trace_ring *ring, uint64_t more);

/* Give the record that was written there to the reader. */
void trace_ring__submit(struct trace_ring *ring, uint32_t size);

#endif
