// SPDX-License-Identifier: BSD-2-Clause
/*
 * test-untype.c - programs without types do what they did with types. Both are executed by a small interpreter, in
 * which an untyped program may load from the stack and its context only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/user.h>

#include "Bpf/Object/Untype.h"
#include "Core/EmitShared.h"
#include "check.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define STEPS_MAX 10000
#define GARBAGE UINT64_C(0xbadbadbadbadbad0)

#define INSN(...)                                                                                                      \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define MOV(to, from) INSN(.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from))
#define MOV_NUMBER(to, number) INSN(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (to), .imm = (number))
#define ADD(to, from) INSN(.code = BPF_ALU64 | BPF_ADD | BPF_X, .dst_reg = (to), .src_reg = (from))
#define ADD_NUMBER(to, number) INSN(.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (to), .imm = (number))
#define LOAD(size, to, from, at)                                                                                       \
    INSN(.code = BPF_LDX | BPF_MEM | (size), .dst_reg = (to), .src_reg = (from), .off = (at))
#define STORE(size, to, at, from)                                                                                      \
    INSN(.code = BPF_STX | BPF_MEM | (size), .dst_reg = (to), .off = (at), .src_reg = (from))
#define JUMP_UNLESS(reg, number, distance)                                                                             \
    INSN(.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = (reg), .imm = (number), .off = (distance))
#define HELPER(number) INSN(.code = BPF_JMP | BPF_CALL, .imm = (int)(number))
#define CAST HELPER(CALL_RDONLY_CAST)
#define CALL(distance) INSN(.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = (distance))
#define EXIT INSN(.code = BPF_JMP | BPF_EXIT)

/* ---------------------------------------------------------- the interpreter */

struct object {
    uint64_t number;
    struct object *next;
    uint32_t half;
    uint16_t quarter;
    uint8_t byte;
};

static struct object third = {.number = 33, .half = 0x80000003, .quarter = 0x8003, .byte = 0xf3};
static struct object second = {.number = 22, .next = &third, .half = 0x80000002, .quarter = 0x8002, .byte = 0xf2};
static struct object first = {.number = 11, .next = &second, .half = 0x80000001, .quarter = 0x8001, .byte = 0xf1};

struct machine {
    uint64_t registers[11];
    uint64_t frames[4][64];
    const void *context;
    size_t context_size;
    bool has_types; /* the verifier lets it load from anywhere */
    bool is_wrong;
    size_t reads; /* calls of bpf_probe_read_kernel */
};

static bool machine__may_access(const struct machine *m, uint64_t at, size_t size)
{
    uint64_t frames = (uintptr_t)m->frames, context = (uintptr_t)m->context;

    return (at >= frames && at + size <= frames + sizeof(m->frames)) ||
           (at >= context && at + size <= context + m->context_size);
}

static size_t insn__size(const struct bpf_insn *insn)
{
    return BPF_SIZE(insn->code) == BPF_DW  ? 8
           : BPF_SIZE(insn->code) == BPF_W ? 4
           : BPF_SIZE(insn->code) == BPF_H ? 2
                                           : 1;
}

static void machine__access(struct machine *m, const struct bpf_insn *insn)
{
    bool loads = BPF_CLASS(insn->code) == BPF_LDX;
    uint64_t at = m->registers[loads ? insn->src_reg : insn->dst_reg] + (uint64_t)insn->off;

    if (!machine__may_access(m, at, insn__size(insn)) && !(loads && m->has_types)) {
        m->is_wrong = true;
        return;
    }
    if (loads)
        m->registers[insn->dst_reg] = 0;
    if (loads)
        memcpy(&m->registers[insn->dst_reg], (void *)(uintptr_t)at, insn__size(insn));
    else
        memcpy((void *)(uintptr_t)at, &m->registers[insn->src_reg], insn__size(insn));
}

