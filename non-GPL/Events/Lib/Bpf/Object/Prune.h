/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prune.h - removes from a program what is never executed on this kernel.
 *
 * A program has code for every kernel and every setting; which of it applies follows from constants that are known when
 * it is loaded. The verifier finds that out too, but only after analyses whose cost grows with the size of a program,
 * and it removes dead code piece by piece, each time moving all that is behind. A third of a start went into that.
 *
 * A tail call stays although it is never made: that a program contains one tells the kernel where to put its stack (see
 * SPARE_BODY in Core/Spare.h).
 */
#ifndef EBPF_PRUNE_H
#define EBPF_PRUNE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A map of constants, as programs refer to it. */
struct prune_constants {
    int map_fd;
    const void *bytes;
    size_t size;
};

struct pruned {
    size_t count;          /* instructions that are left */
    uint32_t *new_numbers; /* of each former instruction; of one that has gone, that of what follows it */
    uint8_t *marks;        /* of each former instruction */
};

/* Prune a program in place. Returns false, with the program as it was, when there is no memory. */
bool prune(struct bpf_insn *insns, size_t count, const struct prune_constants *constants, struct pruned *ret_pruned);

/* Whether one of the former instructions may be executed. */
bool pruned__is_reached(const struct pruned *pruned, size_t insn);

void pruned__free(struct pruned *pruned);

#endif
