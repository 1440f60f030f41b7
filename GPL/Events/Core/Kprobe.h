/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Kprobe.h - programs that are not preempted, to be loaded in the place of others on kernels that preempt those.
 *
 * The kernel skips a trampoline's program that is already running on the CPU, and one that was preempted counts as
 * running. A program of a kprobe is run with preemption off (kprobe_multi_link_prog_run), so nobody can make it wait:
 * it is skipped only where it interrupts another one on the same CPU, or a process with the right to is in a call of
 * bpf(2) that changes a map. What it takes to get there is 250 instructions, of a trampoline 110, but that needs two or
 * three spare programs besides (Spare.h).
 *
 * The arguments are in registers, and have no types. A cast gives them types, so that one body serves both; kernels
 * that lack the cast, or fprobe, keep the other programs (KPROBE in Hooks.def).
 */
#ifndef EBPF_CORE_KPROBE_H
#define EBPF_CORE_KPROBE_H

#include "Compat.h"

/* The n-th argument of the function, a pointer to a struct of CAST_TYPES. */
#define KPROBE_ARG_1(regs) ((regs)->di)
#define KPROBE_ARG_2(regs) ((regs)->si)
#define KPROBE_ARG_3(regs) ((regs)->dx)
#define KPROBE_ARG_4(regs) ((regs)->cx)
#define KPROBE_ARG_5(regs) ((regs)->r8)
#define KPROBE_ARG(regs, n, type) UNTRUSTED(type, (void *)KPROBE_ARG_##n(regs))

/*
 * A session is a program at both ends of a function, of which the same holds. What it keeps of the arguments for the
 * end is with the task's return addresses, on a stack of its own of 4 KiB (fgraph). Where the kernel has none for a new
 * task, for want of memory, that task's ends are not seen, and nobody is told. Before 7.0 the two functions take no
 * argument.
 */
static u64 *(*const kernel__session_cookie)(void *regs) = (void *)CALL_SESSION_COOKIE;
static bool (*const kernel__session_is_return)(void *regs) = (void *)CALL_SESSION_IS_RETURN;

#define SESSION_GO_ON 0
#define SESSION_OVER 1 /* the end is of no interest */

/* At the beginning: keep `kept` for the end, unless that is 0. */
static __always_inline int session__begin(void *regs, u64 cookie)
{
    if (!cookie)
        return SESSION_OVER;
    *kernel__session_cookie(regs) = cookie;
    return SESSION_GO_ON;
}

/* At the end: the pointer that was kept, to a struct of CAST_TYPES. */
#define SESSION_COOKIE(regs, type) UNTRUSTED(type, (void *)*kernel__session_cookie(regs))
#define SESSION_RET(regs) ((regs)->ax)

#endif
