/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Syscall.h - the system call that the current task is in, on x86-64, and the open files that its arguments name. */
#ifndef EBPF_CORE_SYSCALL_H
#define EBPF_CORE_SYSCALL_H

#include "Compat.h"

#define TS_COMPAT 0x2
#define NR_X32_BIT 0x40000000

struct syscall_begin {
    u64 first, second; /* arguments */
    u32 nr;
    bool is_32;
};

static __always_inline void syscall_regs__read(bool typed, struct task_struct *task, struct pt_regs *regs,
                                               struct syscall_begin *ret_call)
{
    ret_call->is_32 = KREAD(typed, task, thread_info.status) & TS_COMPAT;
    ret_call->nr = KREAD(typed, regs, orig_ax) & ~NR_X32_BIT;
    ret_call->first = ret_call->is_32 ? KREAD(typed, regs, bx) : KREAD(typed, regs, di);
    ret_call->second = ret_call->is_32 ? KREAD(typed, regs, cx) : KREAD(typed, regs, si);
}

static __always_inline void syscall__read(struct syscall_begin *ret_call)
{
    if (compat__has_task_pt_regs()) {
        struct task_struct *task = (void *)bpf_get_current_task_btf();

        syscall_regs__read(true, task, (void *)bpf_task_pt_regs((void *)task), ret_call);
        return;
    }
    struct task_struct *task = (void *)bpf_get_current_task();

    syscall_regs__read(false, task, compat__syscall_regs(task), ret_call);
}

/* Return an open file of the current task by its descriptor, NULL if there is none. */
static __always_inline struct file *fd__file(u64 fd)
{
    struct task_struct *task = (void *)bpf_get_current_task();
    struct fdtable *table = BPF_CORE_READ(task, files, fdt);
    struct file **files = BPF_CORE_READ(table, fd), *file = NULL;

    if ((u32)fd < BPF_CORE_READ(table, max_fds))
        bpf_probe_read_kernel(&file, sizeof(file), files + (u32)fd);
    return file;
}

#endif
