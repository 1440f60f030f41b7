// SPDX-License-Identifier: BSD-2-Clause
/* Jit.c - see Jit.h. */
#include "Jit.h"

#ifdef __x86_64__

bool jit__has_fetch(void)
{
    return true;
}

bool jit__has_tail_calls_beside_functions(void)
{
    return true;
}

#else

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <unistd.h>

#include "Core/EmitShared.h"

#define TRY_NAME "ebpf_try"

/* Load a program. Returns a descriptor, negative if the kernel refuses it. */
static int program__try(const struct bpf_insn *insns, size_t count)
{
    return bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, TRY_NAME, EMIT_LICENSE, insns, count, NULL);
}

/* Return whether a program was compiled; if the compiler refuses one, some kernels interpret it. */
static bool program__is_compiled(int fd)
{
    struct bpf_prog_info info = {0};
    uint32_t size = sizeof(info);

    return !bpf_obj_get_info_by_fd(fd, &info, &size) && info.jited_prog_len;
}

bool jit__has_fetch(void)
{
    static const struct bpf_insn insns[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
        {.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .src_reg = BPF_REG_0, .off = -8},
        {.code = BPF_STX | BPF_ATOMIC | BPF_DW,
         .dst_reg = BPF_REG_10,
         .src_reg = BPF_REG_0,
         .off = -8,
         .imm = BPF_ADD | BPF_FETCH},
        {.code = BPF_JMP | BPF_EXIT},
    };
    int fd = program__try(insns, sizeof(insns) / sizeof(*insns));
    bool has = fd >= 0 && program__is_compiled(fd);

    if (fd >= 0)
        close(fd);
    return has;
}

bool jit__has_tail_calls_beside_functions(void)
{
    int map = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, TRY_NAME, sizeof(uint32_t), sizeof(uint32_t), 1, NULL);
    const struct bpf_insn insns[] = {
        {.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = BPF_REG_2, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map},
        {0},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3},
        {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_tail_call},
        {.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = 1},
        {.code = BPF_JMP | BPF_EXIT},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
        {.code = BPF_JMP | BPF_EXIT},
    };
    int fd = map < 0 ? -1 : program__try(insns, sizeof(insns) / sizeof(*insns));

    if (map >= 0)
        close(map);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

#endif
