/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Memfd.h - the record of a memfd. */
#ifndef EBPF_CORE_MEMFD_H
#define EBPF_CORE_MEMFD_H

#include "Probe.h"

#define MFD_FLAGS 0x1f
#define MEMFD_NAME_MAX 256

/* Return the second argument of memfd_create. False if the task is in another system call. */
static __always_inline bool memfd_flags__read(bool typed, struct task_struct *task, struct pt_regs *regs,
                                              u32 *ret_flags)
{
    u64 nr = SYSCALL_NR(typed, regs);

    if (TASK_IS_32(typed, task)) {
        *ret_flags = KREAD(typed, regs, SYSCALL_REG_32_2);
        return nr == NR_32_memfd_create;
    }
    *ret_flags = KREAD(typed, regs, SYSCALL_REG_64_2);
    return nr == NR_memfd_create;
}

static __always_inline bool memfd_flags__of_current(u32 *ret_flags)
{
    if (compat__has_task_pt_regs()) {
        struct task_struct *task = (void *)bpf_get_current_task_btf();

        return memfd_flags__read(true, task, (void *)bpf_task_pt_regs((void *)task), ret_flags);
    }
    struct task_struct *task = (void *)bpf_get_current_task();

    return memfd_flags__read(false, task, compat__syscall_regs(task), ret_flags);
}

/* Report a new file whose name has the prefix of a memfd's, if memfd_create made it. */
static __always_inline int memfd__created(enum preemption preemption, const char *name)
{
    u32 flags = 0;

    if (!memfd_flags__of_current(&flags))
        return 0;
    EMIT(PROCESS_MEMFD_CREATE, e, s, preemption, CURRENT_FATE(process_memfd_create)) {
        e->flags = flags;
        e->reserved = 0;
        e->hdr.flags = flags & MFD_FLAGS; /* the schema numbers its bits as the kernel does */
        current__fill_creds(s, &e->pids, &e->creds);
        varlen__kernel_str(s, EBPF_TAG_NAME, name + MEMFD_PREFIX_LEN, MEMFD_NAME_MAX);
    }
    return 0;
}

#endif
