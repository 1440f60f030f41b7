// SPDX-License-Identifier: BSD-2-Clause
/* test-prune.c - programs without their dead code do what they did before. */
#include <stdlib.h>
#include <string.h>

#include "Bpf/Object/Prune.h"
#include "check.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define MAP_FD 5

#define MOV(reg, number)                                                                                               \
    {                                                                                                                  \
        .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (reg), .imm = (number)                                         \
    }
#define ALU(op, to, from)                                                                                              \
    {                                                                                                                  \
        .code = BPF_ALU64 | (op) | BPF_X, .dst_reg = (to), .src_reg = (from)                                           \
    }
#define JUMP(op, reg, number, distance)                                                                                \
    {                                                                                                                  \
        .code = BPF_JMP | (op) | BPF_K, .dst_reg = (reg), .imm = (number), .off = (distance)                           \
    }
#define GO(distance)                                                                                                   \
    {                                                                                                                  \
        .code = BPF_JMP | BPF_JA, .off = (distance)                                                                    \
    }
#define CALL(distance)                                                                                                 \
    {                                                                                                                  \
        .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = (distance)                                      \
    }
#define HELPER                                                                                                         \
    {                                                                                                                  \
        .code = BPF_JMP | BPF_CALL, .imm = 7                                                                           \
    }
#define TAIL_CALL                                                                                                      \
    {                                                                                                                  \
        .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_tail_call                                                          \
    }
#define CONSTANTS(reg, at)                                                                                             \
    {.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = (reg), .src_reg = BPF_PSEUDO_MAP_VALUE, .imm = MAP_FD},             \
    {                                                                                                                  \
        .imm = (at)                                                                                                    \
    }
#define LOAD(size, to, from, at)                                                                                       \
    {                                                                                                                  \
        .code = BPF_LDX | BPF_MEM | (size), .dst_reg = (to), .src_reg = (from), .off = (at)                            \
    }
#define EXIT                                                                                                           \
    {                                                                                                                  \
        .code = BPF_JMP | BPF_EXIT                                                                                     \
    }

