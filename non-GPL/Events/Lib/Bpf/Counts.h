/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts.h - what the probes have counted, and the runs of probes that the kernel has skipped. */
#ifndef EBPF_BPF_COUNTS_H
#define EBPF_BPF_COUNTS_H

#include "BpfBackend.h"

/* Note whose skipped runs to count, once all programs are attached: to look that up each time would be slow. */
void counts__watch(struct bpf_backend *b);

/* Get the counts, summed over CPUs; see struct ebpf_backend_ops. */
void bpf_backend__counts(struct ebpf_backend *backend, struct ebpf_counts *ret_counts);

/* Get a process that exceeds its budget; see struct ebpf_backend_ops. */
bool bpf_backend__over_budget(struct ebpf_backend *backend, struct ebpf_over_budget *ret_over);

/* Return whether each event that was seen is also counted as delivered, filtered or lost: no program is still at it. */
bool counts__are_settled(const struct ebpf_counts *counts);

#endif
