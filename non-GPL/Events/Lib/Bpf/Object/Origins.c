/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Origins.c - see Origins.h. Both analyses go through the program until nothing changes: forward for the origins,
 * backward for what is needed.
 */
#include "Origins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "Core/EmitShared.h"
#include "Insn.h"

#define ARGS 0x3e /* bits of the registers 1 to 5 */
#define BIT(reg) ((uint16_t)(1u << (reg)))

/* ------------------------------------------------------------------- origins */

static struct origin origin__merge(struct origin a, struct origin b)
{
    if (a.kind == ORIGIN_FRAME && b.kind == ORIGIN_FRAME && a.offset != b.offset)
        return (struct origin){ORIGIN_FRAMES, 0}; /* it has to be above both, or this would never end */
    return a.kind >= b.kind ? a : b;
}

/* Merge what is known on another way to an instruction. Returns whether that changes anything. */
static bool origins__merge(struct origins *origins, const struct origins *other)
{
    const struct origins former = *origins;

    if (!origins->is_reached) {
        *origins = *other;
        origins->is_reached = true;
        return true;
    }
    for (int i = 0; i < ORIGIN_REGISTERS; i++)
        origins->registers[i] = origin__merge(former.registers[i], other->registers[i]);
    for (int i = 0; i < FRAME_WORDS; i++)
        origins->frame[i] = origin__merge(former.frame[i], other->frame[i]);
    origins->set &= other->set;
    return memcmp(origins, &former, sizeof(former)) != 0;
}

/* Return the word of the frame at a register and an offset; NULL if it is none. */
static struct origin *origins__word(struct origins *origins, uint8_t reg, int16_t offset)
{
    int at = origins->registers[reg].offset + offset + FRAME_BYTES;

    if (origins->registers[reg].kind != ORIGIN_FRAME || at < 0 || at >= FRAME_BYTES)
        return NULL;
    return &origins->frame[at / 8];
}

static void origins__load(struct origins *origins, const struct bpf_insn *insn, bool is_converted)
{
    const struct origin from = origins->registers[insn->src_reg];
    const struct origin *word = origins__word(origins, insn->src_reg, insn->off);
    struct origin to = {ORIGIN_OTHER, 0};

    if (BPF_SIZE(insn->code) == BPF_DW) {
        if (word)
            to = *word;
        else if (from.kind == ORIGIN_KERNEL || from.kind == ORIGIN_TYPED)
            to = from;
        else if (from.kind == ORIGIN_CONTEXT && is_converted)
            to.kind = ORIGIN_KERNEL;
    }
    origins->registers[insn->dst_reg] = to;
    origins->set |= BIT(insn->dst_reg);
}

static void origins__store(struct origins *origins, const struct bpf_insn *insn)
{
    struct origin *word = origins__word(origins, insn->dst_reg, insn->off);

    if (BPF_CLASS(insn->code) == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC) {
        origins->registers[BPF_REG_0].kind = ORIGIN_OTHER; /* one of the two may have got the former value */
        origins->registers[insn->src_reg].kind = ORIGIN_OTHER;
    } else if (word) {
        *word = BPF_CLASS(insn->code) == BPF_STX && BPF_SIZE(insn->code) == BPF_DW ? origins->registers[insn->src_reg]
                                                                                   : (struct origin){ORIGIN_OTHER, 0};
    }
}

/* Return whether an instruction copies a register, or sets it to a number. */
static bool insn__moves(const struct bpf_insn *insn)
{
    return BPF_OP(insn->code) == BPF_MOV;
}

static void origins__calculate(struct origins *origins, const struct bpf_insn *insn)
{
    const bool by_register = BPF_SRC(insn->code) == BPF_X, is_64 = BPF_CLASS(insn->code) == BPF_ALU64;
    const struct origin from = origins->registers[insn->src_reg];
    struct origin *to = &origins->registers[insn->dst_reg];
    const bool adds = BPF_OP(insn->code) == BPF_ADD || BPF_OP(insn->code) == BPF_SUB;

    if (is_64 && insn__moves(insn) && by_register)
        *to = from;
    else if (is_64 && adds && to->kind == ORIGIN_FRAME && !by_register)
        to->offset = (int16_t)(to->offset + (BPF_OP(insn->code) == BPF_ADD ? insn->imm : -insn->imm));
    else if (is_64 && adds && to->kind >= ORIGIN_TYPED)
        ; /* it remains what it is */
    else if (is_64 && adds && by_register && from.kind >= ORIGIN_TYPED && to->kind == ORIGIN_OTHER)
        *to = from;
    else
        *to = (struct origin){ORIGIN_OTHER, 0};
    origins->set |= BIT(insn->dst_reg);
}

