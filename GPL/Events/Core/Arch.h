/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Arch.h - what differs between processors: the registers that hold the arguments of functions and system calls, and
 * the names of the functions that system calls enter. Their numbers are in Syscalls.def.
 *
 *   KPROBE_ARG_n(regs)            the n-th argument of a function, at its beginning
 *   FUNCTION_RET(regs)            its value, at its end
 *   SYSCALL_REG_64_n, ..._32_n    the member that holds the n-th argument of a system call, also at its end
 *   SYSCALL_FIRST(is_32, regs)    the first argument, at the beginning of a system call
 *   SYSCALL_IS_ALTERED(regs)      there, whether SYSCALL_REG_64_1 has something else, because a tracer has replaced it
 *   SYSCALL_NR(typed, regs)       the number of the call
 *   SYSCALL_RET(is_32, ret)       its value at its end, from that of the tracepoint
 *   TASK_IS_32(typed, task)       whether the task is in a call of 32-bit callers
 *   SYSCALL_ENTRY, COMPAT_ENTRY   the function of a call, for 64-bit and for 32-bit callers
 */
#ifndef EBPF_CORE_ARCH_H
#define EBPF_CORE_ARCH_H

#include "Read.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)

struct pt_regs {
    unsigned long r10, r8, ax, bx, cx, dx, si, di, orig_ax;
};

#define KPROBE_ARG_1(regs) ((regs)->di)
#define KPROBE_ARG_2(regs) ((regs)->si)
#define KPROBE_ARG_3(regs) ((regs)->dx)
#define KPROBE_ARG_4(regs) ((regs)->cx)
#define KPROBE_ARG_5(regs) ((regs)->r8)
#define FUNCTION_RET(regs) ((regs)->ax)

#define SYSCALL_REG_64_1 di
#define SYSCALL_REG_64_2 si
#define SYSCALL_REG_64_3 dx
#define SYSCALL_REG_64_4 r10
#define SYSCALL_REG_64_5 r8
#define SYSCALL_REG_32_1 bx
#define SYSCALL_REG_32_2 cx
#define SYSCALL_REG_32_3 dx
#define SYSCALL_REG_32_4 si
#define SYSCALL_REG_32_5 di

#define SYSCALL_FIRST(is_32, regs) ((is_32) ? (u32)(regs)->bx : (regs)->di)
#define SYSCALL_IS_ALTERED(regs) false

#define NR_X32_BIT 0x40000000
#define SYSCALL_NR(typed, regs) ((u32)KREAD(typed, regs, orig_ax) & ~NR_X32_BIT) /* the kernel ignores the upper half */
#define SYSCALL_RET(is_32, ret) (ret)
#define TS_COMPAT 0x2
#define TASK_IS_32(typed, task) (KREAD(typed, task, thread_info.status) & TS_COMPAT)

#define SYSCALL_ENTRY(call) "__x64_sys_" call
#define COMPAT_ENTRY(call) "__ia32_compat_sys_" call

/* Where the registers of a system call are, see compat__syscall_regs. */
#define KERNEL_STACK_SIZE 16384
#define SYSCALL_REGS_SIZE 168

#elif defined(__TARGET_ARCH_arm64)

/* At the end of a system call its value has replaced the first argument in regs[0]. */
struct pt_regs {
    u64 regs[31];
    u64 orig_x0;
    s32 syscallno;
};

#define KPROBE_ARG_1(address) ((address)->regs[0])
#define KPROBE_ARG_2(address) ((address)->regs[1])
#define KPROBE_ARG_3(address) ((address)->regs[2])
#define KPROBE_ARG_4(address) ((address)->regs[3])
#define KPROBE_ARG_5(address) ((address)->regs[4])
#define FUNCTION_RET(address) ((address)->regs[0])

#define SYSCALL_REG_64_1 orig_x0
#define SYSCALL_REG_64_2 regs[1]
#define SYSCALL_REG_64_3 regs[2]
#define SYSCALL_REG_64_4 regs[3]
#define SYSCALL_REG_64_5 regs[4]
#define SYSCALL_REG_32_1 orig_x0
#define SYSCALL_REG_32_2 regs[1]
#define SYSCALL_REG_32_3 regs[2]
#define SYSCALL_REG_32_4 regs[3]
#define SYSCALL_REG_32_5 regs[4]

#define SYSCALL_FIRST(is_32, address) ((address)->regs[0])
#define SYSCALL_IS_ALTERED(address) ((address)->regs[0] != (address)->orig_x0)

#define SYSCALL_NR(typed, address) ((u32)KREAD(typed, address, syscallno))
#define SYSCALL_RET(is_32, ret) ((is_32) ? (s32)(ret) : (ret)) /* the kernel may cut that of 32-bit callers */
#define TIF_32BIT 22
#define TASK_IS_32(typed, task) (KREAD(typed, task, thread_info.flags) >> TIF_32BIT & 1)

#define SYSCALL_ENTRY(call) "__arm64_sys_" call
#define COMPAT_ENTRY(call) "__arm64_compat_sys_" call

#define KERNEL_STACK_SIZE emit_constants.stack_bytes
#define SYSCALL_REGS_SIZE bpf_core_type_size(struct pt_regs)

#else
#error "the probes are for x86-64 (-D__TARGET_ARCH_x86) and arm64 (-D__TARGET_ARCH_arm64)"
#endif

#pragma clang attribute pop

#endif
