/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceMerge.h - reads the buffers of all CPUs, and merges their records by time.
 *
 * A round takes what was recorded before it began. So whatever one thread caused, on whichever CPUs, is in order: its
 * later record is not taken in a round that could not have read the earlier one.
 */
#ifndef EBPF_TRACE_MERGE_H
#define EBPF_TRACE_MERGE_H

#include "TracePages.h"
#include "TraceInstance.h"

struct trace_cpu;

struct trace_merge {
    struct trace_cpu *cpus;
    int count;
    size_t page_size;
    uint64_t until_ns;    /* the end of this round */
    uint64_t overwritten; /* records, by the marks of the pages */
};

/* Open the buffers. 0 or -errno. */
int trace_merge__open(struct trace_merge *merge, const struct trace_instance *in);
void trace_merge__close(struct trace_merge *merge);

/* Begin a round: of what was recorded until now, or, if `all`, of everything. */
void trace_merge__begin(struct trace_merge *merge, bool all);

/* Return the next record of the round. False if there is none. */
bool trace_merge__next(struct trace_merge *merge, struct trace_record *ret_record);

#endif