static void origins__call(struct origins *origins, const struct bpf_insn *insn, bool has_current_btf)
{
    struct origin ret = {ORIGIN_OTHER, 0};

    if (!insn->src_reg && insn->imm == CALL_RDONLY_CAST)
        ret.kind = origins->registers[BPF_REG_1].kind == ORIGIN_TYPED ? ORIGIN_TYPED : ORIGIN_KERNEL;
    if (!insn->src_reg && insn->imm == BPF_FUNC_get_current_task_btf)
        ret.kind = has_current_btf ? ORIGIN_TYPED : ORIGIN_KERNEL;
    memset(origins->registers, 0, (BPF_REG_5 + 1) * sizeof(*origins->registers));
    origins->registers[BPF_REG_0] = ret;
    origins->set = (uint16_t)((origins->set & ~ARGS) | BIT(BPF_REG_0));
}

/* Return what a function knows that is called here. */
static struct origins origins__of_callee(const struct origins *caller)
{
    struct origins callee = {.is_reached = true, .set = (uint16_t)((caller->set & ARGS) | BIT(BPF_REG_10))};

    for (int i = BPF_REG_1; i <= BPF_REG_5; i++) {
        if (caller->registers[i].kind != ORIGIN_FRAME)
            callee.registers[i] = caller->registers[i];
    }
    callee.registers[BPF_REG_10].kind = ORIGIN_FRAME;
    return callee;
}

static size_t flow__target(const struct flow *flow, size_t i)
{
    const struct bpf_insn *insn = &flow->insns[i];
    bool in_imm = insn__calls_function(insn) || insn__jumps_far(insn);

    return (size_t)((int64_t)i + 1 + (in_imm ? insn->imm : insn->off));
}

static size_t flow__next(const struct flow *flow, size_t i)
{
    return i + 1 + insn__is_wide(&flow->insns[i]);
}

/* Follow an instruction that is reached. Returns whether something is new that needs another pass. */
static bool flow__follow(struct flow *flow, size_t i)
{
    const struct bpf_insn *insn = &flow->insns[i];
    struct origins after = flow->before[i];
    bool again = false, goes_on = true;

    if (insn__calls_function(insn)) {
        const struct origins callee = origins__of_callee(&after);
        size_t target = flow__target(flow, i);

        again = origins__merge(&flow->before[target], &callee) && target <= i;
    }
    if (insn__jumps(insn)) {
        size_t target = flow__target(flow, i);

        again = origins__merge(&flow->before[target], &after) && target <= i;
        goes_on = !insn__jumps_always(insn);
    } else if (insn__is_of_jump_class(insn)) {
        goes_on = BPF_OP(insn->code) != BPF_EXIT;
        origins__call(&after, insn, flow->has_current_btf);
    } else if (BPF_CLASS(insn->code) == BPF_LDX) {
        origins__load(&after, insn, flow->is_converted);
    } else if (BPF_CLASS(insn->code) == BPF_ST || BPF_CLASS(insn->code) == BPF_STX) {
        origins__store(&after, insn);
    } else if (BPF_CLASS(insn->code) == BPF_LD) {
        after.registers[insn->dst_reg] = (struct origin){ORIGIN_OTHER, 0};
        after.set |= BIT(insn->dst_reg);
    } else {
        flow->computes_context |= !insn__moves(insn) && after.registers[insn->dst_reg].kind == ORIGIN_CONTEXT;
        origins__calculate(&after, insn);
    }
    if (goes_on && flow__next(flow, i) < flow->count)
        origins__merge(&flow->before[flow__next(flow, i)], &after);
    return again;
}

static void flow__find_origins(struct flow *flow)
{
    bool again = true;

    flow->before[0] = (struct origins){.is_reached = true, .set = BIT(BPF_REG_1) | BIT(BPF_REG_10)};
    flow->before[0].registers[BPF_REG_1].kind = ORIGIN_CONTEXT;
    flow->before[0].registers[BPF_REG_10].kind = ORIGIN_FRAME;
    while (again) {
        again = false;
        for (size_t i = 0; i < flow->count; i = flow__next(flow, i)) {
            if (flow->before[i].is_reached)
                again |= flow__follow(flow, i);
        }
    }
}

bool flow__is_argument(const struct flow *flow, size_t i)
{
    const struct bpf_insn *insn = &flow->insns[i];
    const struct origins *origins = &flow->before[i];

    return flow->is_converted && BPF_CLASS(insn->code) == BPF_LDX && origins->is_reached &&
           origins->registers[insn->src_reg].kind == ORIGIN_CONTEXT;
}

bool flow__is_kernel_load(const struct flow *flow, size_t i)
{
    const struct bpf_insn *insn = &flow->insns[i];
    const struct origins *origins = &flow->before[i];

    return BPF_CLASS(insn->code) == BPF_LDX && origins->is_reached &&
           origins->registers[insn->src_reg].kind == ORIGIN_KERNEL;
}

/* -------------------------------------------------------------- what is needed */

