// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_PTRACE: a process attached to a process that is not its child, or was refused.
 *
 * Hook: the end of ptrace_attach, which PTRACE_ATTACH and PTRACE_SEIZE of 64-bit and 32-bit callers share. Other
 * requests come after an attach and do not pass it. A parent that attaches to its own child is usually a debugger that
 * started the program, and is not reported.
 *
 * Where it is inlined (without CONFIG_COMPAT it has one caller), it is the end of the function of the system call; with
 * tracepoints only, the end of the system call. The id of a process to which the caller was refused is then
 * as the caller gave it, and such a refusal is reported for the caller's own child, too.
 *
 * Tried: both requests, also by 32-bit callers, on processes and on single threads; on the caller itself and by a user
 * without permission, which are refused; on the caller's child and on a process that is gone, which are not reported.
 * Misses: PTRACE_TRACEME, by which a child offers itself.
 */
#include "../Core/Probe.h"

#define PTRACE_ATTACH 16
#define PTRACE_SEIZE 0x4206

static __always_inline int ptrace__end(enum preemption preemption, struct task_struct *child, long request, int ret)
{
    bool denied = ret == -EPERM || ret == -EACCES;

    if ((ret && !denied) || child->real_parent->tgid == (pid_t)(bpf_get_current_pid_tgid() >> 32))
        return 0;
    enum fate fate = denied ? CURRENT_FATE(process_ptrace) : fate__of(current__is_filtered());

    EMIT(PROCESS_PTRACE, e, s, preemption, fate) {
        e->child_pid = child->pid;
        e->request = request;
        e->error_number = -ret;
        e->reserved = 0;
        if (denied)
            e->hdr.flags |= EBPF_PTRACE_F_DENIED;
        current__fill_creds(s, &e->pids, &e->creds);
    }
    return 0;
}

SEC("ebpf.fexit/ptrace_attach")
int BPF_PROG(fexit__ptrace_attach, struct task_struct *child, long request, unsigned long addr, unsigned long flags,
             int ret)
{
    return ptrace__end(MAY_BE_PREEMPTED, child, request, ret);
}

/* The cookie has the child's address, and in its lowest bit which of the two requests it is. */
SEC("ebpf.session/ptrace_attach")
int session__ptrace_attach(struct pt_regs *regs)
{
    if (!kernel__session_is_return(regs))
        return session__begin(regs, KPROBE_ARG_1(regs) | (KPROBE_ARG_2(regs) == PTRACE_SEIZE));
    u64 cookie = *kernel__session_cookie(regs);

    return ptrace__end(NOT_PREEMPTED, UNTRUSTED(task_struct, (void *)(cookie & ~1ULL)),
                       cookie & 1 ? PTRACE_SEIZE : PTRACE_ATTACH, SESSION_RET(regs));
}

/* Return the process that the current thread attached to last, the first of its list; NULL if there is none. */
static __always_inline struct task_struct *ptrace__newest(void)
{
    struct task_struct *task = (void *)bpf_get_current_task();
    u64 head = (u64)task + bpf_core_field_offset(struct task_struct, ptraced);
    u64 first = (u64)BPF_CORE_READ((struct list_head *)head, next);

    return first == head ? NULL : (void *)(first - bpf_core_field_offset(struct task_struct, ptrace_entry));
}

/* Report what a call of ptrace has done, from what is known at its end. */
static __always_inline int ptrace__called(const struct syscall_end *call, u64 request)
{
    bool denied = call->ret == -EPERM || call->ret == -EACCES;
    struct task_struct *child = call->ret ? NULL : ptrace__newest();

    if ((request != PTRACE_ATTACH && request != PTRACE_SEIZE) || (!child && !denied) ||
        (child && BPF_CORE_READ(child, real_parent, tgid) == (pid_t)(bpf_get_current_pid_tgid() >> 32)))
        return 0;
    EMIT(PROCESS_PTRACE, e, s, MAY_BE_PREEMPTED,
         denied ? CURRENT_FATE(process_ptrace) : fate__of(current__is_filtered())) {
        e->child_pid = child ? BPF_CORE_READ(child, pid) : (u32)SYSCALL_ARG(call, 2);
        e->request = request;
        e->error_number = -call->ret;
        e->reserved = 0;
        if (denied)
            e->hdr.flags |= EBPF_PTRACE_F_DENIED;
        current__fill_creds(s, &e->pids, &e->creds);
    }
    return 0;
}

SEC("ebpf.fexit/" SYSCALL_ENTRY("ptrace"))
int BPF_PROG(fexit__sys_ptrace, struct pt_regs *regs, long ret)
{
    return ptrace__called(&(const struct syscall_end){.regs = regs, .ret = ret}, SYSCALL_FIRST(false, regs));
}

SEC("ebpf.fexit/" COMPAT_ENTRY("ptrace"))
int BPF_PROG(fexit__compat_sys_ptrace, struct pt_regs *regs, long ret)
{
    return ptrace__called(&(const struct syscall_end){.regs = regs, .ret = ret, .is_32 = true},
                          SYSCALL_FIRST(true, regs));
}

SYSCALL_END(ptrace, call)
{
    return ptrace__called(call, SYSCALL_ARG(call, 1));
}
