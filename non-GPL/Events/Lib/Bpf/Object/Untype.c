/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Untype.c - see Untype.h. Below what a function uses of its stack frame there is room for the value that is read, and
 * for the registers that the call would destroy.
 */
#include "Untype.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/user.h>

#include "Core/EmitShared.h"
#include "Insn.h"
#include "Origins.h"

/* Where the context of a kprobe's program has the arguments of the function. */
static const int16_t arguments[] = {
#if defined(__x86_64__)
    offsetof(struct user_regs_struct, rdi), offsetof(struct user_regs_struct, rsi),
    offsetof(struct user_regs_struct, rdx), offsetof(struct user_regs_struct, rcx),
    offsetof(struct user_regs_struct, r8),  offsetof(struct user_regs_struct, r9),
#elif defined(__aarch64__)
    0, 8, 16, 24, 32, 40, 48, 56, /* x0 to x7 */
#else
#error "which registers have the arguments?"
#endif
};

#define CLOBBERED 6 /* registers 0 to 5, by a call */
#define READ_INSNS_MAX (2 * CLOBBERED + 7)

struct untyping {
    struct flow flow;
    struct untyped *to;
};

static struct bpf_insn insn__move(uint8_t to, uint8_t from)
{
    return (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = to, .src_reg = from};
}

static struct bpf_insn insn__move_number(uint8_t to, int number)
{
    return (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = to, .imm = number};
}

static struct bpf_insn insn__add(uint8_t to, int number)
{
    return (struct bpf_insn){.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = to, .imm = number};
}

static struct bpf_insn insn__load_frame(uint8_t size, uint8_t to, int16_t at)
{
    return (struct bpf_insn){.code = BPF_LDX | BPF_MEM | size, .dst_reg = to, .src_reg = BPF_REG_10, .off = at};
}

static struct bpf_insn insn__store_frame(int16_t at, uint8_t from)
{
    return (struct bpf_insn){.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .src_reg = from, .off = at};
}

static struct bpf_insn insn__call(int helper)
{
    return (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = helper};
}

static int size__bytes(uint8_t size)
{
    return size == BPF_DW ? 8 : size == BPF_W ? 4 : size == BPF_H ? 2 : 1;
}

/* Write what reads kernel memory in place of a load. Returns the number of instructions, or -E2BIG. */
static int load__untype(const struct flow *flow, size_t i, struct bpf_insn to[READ_INSNS_MAX])
{
    const struct bpf_insn *load = &flow->insns[i];
    const uint16_t kept = flow->needed[i] & flow->before[i].set & ~(1u << load->dst_reg);
    const uint8_t size = BPF_SIZE(load->code);
    const int16_t value = (int16_t)((flow->lowest[flow->functions[i]] & ~7) - 8);
    int16_t places[CLOBBERED] = {0}, lowest = value;
    int n = 0;

    for (uint8_t reg = 0; reg < CLOBBERED; reg++) {
        if (!(kept & 1u << reg))
            continue;
        lowest = places[reg] = (int16_t)(lowest - 8);
        to[n++] = insn__store_frame(places[reg], reg);
    }
    if (lowest < -FRAME_BYTES)
        return -E2BIG;
    to[n++] = insn__move(BPF_REG_3, load->src_reg);
    to[n++] = insn__add(BPF_REG_3, load->off);
    to[n++] = insn__move(BPF_REG_1, BPF_REG_10);
    to[n++] = insn__add(BPF_REG_1, value);
    to[n++] = insn__move_number(BPF_REG_2, size__bytes(size));
    to[n++] = insn__call(BPF_FUNC_probe_read_kernel);
    to[n++] = insn__load_frame(size, load->dst_reg, value);
    for (uint8_t reg = 0; reg < CLOBBERED; reg++) {
        if (places[reg])
            to[n++] = insn__load_frame(BPF_DW, reg, places[reg]);
    }
    return n;
}