/* Return the registers that an instruction reads, as bits. Of a call: all that may be arguments. */
static uint16_t insn__reads(const struct bpf_insn *insn)
{
    const uint16_t to = BIT(insn->dst_reg), from = BPF_SRC(insn->code) == BPF_X ? BIT(insn->src_reg) : 0;

    switch (BPF_CLASS(insn->code)) {
    case BPF_LD:
        return 0;
    case BPF_LDX:
        return BIT(insn->src_reg);
    case BPF_ST:
        return to;
    case BPF_STX:
        return (uint16_t)(to | BIT(insn->src_reg) | (BPF_MODE(insn->code) == BPF_ATOMIC ? BIT(BPF_REG_0) : 0));
    case BPF_ALU:
    case BPF_ALU64:
        return BPF_OP(insn->code) == BPF_MOV ? from : (uint16_t)(to | from);
    default:
        if (BPF_OP(insn->code) == BPF_CALL)
            return ARGS;
        if (BPF_OP(insn->code) == BPF_EXIT)
            return BIT(BPF_REG_0);
        return insn__jumps_always(insn) ? 0 : (uint16_t)(to | from);
    }
}

/* Return the registers that an instruction overwrites. */
static uint16_t insn__writes(const struct bpf_insn *insn)
{
    switch (BPF_CLASS(insn->code)) {
    case BPF_ST:
    case BPF_STX:
        return 0;
    case BPF_JMP:
    case BPF_JMP32:
        return BPF_OP(insn->code) == BPF_CALL ? ARGS | BIT(BPF_REG_0) : 0;
    default:
        return BIT(insn->dst_reg);
    }
}

/* Return the registers that are needed before an instruction. */
static uint16_t flow__needed_before(const struct flow *flow, size_t i)
{
    const struct bpf_insn *insn = &flow->insns[i];

    return (uint16_t)((flow->needed[i] & ~insn__writes(insn)) | insn__reads(insn));
}

static uint16_t flow__needed_after(const struct flow *flow, size_t i)
{
    const struct bpf_insn *insn = &flow->insns[i];
    size_t next = flow__next(flow, i);
    bool ends = BPF_CLASS(insn->code) == BPF_JMP && BPF_OP(insn->code) == BPF_EXIT;
    uint16_t needed = insn__jumps(insn) ? flow__needed_before(flow, flow__target(flow, i)) : 0;

    if (next < flow->count && !ends && !insn__jumps_always(insn))
        needed |= flow__needed_before(flow, next);
    return needed;
}

static void flow__find_needed(struct flow *flow)
{
    bool again = true;

    while (again) {
        again = false;
        for (size_t i = flow->count; i-- > 0;) {
            uint16_t needed = flow__needed_after(flow, i);

            again |= needed != flow->needed[i];
            flow->needed[i] = needed;
        }
    }
}

/* -------------------------------------------------------------------- frames */

static void flow__find_functions(struct flow *flow)
{
    uint32_t function = 0;

    for (size_t i = 0; i < flow->count; i = flow__next(flow, i)) {
        if (insn__calls_function(&flow->insns[i]))
            flow->functions[flow__target(flow, i)] = 1; /* for now: one begins here */
    }
    for (size_t i = 0; i < flow->count; i++) {
        if (flow->functions[i])
            function = (uint32_t)i;
        flow->functions[i] = function;
    }
}

/* Note the lowest place in the frame that an instruction uses or computes the address of. */
static void flow__note_lowest(struct flow *flow, size_t i)
{
    const struct bpf_insn *insn = &flow->insns[i];
    const struct origins *origins = &flow->before[i];
    const uint8_t class = BPF_CLASS(insn->code);
    const struct origin base = origins->registers[class == BPF_LDX ? insn->src_reg : insn->dst_reg];
    int16_t *lowest = &flow->lowest[flow->functions[i]];
    int at = base.offset;

    if (class == BPF_LDX || class == BPF_ST || class == BPF_STX)
        at += insn->off;
    else if (class == BPF_ALU64 && BPF_OP(insn->code) == BPF_ADD && BPF_SRC(insn->code) == BPF_K)
        at += insn->imm;
    if (base.kind == ORIGIN_FRAME && at < *lowest && at >= -FRAME_BYTES)
        *lowest = (int16_t)at;
}

int flow__find(struct flow *flow, const struct bpf_insn *insns, size_t count)
{
    flow->insns = insns;
    flow->count = count;
    flow->before = calloc(count + 1, sizeof(*flow->before));
    flow->needed = calloc(count + 1, sizeof(*flow->needed));
    flow->lowest = calloc(count + 1, sizeof(*flow->lowest));
    flow->functions = calloc(count + 1, sizeof(*flow->functions));
    if (!flow->before || !flow->needed || !flow->lowest || !flow->functions)
        return -ENOMEM;
    for (size_t i = 0; i < count; i = flow__next(flow, i)) {
        if (insn__is_wide(&insns[i]) && insns[i].src_reg == BPF_PSEUDO_FUNC)
            return -EOPNOTSUPP;
    }
    flow__find_functions(flow);
    flow__find_origins(flow);
    flow__find_needed(flow);
    for (size_t i = 0; i < count; i = flow__next(flow, i))
        flow__note_lowest(flow, i);
    return flow->is_converted && flow->computes_context ? -EOPNOTSUPP : 0;
}

void flow__free(struct flow *flow)
{
    free(flow->before);
    free(flow->needed);
    free(flow->lowest);
    free(flow->functions);
    *flow = (struct flow){0};
}
