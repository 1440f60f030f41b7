/* SPDX-License-Identifier: BSD-2-Clause */
/* Trees.h - finds the descendants that started before the probes. */
#ifndef EBPF_BPF_TREES_H
#define EBPF_BPF_TREES_H

#include "Selection.h"

/* Return how many chunks (struct tree_chunk) the table of processes needs on this machine. */
uint32_t trees__chunk_count(void);

/*
 * Write the tree flags of each process in /proc into the table, by the conditions of kind EBPF_SELECT_TREE. Processes
 * that start meanwhile inherit their parents'. 0, or a negative errno if /proc cannot be read: then older descendants
 * are unknown.
 */
int trees__mark(struct tree_chunk *table, uint32_t chunks, const struct ebpf_condition *conditions, size_t count);

#endif
