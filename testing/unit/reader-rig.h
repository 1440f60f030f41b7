/* SPDX-License-Identifier: BSD-2-Clause */
/* reader-rig.h - a reader of rings in memory, and the events that it delivers, for tests. */
#ifndef EBPF_TEST_READER_RIG_H
#define EBPF_TEST_READER_RIG_H

#include "Reader.h"

#define RING_SIZE 65536
#define SEEN_MAX 4096
#define BUSY (1u << 31)
#define DISCARDED (1u << 30)

struct memory_ring {
    uint64_t consumer, producer;
    _Alignas(8) uint8_t data[2 * RING_SIZE]; /* the second half mirrors the first, as the kernel maps it */
};

/* An event that the handler has accepted. */
struct rig_event {
    uint64_t seq, ts, time;
    enum ebpf_event_type type;
};

extern struct memory_ring memory[EBPF_RING_COUNT];
extern struct ebpf_backend backend;
extern struct ebpf_reader reader;

/* What the backend returns. */
extern struct ebpf_counts counts;
extern struct ebpf_process others[EBPF_OTHERS_MAX];
extern size_t other_count;
extern uint64_t over_budget_lost; /* 0: no process exceeds a budget */
extern int counts_count;          /* how often the counts were read */

/* What the handlers have accepted, and what they refuse. */
extern struct rig_event seen[SEEN_MAX];
extern struct loss losses[512];
extern int seen_count, losses_count;
extern int refuse_from; /* events from this one on; 0: none */
extern bool refuse_losses;

/* Begin with empty rings and a new reader; the handlers of events and losses are set. */
void rig__begin(const struct ebpf_source_opts *opts);

/* Make the backend one that is pumped: it puts so many records into the first ring, in each of so many rounds. */
void rig__pump(int rounds, int records);
extern int pump_rounds; /* that are left */

/* Put a record into a ring, with the kernel's flags. */
void ring__put(struct memory_ring *ring, const void *data, uint32_t len, uint32_t flags);

struct ebpf_process_setsid_event make(uint64_t ts, uint32_t stream, uint64_t stream_seq);
void put(int ring, uint64_t ts, uint32_t stream, uint64_t stream_seq);

#endif
