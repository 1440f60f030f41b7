/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Compat.h - the differences between kernels. Each getter hides one of them, and says which kernel made it and when the
 * getter can go. CO-RE makes the choice when the probes are loaded: what the running kernel lacks is dead code to its
 * verifier.
 */
#ifndef EBPF_CORE_COMPAT_H
#define EBPF_CORE_COMPAT_H

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

extern const volatile struct emit_constants emit_constants;

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
 * They are at the top of the kernel stack, which has 16 KiB on x86-64. Goes with 5.10.
 */
#define KERNEL_STACK_SIZE 16384
#define SYSCALL_REGS_SIZE 168

static __always_inline bool compat__has_task_pt_regs(void)
{
    return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs);
}

static __always_inline struct pt_regs *compat__syscall_regs(struct task_struct *task)
{
    return (void *)BPF_CORE_READ(task, stack) + KERNEL_STACK_SIZE - SYSCALL_REGS_SIZE;
}

/*
 * Return the value of a function at its end: by the helper (since 5.17, f92c1e183604), else from behind its arguments.
 */
static __always_inline u64 compat__func_ret(u64 *ctx, u32 args_before)
{
    u64 ret = 0;

    if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_func_ret)) {
        bpf_get_func_ret(ctx, &ret);
    } else {
        ret = ctx[args_before]; /* at a constant offset: the verifier allows no other in a context */
        BARRIER(ret);
    }
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
 * Return the value of inet_csk_accept, which stands behind its arguments: four, or two since 6.10 (92ef0fd55ac8). It is
 * typed, so each branch reads it at a constant offset.
 */
static __always_inline struct sock *compat__accepted_sock(u64 *ctx)
{
    struct sock *sk;

    if (bpf_core_type_exists(struct proto_accept_arg)) {
        sk = (void *)ctx[2];
        BARRIER(sk);
    } else {
        sk = (void *)ctx[4];
        BARRIER(sk);
    }
    return sk;
}

/*
 * Whether a BPF program of a cgroup was asked about a connect, at the end of __cgroup_bpf_run_filter_sock_addr. The
 * kinds have numbers of their own since 5.15 (6fc88c354f3a), and are one argument further since 6.7 (fefba7d1ae19).
 */
static __always_inline bool compat__is_connect_filter(u64 *ctx)
{
    u32 kind;

    if (bpf_core_field_exists(struct bpf_sock_addr_kern, uaddrlen)) {
        kind = ctx[3];
        BARRIER(kind);
    } else {
        kind = ctx[2];
        BARRIER(kind);
    }
    if (!bpf_core_type_exists(enum cgroup_bpf_attach_type))
        return kind == BPF_CGROUP_INET4_CONNECT || kind == BPF_CGROUP_INET6_CONNECT;
    return kind == bpf_core_enum_value(enum cgroup_bpf_attach_type, CGROUP_INET4_CONNECT) ||
           kind == bpf_core_enum_value(enum cgroup_bpf_attach_type, CGROUP_INET6_CONNECT);
}

/*
 * Return the value of that function. It has four arguments before 5.12 (772412176fb9; a helper of that kernel shows
 * it), then five, until there is a helper that returns the value.
 */
static __always_inline int compat__connect_filter_ret(u64 *ctx)
{
    if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_check_mtu))
        return compat__func_ret(ctx, 4);
    return compat__func_ret(ctx, 5);
}

/*
 * Return the offset of the short name that is stored in the dentry itself: an array of varying length until 6.12, a
 * union since (61bc24ac9fa7). The offset, because CO-RE refuses a load from an array of another length.
 */