static void machine__call(struct machine *m, int helper)
{
    uint64_t ret = 0;

    if (helper == CALL_RDONLY_CAST) {
        m->is_wrong |= !m->has_types;
        ret = m->registers[1];
    } else if (helper == BPF_FUNC_probe_read_kernel) {
        m->is_wrong |= !machine__may_access(m, m->registers[1], m->registers[2]);
        if (!m->is_wrong)
            memcpy((void *)(uintptr_t)m->registers[1], (void *)(uintptr_t)m->registers[3], m->registers[2]);
        m->reads++;
    } else if (helper == BPF_FUNC_get_current_task || helper == BPF_FUNC_get_current_task_btf) {
        ret = (uintptr_t)&first;
    }
    for (size_t i = 1; i <= 5; i++)
        m->registers[i] = GARBAGE + i;
    m->registers[0] = ret;
}

/* Execute a function, return what it returns. */
static uint64_t machine__run(struct machine *m, const struct bpf_insn *insns, size_t start, size_t depth)
{
    size_t steps = 0;

    m->registers[10] = (uintptr_t)(m->frames[depth] + COUNT(m->frames[depth]));
    for (size_t i = start; !m->is_wrong && steps < STEPS_MAX; i++, steps++) {
        const struct bpf_insn *insn = &insns[i];
        uint64_t from = BPF_SRC(insn->code) == BPF_X ? m->registers[insn->src_reg] : (uint64_t)insn->imm;
        uint64_t *to = &m->registers[insn->dst_reg], kept[5];

        switch (BPF_CLASS(insn->code)) {
        case BPF_LDX:
        case BPF_STX:
            machine__access(m, insn);
            break;
        case BPF_ALU64:
            *to = BPF_OP(insn->code) == BPF_MOV ? from : BPF_OP(insn->code) == BPF_ADD ? *to + from : *to & from;
            break;
        case BPF_JMP:
            if (BPF_OP(insn->code) == BPF_EXIT)
                return m->registers[0];
            if (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL) {
                memcpy(kept, &m->registers[6], sizeof(kept));
                machine__run(m, insns, i + 1 + (size_t)insn->imm, depth + 1);
                memcpy(&m->registers[6], kept, sizeof(kept));
                for (size_t reg = 1; reg <= 5; reg++)
                    m->registers[reg] = GARBAGE + reg;
            } else if (BPF_OP(insn->code) == BPF_CALL) {
                machine__call(m, insn->imm);
            } else if (BPF_OP(insn->code) == BPF_JA || *to != from) {
                i = (size_t)((int64_t)i + insn->off);
            }
            break;
        default:
            m->is_wrong = true;
        }
    }
    m->is_wrong = true;
    return 0;
}

/* Execute a program with a context. */
static uint64_t run(struct machine *m, const struct bpf_insn *insns, const void *context, size_t context_size)
{
    m->context = context;
    m->context_size = context_size;
    m->registers[1] = (uintptr_t)context;
    return machine__run(m, insns, 0, 0);
}

/*
 * Untype a program whose context begins with the address of the first object, and check that it returns the same.
 * Returns the number of reads.
 */
static size_t check_same(const struct bpf_insn *insns, size_t count, uint64_t want)
{
    const uint64_t context[2] = {(uintptr_t)&first, 7};
    struct machine typed = {.has_types = true}, plain = {.has_types = false};
    struct untyped untyped;

    CHECK(run(&typed, insns, context, sizeof(context)) == want && !typed.is_wrong);
    if (!CHECK(!untype(insns, count, true, false, &untyped)))
        return 0;
    CHECK(run(&plain, untyped.insns, context, sizeof(context)) == want && !plain.is_wrong);
    CHECK(untyped.new_numbers[count] == untyped.count);
    untyped__free(&untyped);
    return plain.reads;
}

/* ------------------------------------------------------------------- the tests */

#define AT(member) __builtin_offsetof(struct object, member)

