// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Syscall.bpf.c - what runs at the end of each system call, where nothing better can be had; see Syscall.h. */
#include "Probe.h"

struct syscall_ends_map syscall_ends SEC(".maps");

/* A call that 32-bit callers do not have, or only they have, is entered where no number is (NONE). */
#define FD(n) .fd = n
#define PATH(n) .path = n
#define NEW_FD(n) .new_fd = n
#define NEW_PATH(n) .new_path = n
#define EXTRA(n) .extra = n
#define CHANGES(change) .what = EBPF_CHANGE_##change
#define MAKES(type) .what = EBPF_FILE_TYPE_##type
#define WHAT(number) .what = number

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winitializer-overrides"
#define SYSCALL_ROW(program, call, number, number_32, ...)                                                             \
    [number] = {__VA_ARGS__}, [SYSCALL_NUMBERS + number_32] = {__VA_ARGS__},
const volatile struct syscall_form syscall_forms[2 * SYSCALL_NUMBERS] = {
#include "../Syscalls.def"
};
#pragma clang diagnostic pop

/* Return the number in the tables of a call that a program is for; beyond their end for other calls. */
static __always_inline u32 syscall__handled(struct pt_regs *regs)
{
    u64 vector, nr = emit_runtime.live ? syscall__number(regs, syscall__is_32(), &vector) : 2 * SYSCALL_NUMBERS;

    BARRIER(nr);
    return nr < 2 * SYSCALL_NUMBERS && emit_runtime.ends[nr / 64] >> nr % 64 & 1 ? nr : 2 * SYSCALL_NUMBERS;
}

struct spare_body_map call_body SEC(".maps");

SEC("ebpf.tp_btf/sys_exit")
int BPF_PROG(tp_btf__sys_exit, struct pt_regs *regs, long ret)
{
    SPARE_BODY(ctx, call_body);
    u32 nr = syscall__handled(regs);

    if (nr >= 2 * SYSCALL_NUMBERS)
        return 0;
    spare__mark(SPARE_CALL);
    bpf_tail_call(ctx, &syscall_ends, nr);
    return 0;
}

#define CALL_SPARE(n)                                                                                                  \
    SEC("ebpf.tp_btf/sys_exit") int BPF_PROG(tp_btf__sys_exit_spare##n, struct pt_regs *regs, long ret)                \
    {                                                                                                                  \
        return syscall__handled(regs) < 2 * SYSCALL_NUMBERS ? spare__run(ctx, &call_body, SPARE_CALL, n, 2) : 0;       \
    }

CALL_SPARE(1)
CALL_SPARE(2)
