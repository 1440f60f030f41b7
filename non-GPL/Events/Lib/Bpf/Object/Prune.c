/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prune.c - constants are followed through the registers of a program, and branches that they decide are not.
 *
 * The instructions are gone through in their order. What registers hold at the target of a jump is put together from
 * all the jumps that lead there; these are known by then, unless one of them leads back, so at the beginning of a loop
 * nothing counts as known. When a jump leads back, or a call, to what was taken for dead, all begins anew, which is
 * rare. What is on the stack is not followed.
 */
#include "Prune.h"

#include <stdlib.h>
#include <string.h>

#define REGISTERS 11
#define CALL_CLOBBERS 6 /* registers 0 to 5 */

/* Marks of an instruction. */
#define MARK_TARGET 1  /* of a jump from before */
#define MARK_LOOP 2    /* of a jump from behind */
#define MARK_ENTRY 4   /* of a function that is called, or of a loop that only a jump from behind enters */
#define MARK_REACHED 8 /* may be executed */
#define MARK_ALWAYS 16 /* this jump is always taken */
#define MARK_NEVER 32

enum value_kind {
    VALUE_UNKNOWN,
    VALUE_NUMBER,
    VALUE_ADDRESS, /* in the constants: how far from their beginning */
};

struct value {
    enum value_kind kind;
    uint64_t number;
};

struct state {
    bool is_reached;
    struct value registers[REGISTERS];
};

struct pruning {
    struct bpf_insn *insns;
    size_t count;
    const struct prune_constants *constants;
    uint8_t *marks;
    uint32_t *places;     /* of a target: the number of its state */
    struct state *states; /* at the targets */
    struct state current;
    bool again;
};

/* --------------------------------------------------------------- instructions */

