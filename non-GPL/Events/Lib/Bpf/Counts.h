/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts.h - what the probes have counted, and what the kernel has counted of the probes. */
#ifndef EBPF_BPF_COUNTS_H
#define EBPF_BPF_COUNTS_H

#include "BpfBackend.h"

/* Find out whose skips are to be counted, once all programs are attached: to look that up each time takes longer. */
void counts__watch(struct bpf_backend *b);

/* The counts, summed over CPUs; struct ebpf_backend_ops has what that means. */
void bpf_backend__counts(struct ebpf_backend *backend, struct ebpf_counts *ret_counts);

/* Who exceeds a budget; struct ebpf_backend_ops has what that means. */
bool bpf_backend__over_budget(struct ebpf_backend *backend, struct ebpf_over_budget *ret_over);

/* Whether each event that was seen is also counted as something else: no program is about to do that. */
bool counts__are_settled(const struct ebpf_counts *counts);

#endif