static const uint8_t bytes[16] = {1, 2, 3, 4, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
static const struct prune_constants constants = {.map_fd = MAP_FD, .bytes = bytes, .size = sizeof(bytes)};

static size_t prune_all(struct bpf_insn *insns, size_t count)
{
    struct pruned pruned;

    if (!CHECK(prune(insns, count, &constants, &pruned)))
        return 0;
    count = pruned.count;
    pruned__free(&pruned);
    return count;
}

#define CHECK_PRUNED(insns, ...)                                                                                       \
    do {                                                                                                               \
        const struct bpf_insn want_[] = {__VA_ARGS__};                                                                 \
        struct pruned pruned_;                                                                                         \
                                                                                                                       \
        CHECK(prune(insns, COUNT(insns), &constants, &pruned_));                                                       \
        CHECK(pruned_.count == COUNT(want_) && !memcmp(insns, want_, sizeof(want_)));                                  \
        pruned__free(&pruned_);                                                                                        \
    } while (0)

static void test_branches(void)
{
    struct bpf_insn never[] = {MOV(1, 0), JUMP(BPF_JNE, 1, 0, 2), MOV(0, 1), EXIT, MOV(0, 2), EXIT};
    struct bpf_insn always[] = {MOV(1, 3), JUMP(BPF_JGT, 1, 2, 2), MOV(0, 1), EXIT, MOV(0, 2), EXIT};
    struct bpf_insn unknown[] = {HELPER, JUMP(BPF_JGT, 0, 2, 1), EXIT, MOV(0, 2), EXIT};
    struct bpf_insn joined[] = {MOV(1, 0), HELPER, JUMP(BPF_JEQ, 0, 0, 1), MOV(1, 1), JUMP(BPF_JEQ, 1, 0, 1),
                                MOV(0, 9), EXIT};
    struct bpf_insn same[] = {MOV(6, 1), HELPER, JUMP(BPF_JEQ, 0, 0, 1), MOV(6, 1), JUMP(BPF_JEQ, 6, 1, 1),
                              MOV(0, 9), EXIT};

    CHECK_PRUNED(never, MOV(1, 0), MOV(0, 1), EXIT);
    CHECK_PRUNED(always, MOV(1, 3), MOV(0, 2), EXIT);
    CHECK_PRUNED(unknown, HELPER, JUMP(BPF_JGT, 0, 2, 1), EXIT, MOV(0, 2), EXIT);
    CHECK(prune_all(joined, COUNT(joined)) == COUNT(joined));
    CHECK_PRUNED(same, MOV(6, 1), HELPER, JUMP(BPF_JEQ, 0, 0, 1), MOV(6, 1), EXIT);
}

/* A jump across removed code becomes shorter; a jump that has nothing left to cross is removed too. */
static void test_distances(void)
{
    struct bpf_insn crossed[] = {HELPER,    MOV(1, 0), JUMP(BPF_JEQ, 0, 7, 3), JUMP(BPF_JEQ, 1, 0, 1), MOV(0, 1),
                                 MOV(0, 2), EXIT};
    struct bpf_insn emptied[] = {MOV(1, 1), GO(1), MOV(1, 2), MOV(0, 3), EXIT};
    struct bpf_insn back[] = {HELPER, MOV(1, 0), JUMP(BPF_JNE, 1, 0, 1), JUMP(BPF_JNE, 0, 0, -4), EXIT};

    CHECK_PRUNED(crossed, HELPER, MOV(1, 0), JUMP(BPF_JEQ, 0, 7, 1), MOV(0, 2), EXIT);
    CHECK_PRUNED(emptied, MOV(1, 1), MOV(0, 3), EXIT);
    CHECK_PRUNED(back, HELPER, MOV(1, 0), JUMP(BPF_JNE, 0, 0, -3), EXIT);
}

static void test_loops(void)
{
    /* the register is 0 only the first time */
    struct bpf_insn loop[] = {MOV(1, 0), JUMP(BPF_JEQ, 1, 0, 1), EXIT, MOV(1, 1), GO(-4)};
    struct bpf_insn entered_from_behind[] = {GO(2), MOV(0, 1), EXIT, GO(-3)};

    CHECK(prune_all(loop, COUNT(loop)) == COUNT(loop));
    CHECK_PRUNED(entered_from_behind, GO(2), MOV(0, 1), EXIT, GO(-3));
}

static void test_functions(void)
{
    struct bpf_insn insns[] = {
        MOV(1, 1), JUMP(BPF_JEQ, 1, 1, 1), CALL(3), CALL(4), EXIT, EXIT, MOV(0, 1), EXIT, MOV(0, 2), CALL(-4), EXIT};
    struct pruned pruned;

    CHECK(prune(insns, COUNT(insns), &constants, &pruned));
    CHECK(pruned__is_reached(&pruned, 8) && pruned__is_reached(&pruned, 6) && !pruned__is_reached(&pruned, 5));
    CHECK(pruned.count == 8 && pruned.new_numbers[6] == 3 && pruned.new_numbers[8] == 5);
    CHECK(insns[1].imm == 3 && insns[6].imm == -4);
    pruned__free(&pruned);
}

/* It stays, because the kernel looks for it, except for kernels that refuse it. */
static void test_tail_call(void)
{
    struct bpf_insn next[] = {MOV(1, 0), JUMP(BPF_JNE, 1, 2, 2), MOV(3, 0), TAIL_CALL, EXIT};
    struct bpf_insn apart[] = {MOV(1, 0), JUMP(BPF_JEQ, 1, 2, 2), MOV(0, 1), EXIT, MOV(3, 0), TAIL_CALL, EXIT};
    struct bpf_insn none[] = {MOV(1, 0), JUMP(BPF_JNE, 1, 2, 2), MOV(3, 0), HELPER, EXIT};

    CHECK(prune_all(next, COUNT(next)) == COUNT(next));
    CHECK(prune_all(apart, COUNT(apart)) == COUNT(apart));
    CHECK_PRUNED(none, MOV(1, 0), EXIT);

    struct prune_constants dropping = constants;
    struct pruned pruned;

    dropping.drops_tail_calls = true;
    CHECK(prune(next, COUNT(next), &dropping, &pruned) && pruned.count == 2);
    pruned__free(&pruned);
}

static void test_constants(void)
{
    struct bpf_insn known[] = {CONSTANTS(1, 0), LOAD(BPF_W, 2, 1, 0), JUMP(BPF_JEQ, 2, 0x04030201, 1), MOV(0, 1), EXIT};
    struct bpf_insn beyond[] = {CONSTANTS(1, 8), LOAD(BPF_DW, 2, 1, 1), JUMP(BPF_JEQ, 2, 0, 1), MOV(0, 1), EXIT};
    struct bpf_insn other[] = {CONSTANTS(1, 0), LOAD(BPF_W, 2, 1, 0), JUMP(BPF_JEQ, 2, 0x04030201, 1), MOV(0, 1), EXIT};
    struct bpf_insn called[] = {CONSTANTS(1, 0), HELPER, LOAD(BPF_W, 2, 1, 0), JUMP(BPF_JEQ, 2, 0x04030201, 1),
                                MOV(0, 1),       EXIT};

    other[0].imm = MAP_FD + 1;
    CHECK_PRUNED(known, CONSTANTS(1, 0), LOAD(BPF_W, 2, 1, 0), EXIT);
    CHECK(prune_all(beyond, COUNT(beyond)) == COUNT(beyond));
    CHECK(prune_all(other, COUNT(other)) == COUNT(other));
    CHECK(prune_all(called, COUNT(called)) == COUNT(called));
}

/* ------------------------------------------------------- any program, executed */

#define RANDOM_LEN 40
#define RANDOM_STEPS 400
#define RANDOM_REGISTERS 4

static uint64_t random_state;

static uint32_t next_random(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

static const uint8_t operations[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_AND, BPF_OR,
                                     BPF_XOR, BPF_LSH, BPF_RSH, BPF_MOV, BPF_ARSH};
static const uint8_t comparisons[] = {BPF_JEQ,  BPF_JNE,  BPF_JGT,  BPF_JGE,  BPF_JLT, BPF_JLE,
                                      BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE, BPF_JSET};

static struct bpf_insn random_insn(int place)
{
    uint8_t source = next_random(2) ? BPF_X : BPF_K;
    struct bpf_insn insn = {.dst_reg = next_random(RANDOM_REGISTERS), .imm = (int)next_random(5) - 2};
    int room = RANDOM_LEN - 2 - place;

    insn.src_reg = source == BPF_X ? next_random(RANDOM_REGISTERS) : 0;
    switch (next_random(12)) {
    case 0:
        return (struct bpf_insn)HELPER;
    case 1: /* now and then backwards */
        insn.code = BPF_JMP | BPF_JA;
        insn.dst_reg = insn.src_reg = 0;
        insn.imm = 0;
        insn.off = (int16_t)(next_random(4) ? (int)next_random((uint32_t)room + 1)
                                            : -(int)next_random((uint32_t)place + 1) - 1);
        return insn;
    case 2:
    case 3:
    case 4:
    case 5:
        insn.code = (next_random(2) ? BPF_JMP : BPF_JMP32) | source | comparisons[next_random(COUNT(comparisons))];
        insn.off = (int16_t)next_random((uint32_t)room + 1);
        return insn;
    default:
        insn.code = (next_random(2) ? BPF_ALU64 : BPF_ALU) | source | operations[next_random(COUNT(operations))];
        return insn;
    }
}

static bool is_met(const struct bpf_insn *insn, uint64_t a, uint64_t b)
{
    int64_t signed_a = (int64_t)a, signed_b = (int64_t)b;

    if (BPF_CLASS(insn->code) == BPF_JMP32) {
        signed_a = (int32_t)a;
        signed_b = (int32_t)b;
        a = (uint32_t)a;
        b = (uint32_t)b;
    }
    switch (BPF_OP(insn->code)) {
    case BPF_JA:
        return true;
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
    case BPF_JSGT:
        return signed_a > signed_b;
    case BPF_JSGE:
        return signed_a >= signed_b;
    case BPF_JSLT:
        return signed_a < signed_b;
    case BPF_JSLE:
        return signed_a <= signed_b;
    default:
        return a & b;
    }
}

static uint64_t calculate(const struct bpf_insn *insn, uint64_t a, uint64_t b)
{
    bool is_64 = BPF_CLASS(insn->code) == BPF_ALU64;
    int shift = (int)(b & (is_64 ? 63 : 31));

    switch (BPF_OP(insn->code)) {
    case BPF_ADD:
        a += b;
        break;
    case BPF_SUB:
        a -= b;
        break;
    case BPF_MUL:
        a *= b;
        break;
    case BPF_AND:
        a &= b;
        break;
    case BPF_OR:
        a |= b;
        break;
    case BPF_XOR:
        a ^= b;
        break;
    case BPF_LSH:
        a <<= shift;
        break;
    case BPF_RSH:
        a = (is_64 ? a : (uint32_t)a) >> shift;
        break;
    case BPF_ARSH:
        a = is_64 ? (uint64_t)((int64_t)a >> shift) : (uint64_t)((int32_t)a >> shift);
        break;
    default:
        a = b;
    }
    return is_64 ? a : (uint32_t)a;
}

/* The value that a program returns, and the number of helpers that it has called; helpers return successive numbers. */
static uint64_t execute(const struct bpf_insn *insns, size_t count, unsigned *ret_steps)
{
    uint64_t registers[RANDOM_REGISTERS] = {0}, calls = 0;
    size_t at = 0;

    for (*ret_steps = 0; *ret_steps < RANDOM_STEPS; ++*ret_steps) {
        if (!CHECK(at < count))
            break;
        const struct bpf_insn *insn = &insns[at++];
        uint64_t *dst = &registers[insn->dst_reg % RANDOM_REGISTERS];
        uint64_t b = BPF_SRC(insn->code) == BPF_X ? registers[insn->src_reg] : (uint64_t)(int64_t)insn->imm;

        if (insn->code == (BPF_JMP | BPF_EXIT))
            return registers[0] * 1000 + calls;
        if (insn->code == (BPF_JMP | BPF_CALL)) {
            registers[0] = ++calls * 7 % 5;
            registers[1] = registers[2] = registers[3] = 0;
        } else if (BPF_CLASS(insn->code) == BPF_ALU || BPF_CLASS(insn->code) == BPF_ALU64) {
            *dst = calculate(insn, *dst, b);
        } else if (is_met(insn, *dst, b)) {
            at = (size_t)((int64_t)at + insn->off);
        }
    }
    return 0;
}

static void test_any(void)
{
    unsigned ended = 0, shorter = 0;

    for (random_state = 1; random_state < 20000; ended++) {
        struct bpf_insn before[RANDOM_LEN] = {MOV(0, 0), MOV(1, 1), MOV(2, 2), MOV(3, 3)}, after[RANDOM_LEN];
        uint64_t seed = random_state;
        unsigned steps, steps_after;
        size_t count;

        for (int i = 4; i < RANDOM_LEN - 1; i++)
            before[i] = random_insn(i);
        before[RANDOM_LEN - 1] = (struct bpf_insn)EXIT;
        memcpy(after, before, sizeof(after));
        count = prune_all(after, RANDOM_LEN);
        random_state = seed + 1;
        uint64_t result = execute(before, RANDOM_LEN, &steps);

        shorter += count < RANDOM_LEN;
        if (steps == RANDOM_STEPS)
            continue;
        if (!CHECK(execute(after, count, &steps_after) == result && steps_after <= steps))
            return;
    }
    CHECK(shorter > ended / 2);
}

int main(void)
{
    test_branches();
    test_distances();
    test_loops();
    test_functions();
    test_tail_call();
    test_constants();
    test_any();
    return check__report();
}