static bool insn__is_wide(const struct bpf_insn *insn)
{
    return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static bool insn__is_of_jump_class(const struct bpf_insn *insn)
{
    return BPF_CLASS(insn->code) == BPF_JMP || BPF_CLASS(insn->code) == BPF_JMP32;
}

static bool insn__jumps(const struct bpf_insn *insn)
{
    return insn__is_of_jump_class(insn) && BPF_OP(insn->code) != BPF_CALL && BPF_OP(insn->code) != BPF_EXIT;
}

static bool insn__jumps_always(const struct bpf_insn *insn)
{
    return insn__jumps(insn) && BPF_OP(insn->code) == BPF_JA;
}

static bool insn__calls_function(const struct bpf_insn *insn)
{
    return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL;
}

static bool insn__calls_tail(const struct bpf_insn *insn)
{
    return insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg && insn->imm == BPF_FUNC_tail_call;
}

static bool insn__refers_to_function(const struct bpf_insn *insn)
{
    return insn__calls_function(insn) || (insn__is_wide(insn) && insn->src_reg == BPF_PSEUDO_FUNC);
}

/* A jump of this form has its distance in `imm`; the others in `off`. */
static bool insn__jumps_far(const struct bpf_insn *insn)
{
    return insn->code == (BPF_JMP32 | BPF_JA);
}

static size_t insn__target(const struct pruning *p, size_t i)
{
    const struct bpf_insn *insn = &p->insns[i];
    bool in_imm = insn__refers_to_function(insn) || insn__jumps_far(insn);

    return (size_t)((int64_t)i + 1 + (in_imm ? insn->imm : insn->off));
}

/* --------------------------------------------------------------------- values */

static const struct value unknown = {.kind = VALUE_UNKNOWN};

static struct value value__of_number(uint64_t number)
{
    return (struct value){.kind = VALUE_NUMBER, .number = number};
}

static bool value__is(struct value one, struct value other)
{
    return one.kind == other.kind && (one.kind == VALUE_UNKNOWN || one.number == other.number);
}

/* What may have been jumped to with the one or the other. */
static void state__merge(struct state *state, const struct state *other)
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

static void state__forget(struct state *state, int registers)
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

/* The second operand of an instruction: a register, or a number in it. */
static struct value state__operand(const struct state *state, const struct bpf_insn *insn)
{
    return BPF_SRC(insn->code) == BPF_X ? state->registers[insn->src_reg]
                                        : value__of_number((uint64_t)(int64_t)insn->imm);
}

static void state__calculate(struct state *state, const struct bpf_insn *insn)
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

static void pruning__load(struct pruning *p, const struct bpf_insn *insn)
{
    struct value *registers = p->current.registers, from = registers[insn->src_reg];

    if (from.kind == VALUE_ADDRESS && BPF_MODE(insn->code) == BPF_MEM)
        registers[insn->dst_reg] =
            constants__load(p->constants, from.number + (uint64_t)(int64_t)insn->off, BPF_SIZE(insn->code));
    else
        registers[insn->dst_reg] = unknown;
}

static struct value pruning__wide_value(const struct pruning *p, const struct bpf_insn *insn)
{
    if (!insn->src_reg)
        return value__of_number((uint32_t)insn[0].imm | (uint64_t)(uint32_t)insn[1].imm << 32);
    if (insn->src_reg == BPF_PSEUDO_MAP_VALUE && insn->imm == p->constants->map_fd)
        return (struct value){.kind = VALUE_ADDRESS, .number = (uint32_t)insn[1].imm};
    return unknown;
}

/* ---------------------------------------------------------------------- jumps */

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

/* MARK_ALWAYS or MARK_NEVER when that is known of a jump, else 0. */
static uint8_t state__decide(const struct state *state, const struct bpf_insn *insn)
{
    struct value a = state->registers[insn->dst_reg], b = state__operand(state, insn);
    bool is_32 = BPF_CLASS(insn->code) == BPF_JMP32, is_known, is_met;

    if (a.kind != VALUE_NUMBER || b.kind != VALUE_NUMBER)
        return 0;
    if (is_32)
        is_met = numbers__meet(BPF_OP(insn->code), (uint32_t)a.number, (uint32_t)b.number, (int32_t)a.number,
                               (int32_t)b.number, &is_known);
    else
        is_met = numbers__meet(BPF_OP(insn->code), a.number, b.number, (int64_t)a.number, (int64_t)b.number, &is_known);
    return !is_known ? 0 : is_met ? MARK_ALWAYS : MARK_NEVER;
}

/* Something leads to where states are not merged: to a function, or to an instruction that was gone through. */
static void pruning__enter(struct pruning *p, size_t target, size_t from)
{
    if (p->marks[target] & (MARK_ENTRY | MARK_REACHED))
        return;
    p->marks[target] |= MARK_ENTRY;
    p->again |= target <= from;
}

static void pruning__jump(struct pruning *p, size_t from)
{
    size_t target = insn__target(p, from);

    if (target <= from)
        pruning__enter(p, target, from);
    else
        state__merge(&p->states[p->places[target]], &p->current);
}

/* Whether a tail call follows, before anything that branches off or ends. */
static bool pruning__tail_call_follows(const struct pruning *p, size_t i)
{
    while (i < p->count && !insn__jumps(&p->insns[i]) && p->insns[i].code != (BPF_JMP | BPF_EXIT)) {
        if (insn__calls_tail(&p->insns[i]))
            return true;
        i += 1 + insn__is_wide(&p->insns[i]);
    }
    return false;
}

/* What is known of a jump; nothing when what would be removed begins with a tail call. */
static uint8_t pruning__decide(const struct pruning *p, size_t i)
{
    uint8_t decision = state__decide(&p->current, &p->insns[i]);
    size_t dead = decision == MARK_ALWAYS ? i + 1 : insn__target(p, i);

    return decision && pruning__tail_call_follows(p, dead) ? 0 : decision;
}

static void pruning__follow_jump(struct pruning *p, size_t i)
{
    uint8_t decision = insn__jumps_always(&p->insns[i]) ? MARK_ALWAYS : pruning__decide(p, i);

    p->marks[i] |= decision;
    if (decision != MARK_NEVER)
        pruning__jump(p, i);
    if (decision == MARK_ALWAYS)
        p->current.is_reached = false;
}

/* --------------------------------------------------------------- the analysis */

static void pruning__follow(struct pruning *p, size_t i)
{
    const struct bpf_insn *insn = &p->insns[i];
    struct value *registers = p->current.registers;

    if (insn__refers_to_function(insn))
        pruning__enter(p, insn__target(p, i), i);
    if (insn__jumps(insn)) {
        pruning__follow_jump(p, i);
        return;
    }
    switch (BPF_CLASS(insn->code)) {
    case BPF_LD:
        if (insn__is_wide(insn))
            registers[insn->dst_reg] = pruning__wide_value(p, insn);
        else
            state__forget(&p->current, CALL_CLOBBERS);
        break;
    case BPF_LDX:
        pruning__load(p, insn);
        break;
    case BPF_STX:
        if (BPF_MODE(insn->code) == BPF_ATOMIC)
            registers[BPF_REG_0] = registers[insn->src_reg] = unknown;
        break;
    case BPF_ALU:
    case BPF_ALU64:
        state__calculate(&p->current, insn);
        break;
    case BPF_JMP: /* a call, or an exit */
    case BPF_JMP32:
        state__forget(&p->current, CALL_CLOBBERS);
        p->current.is_reached = BPF_OP(insn->code) == BPF_CALL;
        break;
    default: /* stores */
        break;
    }
}

/* What is known before an instruction. */
static void pruning__arrive(struct pruning *p, size_t i)
{
    if (p->marks[i] & MARK_TARGET)
        state__merge(&p->current, &p->states[p->places[i]]);
    if (p->marks[i] & MARK_ENTRY)
        p->current.is_reached = true;
    if (p->marks[i] & (MARK_ENTRY | MARK_LOOP))
        state__forget(&p->current, REGISTERS);
}

static void pruning__go_through(struct pruning *p, size_t target_count)
{
    for (size_t i = 0; i < p->count; i++)
        p->marks[i] &= MARK_TARGET | MARK_LOOP | MARK_ENTRY;
    for (size_t i = 0; i < target_count; i++)
        p->states[i].is_reached = false;
    p->current.is_reached = false;
    for (size_t i = 0; i < p->count; i++) {
        pruning__arrive(p, i);
        bool is_wide = insn__is_wide(&p->insns[i]);

        if (p->current.is_reached) {
            p->marks[i] |= MARK_REACHED;
            pruning__follow(p, i);
        }
        i += is_wide;
    }
}

/* Mark the targets of jumps, and number those that a state is kept for. How many these are. */
static size_t pruning__number_targets(struct pruning *p)
{
    size_t count = 0;

    for (size_t i = 0; i < p->count; i += 1 + insn__is_wide(&p->insns[i])) {
        if (!insn__jumps(&p->insns[i]))
            continue;
        size_t target = insn__target(p, i);

        if (target > i && !(p->marks[target] & MARK_TARGET))
            p->places[target] = (uint32_t)count++;
        p->marks[target] |= target > i ? MARK_TARGET : MARK_LOOP;
    }
    return count;
}

/* ----------------------------------------------------------------- the result */

static bool pruning__keeps(const struct pruning *p, size_t i)
{
    uint8_t marks = p->marks[i];

    if (!(marks & MARK_REACHED) || marks & MARK_NEVER)
        return false;
    if (!(marks & MARK_ALWAYS))
        return true;
    size_t target = insn__target(p, i);

    return target <= i || p->places[target] != p->places[i + 1]; /* else there is nothing to be jumped over */
}

/* Find out where everything goes: at first from the end, then from the beginning. How much is left. */
static size_t pruning__place(struct pruning *p)
{
    size_t kept = 0;

    p->places[p->count] = 0;
    for (size_t i = p->count; i-- > 0;) {
        bool is_second = i > 0 && insn__is_wide(&p->insns[i - 1]) && p->marks[i - 1] & MARK_REACHED;

        kept += is_second || pruning__keeps(p, i);
        p->places[i] = (uint32_t)kept;
    }
    for (size_t i = 0; i <= p->count; i++)
        p->places[i] = (uint32_t)kept - p->places[i];
    return kept;
}

static void pruning__retarget(struct pruning *p, size_t i)
{
    struct bpf_insn *insn = &p->insns[i];
    bool jumps = insn__jumps(insn);

    if (!jumps && !insn__refers_to_function(insn))
        return;
    int distance = (int)p->places[insn__target(p, i)] - (int)p->places[i] - 1;

    if (p->marks[i] & MARK_ALWAYS && !insn__jumps_far(insn))
        *insn = (struct bpf_insn){.code = BPF_JMP | BPF_JA};
    if (jumps && !insn__jumps_far(insn))
        insn->off = (int16_t)distance;
    else
        insn->imm = distance;
}

static void pruning__move(struct pruning *p)
{
    for (size_t i = 0; i < p->count; i++) {
        bool is_wide = insn__is_wide(&p->insns[i]);

        if (p->places[i] != p->places[i + 1]) {
            pruning__retarget(p, i);
            memmove(&p->insns[p->places[i]], &p->insns[i], (1 + is_wide) * sizeof(*p->insns));
        }
        i += is_wide;
    }
}

bool prune(struct bpf_insn *insns, size_t count, const struct prune_constants *constants, struct pruned *ret_pruned)
{
    struct pruning p = {
        .insns = insns,
        .count = count,
        .constants = constants,
        .marks = calloc(count + 1, sizeof(*p.marks)),
        .places = calloc(count + 1, sizeof(*p.places)),
    };
    size_t target_count = p.marks && p.places ? pruning__number_targets(&p) : 0;

    p.states = calloc(target_count + 1, sizeof(*p.states));
    *ret_pruned = (struct pruned){.places = p.places, .marks = p.marks};
    if (!p.marks || !p.places || !p.states) {
        pruned__free(ret_pruned);
        free(p.states);
        return false;
    }
    p.marks[0] |= MARK_ENTRY;
    do {
        p.again = false;
        pruning__go_through(&p, target_count);
    } while (p.again);
    free(p.states);
    ret_pruned->count = pruning__place(&p);
    pruning__move(&p);
    return true;
}

bool pruned__is_reached(const struct pruned *pruned, size_t insn)
{
    return pruned->marks[insn] & MARK_REACHED;
}

void pruned__free(struct pruned *pruned)
{
    free(pruned->places);
    free(pruned->marks);
    *pruned = (struct pruned){0};
}
