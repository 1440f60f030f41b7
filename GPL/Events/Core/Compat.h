/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Compat.h - the differences between kernels. Each getter hides one of them, and says which kernel made it and when the
 * getter can go. CO-RE makes the choice when the probes are loaded: what the running kernel lacks is dead code to its
 * verifier.
 */
#ifndef EBPF_CORE_COMPAT_H
#define EBPF_CORE_COMPAT_H

#include "Arch.h"
#include "EmitShared.h"
#include "Read.h"

/* The current task as a BTF pointer exists since 5.11 (3ca1032ab7ab); before, it is an address. Goes with 5.10. */
static __always_inline bool compat__has_current_btf(void)
{
    return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf);
}

/*
 * A typed pointer that the verifier no longer trusts; loads through it remain single instructions. For a pointer that
 * is loaded through a trusted one, verifiers since 6.2 look up whether it is trusted too, by comparing names through
 * the whole BTF, up to four times a load: 70 % of a start on 6.12. The kfunc that ends the trust (a35b9af4ec2c) is
 * older than that lookup. Where it is missing the call becomes a move. Arguments of fentry and fexit programs are never
 * trusted.
 */
static void *(*const kernel__rdonly_cast)(const void *pointer, u32 type) = (void *)CALL_RDONLY_CAST;

#define UNTRUSTED(type, pointer) ((struct type *)kernel__rdonly_cast(pointer, emit_constants.cast_types[CAST_##type]))

/*
 * Read a member of the object at an address, as BPF_CORE_READ does. Where the kernel has the kfunc, the address becomes
 * a typed pointer: a few instructions, with 0 for a bad address, instead of a helper call of ninety.
 */
#define READ_AT(type, address, ...)                                                                                    \
    ({                                                                                                                 \
        struct type *plain_ = (void *)(address);                                                                       \
        typeof(KREAD_PICK(__VA_ARGS__, KREAD_4, KREAD_3, KREAD_2, KREAD_1)(plain_, __VA_ARGS__)) read_;                \
                                                                                                                       \
        if (emit_constants.casts)                                                                                      \
            read_ = KREAD(true, UNTRUSTED(type, plain_), __VA_ARGS__);                                                 \
        else                                                                                                           \
            read_ = KREAD(false, plain_, __VA_ARGS__);                                                                 \
        read_;                                                                                                         \
    })

/*
 * Run `statement` with the current task as `task`, typed where the kernel offers that (`typed` says so). A macro,
 * because a typed pointer and an address cannot share a variable in the eyes of the verifier.
 */
#define WITH_CURRENT(task, typed, statement)                                                                           \
    do {                                                                                                               \
        if (compat__has_current_btf()) {                                                                               \
            struct task_struct *task = UNTRUSTED(task_struct, (void *)bpf_get_current_task_btf());                     \
            const bool typed = true;                                                                                   \
            statement;                                                                                                 \
        } else {                                                                                                       \
            struct task_struct *task = (void *)bpf_get_current_task();                                                 \
            const bool typed = false;                                                                                  \
            statement;                                                                                                 \
        }                                                                                                              \
    } while (0)

/*
 * Registers of the system call that a task is in, where the helper for them is missing (before 5.15, dd6e10fbd9fa).
 * They are at the top of the kernel stack, which has 16 KiB, or on arm64 a page if that is more. Goes with 5.10.
 */
static __always_inline bool compat__has_task_pt_regs(void)
{
    return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs);
}

static __always_inline struct pt_regs *compat__syscall_regs(struct task_struct *task)
{
    return (void *)BPF_CORE_READ(task, stack) + KERNEL_STACK_SIZE - SYSCALL_REGS_SIZE;
}

/*
 * Return an argument of ARG_PLACES, or what a function returned. The verifier allows only constant offsets in a
 * context, so each branch has one; all but one are removed.
 */
