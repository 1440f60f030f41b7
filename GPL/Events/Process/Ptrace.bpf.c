// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_PTRACE: a process attached to a stranger, or was denied it.
 *
 * Hook: the end of ptrace_attach, which PTRACE_ATTACH and PTRACE_SEIZE of 64-bit and 32-bit callers share. Other
 * requests come after an attach and never reach it. A parent that attaches to its own child is what a debugger does to
 * the program that it starts, and not reported.
 *
 * Tried: both requests, also by 32-bit callers, on processes and on single threads; on itself and by a user who may
 * not, which are denied; on the own child and on one that has gone, of which nothing is reported. Misses:
 * PTRACE_TRACEME, by which a child offers itself.
 */
#include "../Core/Budget.h"
#include "../Core/Task.h"

SEC("ebpf.fexit/ptrace_attach")
int BPF_PROG(fexit__ptrace_attach, struct task_struct *child, long request, unsigned long addr, unsigned long flags,
             int ret)
{
    bool denied = ret == -EPERM || ret == -EACCES;

    if ((ret && !denied) || child->real_parent->tgid == (pid_t)(bpf_get_current_pid_tgid() >> 32))
        return 0;
    struct scratch *s =
        EMIT_BEGIN_BY(PROCESS_PTRACE, process_ptrace, denied ? current__fate() : fate__of(current__is_filtered()));

    if (!s)
        return 0;
    struct ebpf_process_ptrace_event *e = (void *)s->data;

    e->child_pid = child->pid;
    e->request = request;
    e->error_number = -ret;
    e->reserved = 0;
    if (denied)
        e->hdr.flags |= EBPF_PTRACE_F_DENIED;
    current__fill_creds(s, &e->pids, &e->creds);
    EMIT_SUBMIT(s, PROCESS_PTRACE);
    return 0;
}