static void test_sizes(void)
{
    const struct bpf_insn bytes[] = {LOAD(BPF_DW, 1, 1, 0), CAST, LOAD(BPF_B, 0, 0, AT(byte)), EXIT};
    const struct bpf_insn quarters[] = {LOAD(BPF_DW, 1, 1, 0), CAST, LOAD(BPF_H, 0, 0, AT(quarter)), EXIT};
    const struct bpf_insn halves[] = {LOAD(BPF_DW, 1, 1, 0), CAST, LOAD(BPF_W, 0, 0, AT(half)), EXIT};
    const struct bpf_insn follows[] = {LOAD(BPF_DW, 1, 1, 0),          CAST,
                                       LOAD(BPF_DW, 1, 0, AT(next)),   LOAD(BPF_DW, 2, 1, AT(next)),
                                       LOAD(BPF_DW, 0, 2, AT(number)), EXIT};

    CHECK(check_same(bytes, COUNT(bytes), 0xf1) == 1);
    CHECK(check_same(quarters, COUNT(quarters), 0x8001) == 1);
    CHECK(check_same(halves, COUNT(halves), 0x80000001) == 1);
    CHECK(check_same(follows, COUNT(follows), 33) == 3);
}

/* The registers that a call destroys keep their values if they are needed, and those without a value are not read. */
static void test_registers(void)
{
    const struct bpf_insn insns[] = {
        LOAD(BPF_DW, 1, 1, 0),
        CAST,
        MOV_NUMBER(1, 1),
        MOV_NUMBER(2, 20),
        MOV_NUMBER(3, 300),
        MOV_NUMBER(4, 4000),
        MOV(5, 0), /* the address is needed after the first load */
        LOAD(BPF_DW, 0, 5, AT(number)),
        LOAD(BPF_DW, 5, 5, AT(number)),
        ADD(0, 1),
        ADD(0, 2),
        ADD(0, 3),
        ADD(0, 4),
        ADD(0, 5),
        EXIT,
    };

    CHECK(check_same(insns, COUNT(insns), 4321 + 22) == 2);
}

/* What a program has on its stack stays there, also a pointer, and what it reaches by another register. */
static void test_stack(void)
{
    const struct bpf_insn insns[] = {
        LOAD(BPF_DW, 1, 1, 0),
        CAST,
        STORE(BPF_DW, 10, -8, 0),
        MOV(6, 10),
        ADD_NUMBER(6, -64),
        MOV_NUMBER(7, 5),
        STORE(BPF_DW, 6, 0, 7),
        STORE(BPF_DW, 6, 8, 0),
        HELPER(7),
        LOAD(BPF_DW, 1, 10, -8),
        LOAD(BPF_DW, 8, 1, AT(number)),
        LOAD(BPF_DW, 2, 6, 8),
        LOAD(BPF_DW, 9, 2, AT(next)),
        LOAD(BPF_DW, 0, 6, 0),
        ADD(0, 8),
        LOAD(BPF_DW, 1, 9, AT(number)),
        ADD(0, 1),
        EXIT,
    };

    CHECK(check_same(insns, COUNT(insns), 5 + 11 + 22) == 3);
}

/* Either way to a load may have made its address, in a loop too; and a frame pointer may move in a loop. */
static void test_jumps(void)
{
    const struct bpf_insn branch[] = {
        LOAD(BPF_DW, 6, 1, 8),
        LOAD(BPF_DW, 1, 1, 0),
        CAST,
        MOV(7, 0),
        JUMP_UNLESS(6, 8, 1),
        MOV_NUMBER(7, 0),
        LOAD(BPF_DW, 0, 7, AT(number)),
        EXIT,
    };
    const struct bpf_insn loop[] = {
        LOAD(BPF_DW, 1, 1, 0),
        CAST,
        MOV(6, 0),
        MOV_NUMBER(7, 0),
        MOV_NUMBER(8, 0),
        MOV(9, 10),
        ADD_NUMBER(9, -8),
        STORE(BPF_DW, 9, 0, 8),
        LOAD(BPF_DW, 1, 6, AT(number)), /* the loop begins */
        ADD(7, 1),
        ADD_NUMBER(9, -8),
        STORE(BPF_DW, 9, 0, 7),
        LOAD(BPF_DW, 6, 6, AT(next)),
        JUMP_UNLESS(6, 0, -6),
        LOAD(BPF_DW, 0, 9, 0),
        EXIT,
    };

    CHECK(check_same(branch, COUNT(branch), 11) == 1);
    CHECK(check_same(loop, COUNT(loop), 66) == 6);
}