#define COMPAT_ARG(ctx, function, type) COMPAT_ARG_AT(ctx, emit_constants.args[ARG_##function##_##type])
#define COMPAT_ARG_AT(ctx, place)                                                                                      \
    ({                                                                                                                 \
        u64 value_ = 0;                                                                                                \
                                                                                                                       \
        switch (place) {                                                                                               \
            COMPAT_ARG_CASE(ctx, 0);                                                                                   \
            COMPAT_ARG_CASE(ctx, 1);                                                                                   \
            COMPAT_ARG_CASE(ctx, 2);                                                                                   \
            COMPAT_ARG_CASE(ctx, 3);                                                                                   \
            COMPAT_ARG_CASE(ctx, 4);                                                                                   \
            COMPAT_ARG_CASE(ctx, 5);                                                                                   \
            COMPAT_ARG_CASE(ctx, 6);                                                                                   \
        }                                                                                                              \
        value_;                                                                                                        \
    })
#define COMPAT_ARG_CASE(ctx, n)                                                                                        \
    case n:                                                                                                            \
        value_ = (ctx)[n];                                                                                             \
        BARRIER(value_);                                                                                               \
        break

/* Return, as an address, the argument of ARG_PLACES, or the one that is so many further. */
#define COMPAT_ARG_ADDRESS(ctx, function, type, further)                                                               \
    ctx__address((ctx) + emit_constants.args[ARG_##function##_##type] + (further))

/*
 * Return the value of a function at its end, as a number: by the helper (since 5.17, f92c1e183604), else from behind
 * its arguments.
 */
#define COMPAT_RET(ctx, function) compat__func_ret(ctx, emit_constants.args[ARG_##function##_RET])

static __always_inline u64 compat__func_ret(u64 *ctx, u32 place)
{
    u64 ret = 0;

    if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_func_ret))
        return COMPAT_ARG_AT(ctx, place);
    bpf_get_func_ret(ctx, &ret);
    return ret;
}

/*
 * Return the last argument of a function that got further arguments. Before 5.17 they cannot be counted, and there are
 * `args`.
 */
static __always_inline u64 compat__last_arg(u64 *ctx, u32 args)
{
    u64 last = 0;

    if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_func_arg)) {
        bpf_get_func_arg(ctx, bpf_get_func_arg_cnt(ctx) - 1, &last);
    } else {
        last = ctx[args - 1];
        BARRIER(last);
    }
    return last;
}

/* Return, as an address, the argument that has `behind` others behind it. Before 5.17 there are `args` in all. */
static __always_inline u64 compat__arg_before_last(u64 *ctx, u32 args, u32 behind)
{
    u64 arg = 0;

    if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_func_arg))
        bpf_get_func_arg(ctx, bpf_get_func_arg_cnt(ctx) - 1 - behind, &arg);
    else
        arg = ctx__address(ctx + args - 1 - behind);
    return arg;
}

/*
 * Return the id of the ancestor at `level` of the current task's cgroup, 0 if there is none. Before 6.1 tracing
 * programs may not call the helper for it, but the cgroup lists the ids. Goes with 5.15.
 */
static __always_inline u64 compat__ancestor_cgroup_id(u32 level)
{
    if (!bpf_core_field_exists(struct cgroup___ids, ancestor_ids))
        return bpf_get_current_ancestor_cgroup_id(level);
    struct task_struct *task = (void *)bpf_get_current_task();
    struct cgroup___ids *cgroup = (void *)BPF_CORE_READ(task, cgroups, dfl_cgrp);
    u64 id = 0;

    if (level > (u32)BPF_CORE_READ(cgroup, level))
        return 0;
    bpf_probe_read_kernel(&id, sizeof(id),
                          (void *)cgroup + bpf_core_field_offset(struct cgroup___ids, ancestor_ids) + 8 * (u64)level);
    return id;
}

/* compat__ancestor_cgroup_id for another task. */
static __always_inline u64 compat__ancestor_cgroup_id_of(struct task_struct *task, u32 level)
{
    struct cgroup___ids *ids = (void *)BPF_CORE_READ(task, cgroups, dfl_cgrp);
    struct cgroup___ancestors *cgroup = (void *)ids;
    struct cgroup *ancestor = NULL;
    u64 id = 0;

    if (level > (u32)BPF_CORE_READ(cgroup, level))
        return 0;
    if (bpf_core_field_exists(ids->ancestor_ids)) {
        bpf_probe_read_kernel(&id, sizeof(id), (void *)ids->ancestor_ids + 8 * (u64)level);
        return id;
    }
    bpf_probe_read_kernel(&ancestor, sizeof(ancestor), (void *)cgroup->ancestors + 8 * (u64)level);
    return BPF_CORE_READ(ancestor, kn, id);
}

