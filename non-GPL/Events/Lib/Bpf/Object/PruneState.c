/* SPDX-License-Identifier: BSD-2-Clause */
#include "PruneState.h"

#include <string.h>

static const struct value unknown = {.kind = VALUE_UNKNOWN};

static struct value value__of_number(uint64_t number)
{
    return (struct value){.kind = VALUE_NUMBER, .number = number};
}

static bool value__is(struct value one, struct value other)
{
    return one.kind == other.kind && (one.kind == VALUE_UNKNOWN || one.number == other.number);
}

void state__merge(struct state *state, const struct state *other)
{
    if (!other->is_reached)
        return;
    if (!state->is_reached) {
        *state = *other;
        return;
    }
    for (int i = 0; i < REGISTERS; i++) {
        if (!value__is(state->registers[i], other->registers[i]))
            state->registers[i] = unknown;
    }
}

void state__forget(struct state *state, int registers)
{
    for (int i = 0; i < registers; i++)
        state->registers[i] = unknown;
}

static struct value number__calculate(uint8_t op, bool is_64, uint64_t a, uint64_t b)
{
    uint64_t shift = b & (is_64 ? 63 : 31), result;

    switch (op) {
    case BPF_ADD:
        result = a + b;
        break;
    case BPF_SUB:
        result = a - b;
        break;
    case BPF_MUL:
        result = a * b;
        break;
    case BPF_AND:
        result = a & b;
        break;
    case BPF_OR:
        result = a | b;
        break;
    case BPF_XOR:
        result = a ^ b;
        break;
    case BPF_LSH:
        result = a << shift;
        break;
    case BPF_RSH:
        result = (is_64 ? a : (uint32_t)a) >> shift;
        break;
    case BPF_MOV:
        result = b;
        break;
    default:
        return unknown;
    }
    return value__of_number(is_64 ? result : (uint32_t)result);
}

/* Return the second operand of an instruction: a register, or a number in it. */
static struct value state__operand(const struct state *state, const struct bpf_insn *insn)
{
    return BPF_SRC(insn->code) == BPF_X ? state->registers[insn->src_reg]
                                        : value__of_number((uint64_t)(int64_t)insn->imm);
}

void state__calculate(struct state *state, const struct bpf_insn *insn)
{
    struct value *dst = &state->registers[insn->dst_reg], src = state__operand(state, insn);
    bool is_64 = BPF_CLASS(insn->code) == BPF_ALU64, is_move = BPF_OP(insn->code) == BPF_MOV;

    if (insn->off) /* moves with a sign, divisions with one */
        *dst = unknown;
    else if (is_64 && is_move)
        *dst = src;
    else if (is_64 && BPF_OP(insn->code) == BPF_ADD && dst->kind == VALUE_ADDRESS && src.kind == VALUE_NUMBER)
        dst->number += src.number;
    else if (src.kind == VALUE_NUMBER && (is_move || dst->kind == VALUE_NUMBER))
        *dst = number__calculate(BPF_OP(insn->code), is_64, dst->number, src.number);
    else
        *dst = unknown;
}

static struct value constants__load(const struct prune_constants *constants, uint64_t at, uint8_t size_code)
{
    size_t size = size_code == BPF_B ? 1 : size_code == BPF_H ? 2 : size_code == BPF_W ? 4 : 8;
    uint64_t number = 0;

    if (at > constants->size || constants->size - at < size)
        return unknown;
    memcpy(&number, (const char *)constants->bytes + at, size); /* little endian, as the kernel is */
    return value__of_number(number);
}

void state__load(struct state *state, const struct bpf_insn *insn, const struct prune_constants *constants)
{
    struct value *registers = state->registers, from = registers[insn->src_reg];

    if (from.kind == VALUE_ADDRESS && BPF_MODE(insn->code) == BPF_MEM)
        registers[insn->dst_reg] =
            constants__load(constants, from.number + (uint64_t)(int64_t)insn->off, BPF_SIZE(insn->code));
    else
        registers[insn->dst_reg] = unknown;
}

void state__load_wide(struct state *state, const struct bpf_insn *insn, const struct prune_constants *constants)
{
    struct value *dst = &state->registers[insn->dst_reg];

    if (!insn->src_reg)
        *dst = value__of_number((uint32_t)insn[0].imm | (uint64_t)(uint32_t)insn[1].imm << 32);
    else if (insn->src_reg == BPF_PSEUDO_MAP_VALUE && insn->imm == constants->map_fd)
        *dst = (struct value){.kind = VALUE_ADDRESS, .number = (uint32_t)insn[1].imm};
    else
        *dst = unknown;
}

static bool numbers__meet(uint8_t op, uint64_t a, uint64_t b, int64_t signed_a, int64_t signed_b, bool *ret_known)
{
    *ret_known = true;
    switch (op) {
    case BPF_JEQ:
        return a == b;
    case BPF_JNE:
        return a != b;
    case BPF_JGT:
        return a > b;
    case BPF_JGE:
        return a >= b;
    case BPF_JLT:
        return a < b;
    case BPF_JLE:
        return a <= b;
    case BPF_JSET:
        return a & b;
    case BPF_JSGT:
        return signed_a > signed_b;
    case BPF_JSGE:
        return signed_a >= signed_b;
    case BPF_JSLT:
        return signed_a < signed_b;
    case BPF_JSLE:
        return signed_a <= signed_b;
    default:
        *ret_known = false;
        return false;
    }
}

enum decision state__decide(const struct state *state, const struct bpf_insn *insn)
{
    struct value a = state->registers[insn->dst_reg], b = state__operand(state, insn);
    bool is_32 = BPF_CLASS(insn->code) == BPF_JMP32, is_known, is_met;

    if (a.kind != VALUE_NUMBER || b.kind != VALUE_NUMBER)
        return DECISION_OPEN;
    if (is_32)
        is_met = numbers__meet(BPF_OP(insn->code), (uint32_t)a.number, (uint32_t)b.number, (int32_t)a.number,
                               (int32_t)b.number, &is_known);
    else
        is_met = numbers__meet(BPF_OP(insn->code), a.number, b.number, (int64_t)a.number, (int64_t)b.number, &is_known);
    return !is_known ? DECISION_OPEN : is_met ? DECISION_ALWAYS : DECISION_NEVER;
}