static __always_inline u32 compat__short_name_offset(void)
{
    return bpf_core_field_exists(struct dentry___union, d_shortname)
               ? bpf_core_field_offset(struct dentry___union, d_shortname)
               : bpf_core_field_offset(struct dentry___array, d_iname);
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
 * Whether a kernel thread is a user mode helper that has not executed anything. No other thread ends that
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

/*
 * Read a member of an inode from a copy of the inode's beginning, which one helper call makes. A member that the kernel
 * has further behind takes a call of its own.
 */
#define INODE_COPY_SIZE 160
#define INODE_GET(copy, inode, type, member)                                                                           \
    ({                                                                                                                 \
        typeof(((type *)0)->member) value_;                                                                            \
        const u32 at_ = bpf_core_field_offset(type, member);                                                           \
                                                                                                                       \
        if (at_ + sizeof(value_) <= INODE_COPY_SIZE)                                                                   \
            __builtin_memcpy(&value_, (copy) + at_, sizeof(value_));                                                   \
        else                                                                                                           \
            bpf_probe_read_kernel(&value_, sizeof(value_), (void *)(inode) + at_);                                     \
        value_;                                                                                                        \
    })

#define NS_PER_SECOND 1000000000LL
#define INODE_TIME(copy, inode, which)                                                                                 \
    ({                                                                                                                 \
        s64 ns_ = 0;                                                                                                   \
                                                                                                                       \
        if (bpf_core_field_exists(struct inode___apart, i_##which##_sec)) {                                            \
            ns_ = INODE_GET(copy, inode, struct inode___apart, i_##which##_sec) * NS_PER_SECOND +                      \
                  INODE_GET(copy, inode, struct inode___apart, i_##which##_nsec);                                      \
        } else if (bpf_core_field_exists(struct inode___hidden, __i_##which)) {                                        \
            struct timespec64 spec_ = INODE_GET(copy, inode, struct inode___hidden, __i_##which);                      \
                                                                                                                       \
            ns_ = spec_.tv_sec * NS_PER_SECOND + spec_.tv_nsec;                                                        \
        } else if (bpf_core_field_exists(struct inode___spec, i_##which)) {                                            \
            struct timespec64 spec_ = INODE_GET(copy, inode, struct inode___spec, i_##which);                          \
                                                                                                                       \
            ns_ = spec_.tv_sec * NS_PER_SECOND + spec_.tv_nsec;                                                        \
        }                                                                                                              \
        ns_;                                                                                                           \
    })

/*
 * Whether an inode is the upper or work directory of an overlay: a bit of its state. The state is a struct on 7.2,
 * where the bit is an enumerator, 32 bits on 6.12 and a long before. There the bit is a macro, which BTF does not show.
 */
static __always_inline bool compat__inode_is_layer(struct inode *inode)
{
    struct inode___state_struct *as_struct = (void *)inode;
    struct inode___state_int *as_int = (void *)inode;
    u64 state, bit;

    if (bpf_core_field_exists(as_struct->i_state.__state)) {
        state = BPF_CORE_READ(as_struct, i_state.__state);
        bit = bpf_core_enum_value(enum inode_state_flags_enum, I_OVL_INUSE);
        BARRIER(bit);
    } else {
        state = BPF_CORE_READ(as_int, i_state);
        bit = bpf_core_field_size(as_int->i_state) == sizeof(u32) ? 1 << 13 : 1 << 14;
        BARRIER(bit);
    }
    return state & bit;
}

/*
 * Return the offset of a dentry's link in the list of its directory, and of a directory's list, newest entry first. The
 * lists have another type since 6.8.
 */
static __always_inline u64 compat__sibling_offset(void)
{
    return bpf_core_field_exists(struct dentry___children, d_sib)
               ? bpf_core_field_offset(struct dentry___children, d_sib)
               : bpf_core_field_offset(struct dentry___subdirs, d_child);
}

static __always_inline u64 compat__children_offset(void)
{
    return bpf_core_field_exists(struct dentry___children, d_children)
               ? bpf_core_field_offset(struct dentry___children, d_children)
               : bpf_core_field_offset(struct dentry___subdirs, d_subdirs);
}

/*
 * Return the flag of a dentry that was unlinked, or replaced by a rename: a macro until 6.15, which BTF does not show.
 */
static __always_inline u32 compat__cant_mount(void)
{
    return bpf_core_enum_value_exists(enum dentry_flags, DCACHE_CANT_MOUNT)
               ? bpf_core_enum_value(enum dentry_flags, DCACHE_CANT_MOUNT)
               : 1 << 8;
}

/* Return the inode number, which has another type since 7.0. */
static __always_inline u64 compat__inode_number(struct inode *inode)
{
    struct inode___ino_u64 *as_u64 = (void *)inode;
    struct inode___ino_long *as_long = (void *)inode;

    return bpf_core_field_exists(as_u64->i_ino) ? BPF_CORE_READ(as_u64, i_ino) : BPF_CORE_READ(as_long, i_ino);
}

/*
 * Functions that take a dentry take the user namespace of the mount before it since 5.12 (a6435940b62f), the idmap
 * since 6.2 (256c8aed2b42). Their arguments are one further. Goes with 5.10.
 */
static __always_inline bool compat__has_idmap_arg(void)
{
    return bpf_core_field_exists(struct vfsmount___userns, mnt_userns) || bpf_core_type_exists(struct mnt_idmap);
}

/*
 * Return argument `n`, as 5.10 counts them, of such a function. The verifier allows only constant offsets, so each
 * branch has one.
 */
#define COMPAT_IDMAP_ARG(ctx, n)                                                                                       \
    ({                                                                                                                 \
        u64 value_;                                                                                                    \
                                                                                                                       \
        if (compat__has_idmap_arg()) {                                                                                 \
            value_ = (ctx)[(n) + 1];                                                                                   \
            BARRIER(value_);                                                                                           \
        } else {                                                                                                       \
            value_ = (ctx)[n];                                                                                         \
            BARRIER(value_);                                                                                           \
        }                                                                                                              \
        value_;                                                                                                        \
    })

static __always_inline u64 compat__idmap_arg_address(const u64 *ctx, u32 n)
{
    return compat__has_idmap_arg() ? ctx__address(ctx + n + 1) : ctx__address(ctx + n);
}

/* Since 6.19 vfs_create takes no directory: its arguments are those of 5.10 without the first, and the idmap. */
struct delegated_inode {
    int unused;
};

static __always_inline struct dentry *compat__vfs_create_dentry(const u64 *ctx)
{
    u64 dentry;

    if (bpf_core_type_exists(struct delegated_inode)) {
        dentry = ctx[1];
        BARRIER(dentry);
    } else {
        dentry = COMPAT_IDMAP_ARG(ctx, 1);
        BARRIER(dentry);
    }
    return (struct dentry *)dentry;
}

/* Whether a value is an error: negative as an int, with anything in its upper half, or an error pointer. */
static __always_inline bool compat__is_error(u64 ret)
{
    return ret > (u64)-MAX_ERRNO - 1 || (!(ret >> 32) && (s32)ret < 0);
}

/*
 * Return the path by which a process opened a file. `file` may be the one below it, of the file system under another
 * one.
 */
static __always_inline struct path *compat__user_path(struct file *file)
{
    struct backing_file *backing = (void *)file;

    if (bpf_core_field_exists(backing->user_path) && BPF_CORE_READ(file, f_mode) & FMODE_NOACCOUNT)
        return (void *)file + bpf_core_field_offset(struct backing_file, user_path);
    return (void *)file + bpf_core_field_offset(struct file, f_path);
}

#endif
