/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* CompatFs.h - as Compat.h, the differences between kernels in file systems: dentries, inodes, mounts. */
#ifndef EBPF_CORE_COMPAT_FS_H
#define EBPF_CORE_COMPAT_FS_H

#include "Compat.h"

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
 * Read a member of an inode from a copy of the inode's beginning, which one helper call makes. A member that the kernel
 * has further behind takes a call of its own.
 */
#define INODE_COPY_SIZE 160
struct inode_copy {
    u64 words[INODE_COPY_SIZE / 8];
};
#define INODE_GET(copy, inode, type, member)                                                                           \
    ({                                                                                                                 \
        typeof(((type *)0)->member) value_;                                                                            \
        const u32 at_ = bpf_core_field_offset(type, member);                                                           \
                                                                                                                       \
        if (at_ + sizeof(value_) <= INODE_COPY_SIZE)                                                                   \
            value_ = *(const typeof(value_) *)((const void *)(copy) + at_);                                            \
        else                                                                                                           \
            bpf_probe_read_kernel(&value_, sizeof(value_), (void *)(inode) + at_);                                     \
        value_;                                                                                                        \
    })

#define NS_PER_SECOND 1000000000LL

/* Return a time of an inode from its copy, in ns. */
#define COMPAT_COPIED_TIME(copy, inode, which)                                                                         \
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

/* Return the number of an inode from its copy. */
static __always_inline u64 compat__copied_number(const struct inode_copy *copy, struct inode *inode)
{
    if (bpf_core_field_exists(struct inode___ino_u64, i_ino))
        return INODE_GET(copy, inode, struct inode___ino_u64, i_ino);
    return INODE_GET(copy, inode, struct inode___ino_long, i_ino);
}

