/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prune.c - follows constants through the registers of a program to find branches that are never taken.
 *
 * One pass goes through the instructions in order. The state at the target of a jump is merged from all jumps that lead
 * there, which the pass has seen by then, except backward ones; so nothing is known at the beginning of a loop. If a
 * backward jump or a call leads to code that the pass took for dead, another pass begins, which is rare. Values on the
 * stack are not followed.
 */
#include "Prune.h"

#include <stdlib.h>
#include <string.h>

#include "Insn.h"
#include "PruneState.h"

/* Marks of an instruction. */
#define MARK_TARGET 1  /* of a forward jump */
#define MARK_LOOP 2    /* of a backward jump */
#define MARK_ENTRY 4   /* of a function that is called, or of a loop that only a backward jump enters */
#define MARK_REACHED 8 /* may be executed */
#define MARK_ALWAYS 16 /* this jump is always taken */
#define MARK_NEVER 32

struct pruning {
    struct bpf_insn *insns;
    size_t count;
    const struct prune_constants *constants;
    uint8_t *marks;
    uint32_t *numbers;    /* of a target: that of its state; at the end, of each instruction: the new one */
    struct state *states; /* at the targets */
    struct state current;
    bool again;
};

static size_t insn__target(const struct pruning *p, size_t i)
{
    const struct bpf_insn *insn = &p->insns[i];
    bool in_imm = insn__refers_to_function(insn) || insn__jumps_far(insn);

    return (size_t)((int64_t)i + 1 + (in_imm ? insn->imm : insn->off));
}

/* ---------------------------------------------------------------------- jumps */

/* Note a way to where no state is merged: to a function, or backward. */
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
        state__merge(&p->states[p->numbers[target]], &p->current);
}

/* Return whether a tail call follows before any jump or exit. */
static bool pruning__tail_call_follows(const struct pruning *p, size_t i)
{
    while (i < p->count && !insn__jumps(&p->insns[i]) && p->insns[i].code != (BPF_JMP | BPF_EXIT)) {
        if (insn__calls_tail(&p->insns[i]))
            return true;
        i += 1 + insn__is_wide(&p->insns[i]);
    }
    return false;
}

/* Decide a jump, except one that would skip a tail call. */
static enum decision pruning__decide(const struct pruning *p, size_t i)
{
    if (insn__jumps_always(&p->insns[i]))
        return DECISION_ALWAYS;
    enum decision decision = state__decide(&p->current, &p->insns[i]);
    size_t dead = decision == DECISION_ALWAYS ? i + 1 : insn__target(p, i);

    return decision != DECISION_OPEN && !p->constants->drops_tail_calls && pruning__tail_call_follows(p, dead)
               ? DECISION_OPEN
               : decision;
}

static void pruning__follow_jump(struct pruning *p, size_t i)
{
    enum decision decision = pruning__decide(p, i);

    if (decision == DECISION_NEVER)
        p->marks[i] |= MARK_NEVER;
    else
        pruning__jump(p, i);
    if (decision == DECISION_ALWAYS) {
        p->marks[i] |= MARK_ALWAYS;
        p->current.is_reached = false;
    }
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
            state__load_wide(&p->current, insn, p->constants);
        else
            state__forget(&p->current, CALL_CLOBBERS);
        break;
    case BPF_LDX:
        state__load(&p->current, insn, p->constants);
        break;
    case BPF_STX:
        if (BPF_MODE(insn->code) == BPF_ATOMIC)
            registers[BPF_REG_0] = registers[insn->src_reg] = (struct value){.kind = VALUE_UNKNOWN};
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

/* Set what is known before an instruction. */
static void pruning__arrive(struct pruning *p, size_t i)
{
    if (p->marks[i] & MARK_TARGET)
        state__merge(&p->current, &p->states[p->numbers[i]]);
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

/* Mark the targets of jumps, and number those that have a state. Returns how many of these there are. */
static size_t pruning__number_targets(struct pruning *p)
{
    size_t count = 0;

    for (size_t i = 0; i < p->count; i += 1 + insn__is_wide(&p->insns[i])) {
        if (!insn__jumps(&p->insns[i]))
            continue;
        size_t target = insn__target(p, i);

        if (target > i && !(p->marks[target] & MARK_TARGET))
            p->numbers[target] = (uint32_t)count++;
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

    return target <= i || p->numbers[target] != p->numbers[i + 1]; /* else there is nothing to jump over */
}

/* Number what is kept, first from the end, then from the beginning. Returns how much that is. */
static size_t pruning__renumber(struct pruning *p)
{
    size_t kept = 0;

    p->numbers[p->count] = 0;
    for (size_t i = p->count; i-- > 0;) {
        bool is_second = i > 0 && insn__is_wide(&p->insns[i - 1]) && p->marks[i - 1] & MARK_REACHED;

        kept += is_second || pruning__keeps(p, i);
        p->numbers[i] = (uint32_t)kept;
    }
    for (size_t i = 0; i <= p->count; i++)
        p->numbers[i] = (uint32_t)kept - p->numbers[i];
    return kept;
}

static void pruning__retarget(struct pruning *p, size_t i)
{
    struct bpf_insn *insn = &p->insns[i];
    bool jumps = insn__jumps(insn);

    if (!jumps && !insn__refers_to_function(insn))
        return;
    int distance = (int)p->numbers[insn__target(p, i)] - (int)p->numbers[i] - 1;

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

        if (p->numbers[i] != p->numbers[i + 1]) {
            pruning__retarget(p, i);
            memmove(&p->insns[p->numbers[i]], &p->insns[i], (1 + is_wide) * sizeof(*p->insns));
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
        .numbers = calloc(count + 1, sizeof(*p.numbers)),
    };
    size_t target_count = p.marks && p.numbers ? pruning__number_targets(&p) : 0;

    p.states = calloc(target_count + 1, sizeof(*p.states));
    *ret_pruned = (struct pruned){.new_numbers = p.numbers, .marks = p.marks};
    if (!p.marks || !p.numbers || !p.states) {
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
    ret_pruned->count = pruning__renumber(&p);
    pruning__move(&p);
    return true;
}

bool pruned__is_reached(const struct pruned *pruned, size_t insn)
{
    return pruned->marks[insn] & MARK_REACHED;
}

void pruned__free(struct pruned *pruned)
{
    free(pruned->new_numbers);
    free(pruned->marks);
    *pruned = (struct pruned){0};
}
