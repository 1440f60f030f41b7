/* SPDX-License-Identifier: BSD-2-Clause */
/* Trees.h - whose descendants the processes are that were there before the probes. */
#ifndef EBPF_BPF_TREES_H
#define EBPF_BPF_TREES_H

#include "Selection.h"

/* How many chunks (struct tree_chunk) the table of processes needs on this machine. */
uint32_t trees__chunk_count(void);

/*
 * Write into the table what each process in /proc is by the conditions of kind EBPF_SELECT_TREE. Processes that are
 * born meanwhile get it from their parents. 0, or a negative errno when /proc cannot be read: then older descendants
 * are not known.
 */
int trees__mark(struct tree_chunk *table, uint32_t chunks, const struct ebpf_condition *conditions, size_t count);

#endif
