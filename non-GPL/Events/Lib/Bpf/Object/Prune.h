/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prune.h - removes the code of a program that this kernel never executes.
 *
 * A program has code for every kernel and every setting; which of it applies follows from constants that are known when
 * it is loaded. The verifier removes dead code too, but only after analyses whose cost grows with the size of a
 * program, and piece by piece, each time moving everything behind. That took a third of a start.
 *
 * A tail call is not removed even if it is never made: a program that contains one gets its stack elsewhere (see
 * SPARE_BODY in Core/Spare.h). It is on kernels that refuse a program with both functions and a tail call
 * (Kernel/Jit.h); they are older than those that choose between stacks.
 */
#ifndef EBPF_PRUNE_H
#define EBPF_PRUNE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The map of constants that programs refer to. */
struct prune_constants {
    int map_fd;
    const void *bytes;
    size_t size;
    bool drops_tail_calls; /* remove tail calls that are never made as well */
};

struct pruned {
    size_t count;          /* instructions that are left */
    uint32_t *new_numbers; /* of each former instruction; of one that has gone, that of what follows it */
    uint8_t *marks;        /* of each former instruction */
};

/* Prune a program in place. Returns false, with the program unchanged, if there is no memory. */
bool prune(struct bpf_insn *insns, size_t count, const struct prune_constants *constants, struct pruned *ret_pruned);

/* Return whether one of the former instructions may be executed. */
bool pruned__is_reached(const struct pruned *pruned, size_t insn);

void pruned__free(struct pruned *pruned);

#endif
