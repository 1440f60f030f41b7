/* SPDX-License-Identifier: BSD-2-Clause */
/* Insn.h - what an instruction of a BPF program is. */
#ifndef EBPF_BPF_INSN_H
#define EBPF_BPF_INSN_H

#include <linux/bpf.h>
#include <stdbool.h>

static inline bool insn__is_wide(const struct bpf_insn *insn)
{
    return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static inline bool insn__is_of_jump_class(const struct bpf_insn *insn)
{
    return BPF_CLASS(insn->code) == BPF_JMP || BPF_CLASS(insn->code) == BPF_JMP32;
}

static inline bool insn__jumps(const struct bpf_insn *insn)
{
    return insn__is_of_jump_class(insn) && BPF_OP(insn->code) != BPF_CALL && BPF_OP(insn->code) != BPF_EXIT;
}

static inline bool insn__jumps_always(const struct bpf_insn *insn)
{
    return insn__jumps(insn) && BPF_OP(insn->code) == BPF_JA;
}

static inline bool insn__calls_function(const struct bpf_insn *insn)
{
    return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL;
}

static inline bool insn__calls_tail(const struct bpf_insn *insn)
{
    return insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg && insn->imm == BPF_FUNC_tail_call;
}

static inline bool insn__refers_to_function(const struct bpf_insn *insn)
{
    return insn__calls_function(insn) || (insn__is_wide(insn) && insn->src_reg == BPF_PSEUDO_FUNC);
}

/* A jump of this form has its distance in `imm`; the others in `off`. */
static inline bool insn__jumps_far(const struct bpf_insn *insn)
{
    return insn->code == (BPF_JMP32 | BPF_JA);
}

#endif