static void test_functions(void)
{
    const struct bpf_insn insns[] = {
        LOAD(BPF_DW, 1, 1, 0),
        CAST,
        MOV(6, 0),
        MOV(1, 0),
        CALL(3),
        LOAD(BPF_DW, 1, 6, AT(number)),
        ADD(0, 1),
        EXIT,
        LOAD(BPF_DW, 1, 1, AT(next)), /* the function */
        LOAD(BPF_DW, 0, 1, AT(number)),
        EXIT,
    };
    struct untyped untyped;

    CHECK(check_same(insns, COUNT(insns), 22 + 11) == 3);
    if (!CHECK(!untype(insns, COUNT(insns), true, false, &untyped)))
        return;
    CHECK(untyped.new_numbers[8] > 8 && untyped.insns[untyped.new_numbers[8] - 1].code == (BPF_JMP | BPF_EXIT));
    untyped__free(&untyped);
}

/* The current task keeps its type, where it has one. */
static void test_current(void)
{
    const struct bpf_insn insns[] = {
        HELPER(BPF_FUNC_get_current_task_btf), MOV(1, 0), CAST, LOAD(BPF_DW, 1, 0, AT(next)),
        LOAD(BPF_DW, 0, 1, AT(number)),        EXIT};
    struct machine m = {0};
    struct untyped untyped;

    if (!CHECK(!untype(insns, COUNT(insns), true, false, &untyped)))
        return;
    CHECK(untyped.count == COUNT(insns) && untyped.insns[0].imm == BPF_FUNC_get_current_task_btf);
    untyped__free(&untyped);
    if (!CHECK(!untype(insns, COUNT(insns), false, false, &untyped)))
        return;
    CHECK(untyped.insns[0].imm == BPF_FUNC_get_current_task);
    CHECK(run(&m, untyped.insns, NULL, 0) == 22 && !m.is_wrong && m.reads == 2);
    untyped__free(&untyped);
}

/* A program for a trampoline gets its arguments from the registers of a kprobe. */
static void test_converted(void)
{
    const struct bpf_insn insns[] = {
        MOV(6, 1), LOAD(BPF_DW, 2, 6, 8), LOAD(BPF_DW, 7, 6, 0), LOAD(BPF_DW, 0, 2, AT(number)), ADD(0, 7), EXIT};
    struct user_regs_struct regs = {0};
    struct machine m = {0};
    struct untyped untyped;

#ifdef __x86_64__
    regs.rdi = 5;
    regs.rsi = (uintptr_t)&second;
#else
    regs.regs[0] = 5;
    regs.regs[1] = (uintptr_t)&second;
#endif
    if (!CHECK(!untype(insns, COUNT(insns), true, true, &untyped)))
        return;
    CHECK(run(&m, untyped.insns, &regs, sizeof(regs)) == 27 && !m.is_wrong && m.reads == 1);
    untyped__free(&untyped);
}

