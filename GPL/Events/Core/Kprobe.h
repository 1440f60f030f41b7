/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Kprobe.h - programs that cannot be preempted. They replace others on kernels that preempt BPF programs, or that have
 * no trampolines.
 *
 * The kernel skips a trampoline's program that is already running on the CPU, and a preempted program counts as
 * running. A kprobe's program runs with preemption off (kprobe_multi_link_prog_run), so nobody can hold it up. It is
 * skipped only if it interrupts another one on its CPU, or while a process is in a call of bpf(2) there that reads or
 * changes an element of a map: such a call can be preempted. The library makes none while it sources events, and warns
 * where unprivileged processes may use bpf(2). Reaching a kprobe's program takes 250 instructions, a trampoline's 110,
 * but a trampoline needs two or three spare programs besides (Spare.h).
 *
 * The arguments are in registers and have no types. A cast types them, so that one body serves both kinds. Kernels that
 * lack the cast keep the other programs if they have trampolines; if not, the library makes the body do without types
 * (Lib/Bpf/Object/Untype.h). A return probe would see the ends of functions on every kernel, but it has a fixed number
 * of nodes for calls in progress, which processes that sleep in such a call use up; so there are none but sessions.
 */
#ifndef EBPF_CORE_KPROBE_H
#define EBPF_CORE_KPROBE_H

#include "Compat.h"

/* Return the n-th argument of the function, a pointer to a struct of CAST_TYPES. KPROBE_ARG_n is in Arch.h. */
#define KPROBE_ARG(regs, n, type) UNTRUSTED(type, (void *)KPROBE_ARG_##n(regs))

/*
 * A session is a program at both ends of a function. It cannot be preempted either. It stores one word at the
 * beginning, its cookie, and finds it at the end. The cookies are on a stack of their own beside the task's return
 * addresses, of 4 KiB (fgraph). If the kernel has no memory for the stack of a new task, it skips the ends of that
 * task's calls and reports nothing. Before 7.0 the two functions take no argument.
 */
static u64 *(*const kernel__session_cookie)(void *regs) = (void *)CALL_SESSION_COOKIE;
static bool (*const kernel__session_is_return)(void *regs) = (void *)CALL_SESSION_IS_RETURN;

#define SESSION_GO_ON 0
#define SESSION_OVER 1 /* the end is not wanted */

/* At the beginning: store the cookie for the end. 0: the end is not wanted. */
static __always_inline int session__begin(void *regs, u64 cookie)
{
    if (!cookie)
        return SESSION_OVER;
    *kernel__session_cookie(regs) = cookie;
    return SESSION_GO_ON;
}

/* At the end: return the cookie, a pointer to a struct of CAST_TYPES. */
#define SESSION_COOKIE(regs, type) UNTRUSTED(type, (void *)*kernel__session_cookie(regs))
#define SESSION_RET(regs) FUNCTION_RET(regs)

#endif
