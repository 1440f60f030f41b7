/* SPDX-License-Identifier: BSD-2-Clause */
/* PruneState.h - what is known of the registers before an instruction, and what follows from it. */
#ifndef EBPF_BPF_PRUNE_STATE_H
#define EBPF_BPF_PRUNE_STATE_H

#include <stdint.h>

#include "Prune.h"

#define REGISTERS 11
#define CALL_CLOBBERS 6 /* registers 0 to 5 */

enum value_kind {
    VALUE_UNKNOWN,
    VALUE_NUMBER,
    VALUE_ADDRESS, /* in the constants, as an offset */
};

struct value {
    enum value_kind kind;
    uint64_t number;
};

struct state {
    bool is_reached;
    struct value registers[REGISTERS];
};

/* Whether a jump is taken. */
enum decision { DECISION_OPEN, DECISION_ALWAYS, DECISION_NEVER };

/* Merge the states of two jumps to one instruction: keep what both agree on. */
void state__merge(struct state *state, const struct state *other);

/* Forget the first so many registers. */
void state__forget(struct state *state, int registers);

/* Follow an instruction of the classes BPF_ALU and BPF_ALU64. */
void state__calculate(struct state *state, const struct bpf_insn *insn);

/* Follow a load: one of class BPF_LDX, or a wide one. */
void state__load(struct state *state, const struct bpf_insn *insn, const struct prune_constants *constants);
void state__load_wide(struct state *state, const struct bpf_insn *insn, const struct prune_constants *constants);

enum decision state__decide(const struct state *state, const struct bpf_insn *insn);

#endif