static void test_refusals(void)
{
    const struct bpf_insn computes[] = {MOV(2, 1), ADD_NUMBER(2, 8), LOAD(BPF_DW, 0, 2, 0), EXIT};
    const struct bpf_insn callback[] = {
        INSN(.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 2, .src_reg = BPF_PSEUDO_FUNC, .imm = 1), INSN(.imm = 0),
        EXIT, EXIT};
    const struct bpf_insn large[] = {LOAD(BPF_DW, 1, 1, 0), CAST, STORE(BPF_DW, 10, -512, 0),
                                     LOAD(BPF_DW, 0, 0, AT(number)), EXIT};
    const struct bpf_insn fits[] = {LOAD(BPF_DW, 1, 1, 0), CAST, STORE(BPF_DW, 10, -504, 0),
                                    LOAD(BPF_DW, 0, 0, AT(number)), EXIT};
    struct untyped untyped;

    CHECK(untype(computes, COUNT(computes), true, true, &untyped) == -EOPNOTSUPP);
    CHECK(check_same(computes, COUNT(computes), 7) == 0);
    CHECK(untype(callback, COUNT(callback), true, false, &untyped) == -EOPNOTSUPP);
    CHECK(untype(large, COUNT(large), true, false, &untyped) == -E2BIG);
    CHECK(check_same(fits, COUNT(fits), 11) == 1);
}

/* Return an instruction of a random program: registers 0 to 7 hold addresses of objects, register 8 a sum. */
static struct bpf_insn random_insn(void)
{
    uint8_t to = (uint8_t)(random() % 8), from = (uint8_t)(random() % 8);
    int16_t member = random() % 2 ? AT(next) : AT(number), place = (int16_t)(-8 - 8 * (random() % 4));

    switch (random() % 8) {
    case 0:
        return (struct bpf_insn)MOV(to, from);
    case 1:
        return (struct bpf_insn)STORE(BPF_DW, 10, place, from);
    case 2:
        return (struct bpf_insn)LOAD(BPF_DW, to, 10, place);
    case 3:
        return (struct bpf_insn)ADD(8, from);
    case 4:
        return (struct bpf_insn)JUMP_UNLESS(from, 0, 1); /* always */
    default:
        return (struct bpf_insn)LOAD(BPF_DW, to, from, member);
    }
}

/* Programs of any loads, with any registers in use, among objects all of whose members are addresses of such. */
static void test_any(void)
{
    enum { OBJECTS = 16, INSNS = 60 };
    struct object objects[OBJECTS] = {{0}};
    struct bpf_insn insns[INSNS + 24];
    const uint64_t context[1] = {(uintptr_t)&objects[0]};

    srandom(1);
    for (int n = 0; n < 2000; n++) {
        struct machine typed = {.has_types = true}, plain = {0};
        struct untyped untyped;
        size_t count = 0;

        for (size_t i = 0; i < OBJECTS; i++) {
            objects[i].number = (uintptr_t)&objects[random() % OBJECTS];
            objects[i].next = &objects[random() % OBJECTS];
        }
        insns[count++] = (struct bpf_insn)LOAD(BPF_DW, 1, 1, 0);
        insns[count++] = (struct bpf_insn)CAST;
        for (uint8_t reg = 1; reg <= 8; reg++)
            insns[count++] = (struct bpf_insn)MOV(reg, 0);
        for (int16_t place = -8; place >= -32; place = (int16_t)(place - 8))
            insns[count++] = (struct bpf_insn)STORE(BPF_DW, 10, place, 0);
        while (count < INSNS)
            insns[count++] = random_insn();
        for (uint8_t reg = 0; reg <= 7; reg++)
            insns[count++] = (struct bpf_insn)ADD(8, reg);
        insns[count++] = (struct bpf_insn)MOV(0, 8);
        insns[count++] = (struct bpf_insn)EXIT;
        uint64_t want = run(&typed, insns, context, sizeof(context));

        if (!CHECK(!untype(insns, count, true, false, &untyped)))
            return;
        CHECK(run(&plain, untyped.insns, context, sizeof(context)) == want && !typed.is_wrong && !plain.is_wrong);
        untyped__free(&untyped);
    }
}

int main(void)
{
    test_sizes();
    test_registers();
    test_stack();
    test_jumps();
    test_functions();
    test_current();
    test_converted();
    test_refusals();
    test_any();
    return check__report();
}
