/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Syscall.h - the system call that the current task is in, and the open files that its arguments name. */
#ifndef EBPF_CORE_SYSCALL_H
#define EBPF_CORE_SYSCALL_H

#include "Compat.h"

/* The numbers of the calls in Syscalls.def: NR_<call>, and NR_32_<call> for 32-bit callers. No call is NONE. */
enum {
#define NONE (SYSCALL_NUMBERS - 1)
#define NUMBER_ROW(call, number, number_32) NR_##call = number, NR_32_##call = number_32,
#define SYSCALL_ROW(program, call, number, number_32, ...) NUMBER_ROW(call, number, number_32)
#include "../Syscalls.def"
};

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

/* Values of `what`. */
#define RETURNS_BYTES 1       /* the number of bytes written */
#define COPIES_BYTES 33       /* likewise, or EFAULT if they are written, but an offset cannot be stored */
#define MAPS 2                /* a file */
#define WRITES_VECTOR 1       /* its second argument */
#define RETURNS_FORMER_ID 1   /* and no error */
#define ARGUMENTS_OF_IPC 1    /* those of shmget come after the first */
#define POINTERS_OF_32_BITS 1 /* of an x32 caller, in a list */
#define OPENS_BY_HOW 1        /* the flags are the first member of a struct open_how */
#define OPENS_QUEUE 1
#define UNLINKS_QUEUE 2
#define PEER_IN_MESSAGE 2  /* the address of a peer is in a struct msghdr */
#define PEER_IN_MESSAGES 4 /* or in several */
#define PEER_IN_ARGUMENT 8 /* or the fifth argument */
#define RECEIVES 16        /* rather than sends */
#define X32_MESSAGE (PEER_IN_MESSAGE | POINTERS_OF_32_BITS)
#define X32_MESSAGES (PEER_IN_MESSAGES | POINTERS_OF_32_BITS)

extern const volatile struct syscall_form syscall_forms[2 * SYSCALL_NUMBERS];

/* A system call that has ended. */
struct syscall_end {
    void *ctx; /* for a tail call */
    struct pt_regs *regs;
    struct syscall_form form;
    long ret;
    bool is_32;
    u64 vector; /* address of the arguments if they are in memory; see syscall__number */
};

/* Return whether the current system call is one of 32-bit callers. */
static __always_inline bool syscall__is_32(void)
{
    bool is_32;

    WITH_CURRENT(task, typed, is_32 = TASK_IS_32(typed, task));
    return is_32;
}

#define SOCKETCALL_BIND 2
#define SOCKETCALL_CONNECT 3
#define SOCKETCALL_LISTEN 4
#define SOCKETCALL_ACCEPT 5
#define SOCKETCALL_SEND 9
#define SOCKETCALL_RECV 10
#define SOCKETCALL_SENDTO 11
#define SOCKETCALL_RECVFROM 12
#define SOCKETCALL_SENDMSG 16
#define SOCKETCALL_RECVMSG 17
#define SOCKETCALL_ACCEPT4 18
#define SOCKETCALL_RECVMMSG 19
#define SOCKETCALL_SENDMMSG 20

/* Return the number of the call that a call of socketcall stands for; 0 if no program is for it. */
static __always_inline u64 socketcall__number(u64 call)
{
    switch (call) {
    case SOCKETCALL_BIND:
        return NR_32_bind;
    case SOCKETCALL_CONNECT:
        return NR_32_connect;
    case SOCKETCALL_LISTEN:
        return NR_32_listen;
    case SOCKETCALL_ACCEPT:
    case SOCKETCALL_ACCEPT4:
        return NR_32_accept4;
    case SOCKETCALL_SEND:
    case SOCKETCALL_SENDTO:
        return NR_32_sendto;
    case SOCKETCALL_RECV:
    case SOCKETCALL_RECVFROM:
        return NR_32_recvfrom;
    case SOCKETCALL_SENDMSG:
        return NR_32_sendmsg;
    case SOCKETCALL_RECVMSG:
        return NR_32_recvmsg;
    case SOCKETCALL_SENDMMSG:
        return NR_32_sendmmsg;
    case SOCKETCALL_RECVMMSG:
        return NR_32_recvmmsg;
    }
    return 0;
}

/*
 * Return the number under which a call is in the tables; beyond their end if it is not. `ret_vector` is the address of
 * its arguments if they are in memory, as those of two calls of 32-bit callers, else 0.
 */
static __always_inline u64 syscall__number(struct pt_regs *regs, bool is_32, u64 *ret_vector)
{
    u64 nr = SYSCALL_NR(true, regs);

    *ret_vector = 0;
    if (!is_32)
        return nr < SYSCALL_NUMBERS ? nr : 2 * SYSCALL_NUMBERS;
    if (nr == NR_32_socketcall) {
        nr = socketcall__number((u32)regs->SYSCALL_REG_32_1);
        *ret_vector = (u32)regs->SYSCALL_REG_32_2;
    } else if (nr == NR_32_old_mmap) {
        nr = NR_32_mmap;
        *ret_vector = (u32)regs->SYSCALL_REG_32_1;
    }
    return nr + SYSCALL_NUMBERS;
}