/* Return a time of a typed inode, in ns. Members: see KernelFs.h. */
#define COMPAT_INODE_TIME(inode, which)                                                                                \
    ({                                                                                                                 \
        s64 ns_ = 0;                                                                                                   \
                                                                                                                       \
        if (bpf_core_field_exists(struct inode___apart, i_##which##_sec))                                              \
            ns_ = ((struct inode___apart *)(inode))->i_##which##_sec * NS_PER_SECOND +                                 \
                  ((struct inode___apart *)(inode))->i_##which##_nsec;                                                 \
        else if (bpf_core_field_exists(struct inode___hidden, __i_##which))                                            \
            ns_ = ((struct inode___hidden *)(inode))->__i_##which.tv_sec * NS_PER_SECOND +                             \
                  ((struct inode___hidden *)(inode))->__i_##which.tv_nsec;                                             \
        else if (bpf_core_field_exists(struct inode___spec, i_##which))                                                \
            ns_ = ((struct inode___spec *)(inode))->i_##which.tv_sec * NS_PER_SECOND +                                 \
                  ((struct inode___spec *)(inode))->i_##which.tv_nsec;                                                 \
        ns_;                                                                                                           \
    })

/* Return the number of a typed inode, which has another type since 7.0. */
static __always_inline u64 compat__inode_number(struct inode *inode)
{
    return bpf_core_field_exists(struct inode___ino_u64, i_ino) ? ((struct inode___ino_u64 *)inode)->i_ino
                                                                : ((struct inode___ino_long *)inode)->i_ino;
}

/* compat__inode_number of an inode at an address. */
static __always_inline u64 compat__inode_number_at(struct inode *inode)
{
    struct inode___ino_u64 *as_u64 = (void *)inode;
    struct inode___ino_long *as_long = (void *)inode;

    return bpf_core_field_exists(as_u64->i_ino) ? BPF_CORE_READ(as_u64, i_ino) : BPF_CORE_READ(as_long, i_ino);
}

/*
 * The mounts of a file system: a doubly linked list on 6.12, on 7.2 a chain that ends with NULL. Return the offset of
 * a mount's link.
 */
static __always_inline u64 compat__mount_link_offset(void)
{
    return bpf_core_field_exists(struct mount___chain, mnt_next_for_sb)
               ? bpf_core_field_offset(struct mount___chain, mnt_next_for_sb)
               : bpf_core_field_offset(struct mount___list, mnt_instance);
}

/* Return the address of the head of the list, given that of the super block. */
static __always_inline u64 compat__mount_list(u64 sb)
{
    return bpf_core_field_exists(struct mount___chain, mnt_next_for_sb)
               ? sb + bpf_core_field_offset(struct super_block___chain, s_mounts)
               : sb + bpf_core_field_offset(struct super_block___list, s_mounts);
}

/* Return the address of the link that a link or the head names as the next; 0 at the end. */
static __always_inline u64 compat__next_mount_link(u64 next, u64 head)
{
    if (bpf_core_field_exists(struct mount___chain, mnt_next_for_sb))
        return next ? next + compat__mount_link_offset() : 0;
    return next == head ? 0 : next;
}

/*
 * Return whether an inode is the upper or work directory of an overlay: a bit of its state. The state is a struct on
 * 7.2 and an enum on 6.18, where the bit is an enumerator, 32 bits on 6.12 and a long before. There the bit is a macro,
 * which BTF does not show.
 */
static __always_inline bool compat__inode_is_layer(struct inode *inode)
{
    struct inode___state_struct *as_struct = (void *)inode;
    struct inode___state_enum *as_enum = (void *)inode;
    struct inode___state_int *as_int = (void *)inode;
    u64 state, bit;

    if (bpf_core_field_exists(as_struct->i_state.__state)) {
        state = BPF_CORE_READ(as_struct, i_state.__state);
        bit = bpf_core_enum_value(enum inode_state_flags_enum, I_OVL_INUSE);
        BARRIER(bit);
    } else if (bpf_core_enum_value_exists(enum inode_state_flags_t, I_OVL_INUSE___t)) {
        state = BPF_CORE_READ(as_enum, i_state);
        bit = bpf_core_enum_value(enum inode_state_flags_t, I_OVL_INUSE___t);
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

/* Return whether a mount namespace counts the changes of its mounts in a member that BTF shows. */
static __always_inline bool compat__mounts_are_counted(void)
{
    return bpf_core_field_exists(struct mnt_namespace, event);
}

/*
 * Return the address of a name that the request of io_uring at an address was given. Since 7.0, the pointer to it is in
 * a struct.
 */
static __always_inline u64 request__text(u64 req, u32 at)
{
    struct filename *name = NULL;

    bpf_probe_read_kernel(&name, sizeof(name), (void *)(req + at));
    return (u64)BPF_CORE_READ(name, name);
}

#define COMPAT_REQUEST_TEXT(req, type, member)                                                                         \
    request__text(req, bpf_core_type_exists(struct delayed_filename)                                                   \
                           ? bpf_core_field_offset(struct type##___delayed, member)                                    \
                           : bpf_core_field_offset(struct type, member))

/* Return whether requests for hard and for symbolic links have one struct. Since 6.0. */
static __always_inline bool compat__requested_links_are_alike(void)
{
    return bpf_core_type_exists(struct io_link);
}

/*
 * Return the descriptor of the file of a request that has just been made; -1 if it is not known. Until 5.19 the kernel
 * has looked up the file by then.
 */
static __always_inline s32 compat__requested_fd(struct io_kiocb *req)
{
    return bpf_core_field_exists(req->cqe) ? BPF_CORE_READ(req, cqe.fd) : -1;
}

/*
 * Return the request that the tracepoint io_uring_submit_sqe is about: its second argument until 5.19, then the first.
 * A kernel that does not show it there refuses the program, because there is no such argument. Later kernels have
 * io_uring_submit_req instead. Goes with 6.1.
 */
static __always_inline u64 compat__submitted_request(const u64 *ctx)
{
    u64 req;

    if (!bpf_core_field_exists(struct trace_event_raw_io_uring_submit_sqe, req))
        req = ctx[15];
    else if (bpf_core_field_exists(struct trace_event_raw_io_uring_submit_sqe, __data_loc_op_str))
        req = ctx__address(ctx);
    else
        req = ctx__address(ctx + 1);
    return req;
}

/* Return whether the last reference to a typed file is gone, so that it is being closed. */
static __always_inline bool compat__file_is_gone(struct file *file)
{
    if (bpf_core_field_exists(struct file___ref, f_ref))
        return ((struct file___ref *)file)->f_ref.refcnt.counter < 0;
    return !((struct file___count *)file)->f_count.counter;
}

#endif