/*
 * Return whether a kernel thread is a user mode helper that has not executed anything. No other thread ends that
 * kthread_create did not make. Before 5.18 helpers start as kernel threads. 5.17 offers nothing to decide it by. Goes
 * with 5.15.
 */
static __always_inline bool compat__is_unexecuted_helper(struct task_struct *task)
{
    struct task_struct___kthread *thread = (void *)task;

    return !bpf_core_field_exists(thread->worker_private) && !BPF_CORE_READ(thread, set_child_tid);
}

/* Return the parent of a cgroup's node. Renamed in 6.15 (633488947ef6). */
static __always_inline struct kernfs_node *compat__kernfs_parent(struct kernfs_node *kn)
{
    struct kernfs_node___rcu *rcu = (void *)kn;

    if (bpf_core_field_exists(rcu->__parent))
        return BPF_CORE_READ(rcu, __parent);
    return BPF_CORE_READ(kn, parent);
}

/* Return the operands of a request to send or receive. Before 6.0 the request itself does not show where: NULL. */
static __always_inline struct io_sr_msg *compat__send_operands(struct io_kiocb *req)
{
    return bpf_core_field_exists(req->cmd) ? (void *)req + bpf_core_field_offset(req->cmd) : NULL;
}

/* Return where a request to send has the address of a peer; 0 if it has none, or keeps it elsewhere (7.2). */
static __always_inline u64 compat__send_address(struct io_sr_msg *operands)
{
    return bpf_core_field_exists(operands->addr) ? (u64)BPF_CORE_READ(operands, addr) : 0;
}

/* Return whether an operation of io_uring is IORING_OP_WRITEV_FIXED: since 6.15. */
static __always_inline bool compat__is_writev_fixed(u8 opcode)
{
    return bpf_core_enum_value_exists(enum io_uring_op, IORING_OP_WRITEV_FIXED) &&
           opcode == bpf_core_enum_value(enum io_uring_op, IORING_OP_WRITEV_FIXED);
}

/* Return whether a task executes a program, by a bit that can be read in two ways. */
static __always_inline bool compat__is_in_execve(bool typed, struct task_struct *task)
{
    return typed ? BPF_CORE_READ_BITFIELD(task, in_execve) : BPF_CORE_READ_BITFIELD_PROBED(task, in_execve);
}

/* Return whether the kernel was built with cgroups. */
static __always_inline bool compat__has_cgroups(void)
{
    return bpf_core_field_exists(struct task_struct, cgroups);
}

/* Return whether it was built with terminals. If not, it declares their struct, but does not define it. */
static __always_inline bool compat__has_ttys(void)
{
    return bpf_core_type_exists(struct tty_struct);
}

/* Return whether the kernel was built with the pids controller of cgroups. */
static __always_inline bool compat__has_pids_controller(void)
{
    return bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id);
}

/* Return whether the tracepoint io_uring_complete has the request: not on 5.10, but on 6.1. */
static __always_inline bool compat__completion_has_request(void)
{
    return emit_constants.args[ARG_btf_trace_io_uring_complete_POINTER] != ARG_NOWHERE;
}

/* Return the value of a completion: the fourth argument of that tracepoint, or on 7.2 in what one of them points to. */
static __always_inline s32 compat__completion_result(u64 *ctx)
{
    const struct io_uring_cqe *cqe = (void *)COMPAT_ARG(ctx, btf_trace_io_uring_complete, io_uring_cqe);

    return emit_constants.args[ARG_btf_trace_io_uring_complete_io_uring_cqe] == ARG_NOWHERE ? (s32)ctx[3] : cqe->res;
}

#endif