/* Return the n-th argument. */
#define SYSCALL_ARG(call, n) ((call)->is_32 ? SYSCALL_ARG_32((call)->regs, n) : SYSCALL_ARG_64((call)->regs, n))
#define SYSCALL_ARG_64(regs, n) ((regs)->SYSCALL_REG_64_##n)
#define SYSCALL_ARG_32(regs, n) ((u32)(regs)->SYSCALL_REG_32_##n) /* the kernel ignores the upper half */

/* Return the argument of that number, which need not be a constant. The comments keep the branches apart. */
#define SYSCALL_ARG_CASE(n)                                                                                            \
    case n:                                                                                                            \
        arg = SYSCALL_ARG(call, n);                                                                                    \
        asm volatile("# argument " #n : "+r"(arg));                                                                    \
        break

static __always_inline u64 syscall__arg(const struct syscall_end *call, u32 n)
{
    u64 arg = 0;
    u32 arg_32 = 0;

    if (call->vector) {
        bpf_probe_read_user(&arg_32, sizeof(arg_32), (void *)(call->vector + 4 * (n - 1)));
        return arg_32;
    }
    switch (n) {
        SYSCALL_ARG_CASE(1);
        SYSCALL_ARG_CASE(2);
        SYSCALL_ARG_CASE(3);
        SYSCALL_ARG_CASE(4);
        SYSCALL_ARG_CASE(5);
    }
    return arg;
}

/* Return what the system call at its end is. */
static __always_inline struct syscall_end syscall_end__of(void *ctx, struct pt_regs *regs, long ret)
{
    const bool is_32 = syscall__is_32();
    struct syscall_end call = {.ctx = ctx, .regs = regs, .ret = SYSCALL_RET(is_32, ret), .is_32 = is_32};
    u64 nr = syscall__number(regs, call.is_32, &call.vector);

    BARRIER(nr);
    if (nr < 2 * SYSCALL_NUMBERS)
        *(u64 *)&call.form = *(const volatile u64 *)&syscall_forms[nr];
    return call;
}

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
        const struct syscall_end call = syscall_end__of(ctx, regs, ret);                                               \
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
    ret_call->is_32 = TASK_IS_32(typed, task);
    ret_call->nr = SYSCALL_NR(typed, regs);
    ret_call->first =
        ret_call->is_32 ? (u32)KREAD(typed, regs, SYSCALL_REG_32_1) : KREAD(typed, regs, SYSCALL_REG_64_1);
    ret_call->second =
        ret_call->is_32 ? (u32)KREAD(typed, regs, SYSCALL_REG_32_2) : KREAD(typed, regs, SYSCALL_REG_64_2);
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

static __always_inline u64 syscall_regs__fifth(bool typed, struct task_struct *task, struct pt_regs *regs)
{
    return TASK_IS_32(typed, task) ? (u32)KREAD(typed, regs, SYSCALL_REG_32_5) : KREAD(typed, regs, SYSCALL_REG_64_5);
}

/* Return the fifth argument of the current call. */
static __always_inline u64 syscall__fifth(void)
{
    if (compat__has_task_pt_regs()) {
        struct task_struct *task = (void *)bpf_get_current_task_btf();

        return syscall_regs__fifth(true, task, (void *)bpf_task_pt_regs((void *)task));
    }
    struct task_struct *task = (void *)bpf_get_current_task();

    return syscall_regs__fifth(false, task, compat__syscall_regs(task));
}

/* Return an open file of the current task by its descriptor, NULL if there is none. */
static __always_inline struct file *fd__file(u64 fd)
{
    struct file *file = NULL;
    u64 files;
    u32 count;

    WITH_CURRENT(task, typed, {
        count = KREAD(typed, task, files, fdt, max_fds);
        files = (u64)KREAD(typed, task, files, fdt, fd);
    });
    if ((u32)fd < count)
        bpf_probe_read_kernel(&file, sizeof(file), (struct file **)files + (u32)fd);
    return file;
}

/* Return the socket that the open file at an address is, NULL if it is none. */
static __always_inline struct sock *file__sock(struct file *file)
{
    if (!file || (READ_AT(file, file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
        return NULL;
    struct socket *socket = BPF_CORE_READ(file, private_data);

    return BPF_CORE_READ(socket, sk);
}

/* Likewise of a descriptor of the current task. */
static __always_inline struct sock *fd__sock(u64 fd)
{
    return file__sock(fd__file(fd));
}

#endif