/* Return where an argument is that is at an offset in the context for a trampoline. */
static int16_t kprobe__argument(int16_t offset)
{
    size_t n = (size_t)offset / sizeof(uint64_t);

    return n < sizeof(arguments) / sizeof(*arguments) ? arguments[n] : -1; /* which the verifier refuses */
}

/* Write what an instruction becomes. Returns the number of instructions, or -E2BIG. */
static int insn__untype(const struct flow *flow, size_t i, struct bpf_insn to[READ_INSNS_MAX])
{
    const struct bpf_insn *insn = &flow->insns[i];
    const bool calls = insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg;

    if (flow__is_kernel_load(flow, i))
        return load__untype(flow, i, to);
    to[0] = *insn;
    if (flow__is_argument(flow, i))
        to[0].off = kprobe__argument(insn->off);
    if (calls && insn->imm == CALL_RDONLY_CAST)
        to[0] = insn__move(BPF_REG_0, BPF_REG_1);
    if (calls && insn->imm == BPF_FUNC_get_current_task_btf && !flow->has_current_btf)
        to[0] = insn__call(BPF_FUNC_get_current_task);
    if (!insn__is_wide(insn))
        return 1;
    to[1] = insn[1];
    return 2;
}

/* Write all instructions, with jumps as they were, and number them. 0 or -E2BIG. */
static int untyping__write(struct untyping *u)
{
    const struct flow *flow = &u->flow;

    for (size_t i = 0; i < flow->count; i++) {
        int count = insn__untype(flow, i, &u->to->insns[u->to->count]);

        if (count < 0)
            return count;
        u->to->new_numbers[i] = (uint32_t)u->to->count;
        if (insn__is_wide(&flow->insns[i]))
            u->to->new_numbers[++i] = (uint32_t)u->to->count + 1;
        u->to->count += (size_t)count;
    }
    u->to->new_numbers[flow->count] = (uint32_t)u->to->count;
    return 0;
}

/* Direct the jumps and calls to where their targets are now. 0 or -E2BIG. */
static int untyping__retarget(struct untyping *u)
{
    const uint32_t *numbers = u->to->new_numbers;

    for (size_t i = 0; i < u->flow.count; i++) {
        const struct bpf_insn *insn = &u->flow.insns[i];
        const bool in_imm = insn__calls_function(insn) || insn__jumps_far(insn);
        struct bpf_insn *moved = &u->to->insns[numbers[i]];

        i += insn__is_wide(insn);
        if (!in_imm && !insn__jumps(insn))
            continue;
        int distance = (int)numbers[(int64_t)i + 1 + (in_imm ? insn->imm : insn->off)] - (int)numbers[i] - 1;

        if (in_imm)
            moved->imm = distance;
        else
            moved->off = (int16_t)distance;
        if (!in_imm && distance != (int16_t)distance)
            return -E2BIG;
    }
    return 0;
}

int untype(const struct bpf_insn *insns, size_t count, bool has_current_btf, bool is_converted,
           struct untyped *ret_untyped)
{
    struct untyping u = {.flow = {.has_current_btf = has_current_btf, .is_converted = is_converted}, .to = ret_untyped};
    int err = flow__find(&u.flow, insns, count);

    *ret_untyped = (struct untyped){
        .insns = calloc(count * READ_INSNS_MAX + 1, sizeof(*insns)),
        .new_numbers = calloc(count + 1, sizeof(*ret_untyped->new_numbers)),
    };
    if (!err && (!ret_untyped->insns || !ret_untyped->new_numbers))
        err = -ENOMEM;
    if (!err)
        err = untyping__write(&u);
    if (!err)
        err = untyping__retarget(&u);
    flow__free(&u.flow);
    if (err)
        untyped__free(ret_untyped);
    return err;
}

void untyped__free(struct untyped *untyped)
{
    free(untyped->insns);
    free(untyped->new_numbers);
    *untyped = (struct untyped){0};
}
