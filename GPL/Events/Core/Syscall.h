/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Syscall.h - the system call that the current task is in, on x86-64, and the open files that its arguments name. */
#ifndef EBPF_CORE_SYSCALL_H
#define EBPF_CORE_SYSCALL_H

#include "Compat.h"

#define TS_COMPAT 0x2
#define NR_X32_BIT 0x40000000

/*
 * Programs at the ends of system calls, for kernels that offer tracepoints only. One program is attached to the
 * tracepoint, which every system call passes; it makes a tail call to the one that is for this call, if there is one
 * (Syscalls.def). These find success and arguments together, so they keep nothing from the beginning of a call.
 */
struct syscall_ends_map {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 2 * SYSCALL_NUMBERS);
    __uint(key_size, sizeof(u32));
    __uint(value_size, sizeof(u32));
};

extern struct syscall_ends_map syscall_ends SEC(".maps");

/* A system call that has ended. */
struct syscall_end {
    struct pt_regs *regs;
    long ret;
    bool is_32;
};

/* Return whether the current system call is one of 32-bit callers. */
static __always_inline bool syscall__is_32(void)
{
    bool is_32;

    WITH_CURRENT(task, typed, is_32 = KREAD(typed, task, thread_info.status) & TS_COMPAT);
    return is_32;
}

/* Return the n-th argument. */
#define SYSCALL_ARG(call, n) ((call)->is_32 ? (u32)SYSCALL_ARG_32_##n((call)->regs) : SYSCALL_ARG_64_##n((call)->regs))
#define SYSCALL_ARG_64_1(regs) ((regs)->di)
#define SYSCALL_ARG_64_2(regs) ((regs)->si)
#define SYSCALL_ARG_64_3(regs) ((regs)->dx)
#define SYSCALL_ARG_64_4(regs) ((regs)->r10)
#define SYSCALL_ARG_32_1(regs) ((regs)->bx)
#define SYSCALL_ARG_32_2(regs) ((regs)->cx)
#define SYSCALL_ARG_32_3(regs) ((regs)->dx)
#define SYSCALL_ARG_32_4(regs) ((regs)->si)

/*
 * Define the program for the ends of some system calls; its body follows. It is reached by a tail call only, and
 * contains one for the reason given at SPARE_BODY.
 */
#define SYSCALL_END(name, call)                                                                                        \
    static __always_inline int name##__ended(const struct syscall_end *call);                                          \
                                                                                                                       \
    SEC("ebpf.tp_btf/sys_exit")                                                                                        \
    int BPF_PROG(tp_btf__sys_exit_##name, struct pt_regs *regs, long ret)                                              \
    {                                                                                                                  \
        if (emit_constants.spares == SPARES_NEVER)                                                                     \
            bpf_tail_call(ctx, &syscall_ends, 0);                                                                      \
        const struct syscall_end call = {.regs = regs, .ret = ret, .is_32 = syscall__is_32()};                         \
                                                                                                                       \
        return name##__ended(&call);                                                                                   \
    }                                                                                                                  \
                                                                                                                       \
    static __always_inline int name##__ended(const struct syscall_end *call)

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
