// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * FILE_CREATE: a directory, device, pipe, socket or symbolic link was created, or a file without a name (O_TMPFILE) got
 * one. FILE_LINK: a file got a further name. Files that an open creates: see Open.bpf.c.
 *
 * Hooks: the ends of vfs_mkdir, vfs_mknod, vfs_create (a regular file by mknod), vfs_symlink and vfs_link, which system
 * calls, the bind of a unix socket and io_uring share, and whose values tell whether it was done. They are given
 * dentries; the mount is remembered, see Mount.h. File systems on top of others call them for what is below as well, by
 * a mount of their own. done_path_create, which has both, is inlined into its callers.
 *
 * Misses: network file systems whose new directory has no inode yet here.
 */
#include "Mount.h"

/*
 * The mount of a dentry that was changed, 0 when the change is none of a process': made by the kernel for itself, or by
 * a file system below another one.
 */
static __always_inline u64 created__mount(enum ebpf_event_type type, u64 dentry)
{
    if (current__is_kernel_thread())
        return 0;
    u64 mnt = mount__recent(dentry);

    if (!mnt)
        count__seen_and_lost(type, EBPF_REASON_STATE);
    return mnt && !mount__is_internal(mnt) ? mnt : 0;
}

static __always_inline void created__emit(u64 dentry_addr, const char *target)
{
    struct dentry *dentry = (void *)dentry_addr;
    struct inode *inode = BPF_CORE_READ(dentry, d_inode);

    if (!inode || !event__is_wanted(EBPF_EVENT_FILE_CREATE))
        return;
    u64 mnt = created__mount(EBPF_EVENT_FILE_CREATE, dentry_addr);

    if (!mnt)
        return;
    struct scratch *s = EMIT_BEGIN(FILE_CREATE, file_create);

    if (!s)
        return;
    file_actor__fill(s->slot);
    file_info__fill(s->slot, (u64)inode);
    dentry_path__append(s, EBPF_TAG_PATH, dentry_addr, mnt);
    if (target)
        varlen__kernel_str(s, EBPF_TAG_SYMLINK_TARGET, target, EBPF_PATH_MAX);
    file_event__submit(s, EBPF_EVENT_FILE_CREATE);
}

SEC("ebpf.fexit/vfs_mkdir")
int BPF_PROG(fexit__vfs_mkdir)
{
    if (!compat__is_error(compat__func_ret(ctx, 3)))
        created__emit(compat__idmap_arg_address(ctx, 1), NULL);
    return 0;
}

SEC("ebpf.fexit/vfs_mknod")
int BPF_PROG(fexit__vfs_mknod)
{
    if (!compat__is_error(compat__func_ret(ctx, 4)))
        created__emit(compat__idmap_arg_address(ctx, 1), NULL);
    return 0;
}

SEC("ebpf.fexit/vfs_create")
int BPF_PROG(fexit__vfs_create)
{
    if (!compat__is_error(compat__func_ret(ctx, 4)))
        created__emit(compat__vfs_create_dentry(ctx), NULL);
    return 0;
}

SEC("ebpf.fexit/vfs_symlink")
int BPF_PROG(fexit__vfs_symlink)
{
    if (!compat__is_error(compat__func_ret(ctx, 3)))
        created__emit(compat__idmap_arg_address(ctx, 1), (void *)compat__idmap_arg_address(ctx, 2));
    return 0;
}

static __always_inline void linked__emit(u64 old_addr, u64 new_addr)
{
    struct dentry *old = (void *)old_addr;
    struct inode *inode = BPF_CORE_READ(old, d_inode);
    u64 mnt = created__mount(EBPF_EVENT_FILE_LINK, new_addr);

    if (!mnt)
        return;
    struct scratch *s = EMIT_BEGIN(FILE_LINK, file_link);

    if (!s)
        return;
    file_actor__fill(s->slot);
    file_info__fill(s->slot, (u64)inode);
    dentry_path__append(s, EBPF_TAG_OLD_PATH, old_addr, mnt);
    dentry_path__append(s, EBPF_TAG_NEW_PATH, new_addr, mnt);
    file_symlink__append(s->slot, (u64)inode);
    file_event__submit(s, EBPF_EVENT_FILE_LINK);
}

SEC("ebpf.fexit/vfs_link")
int BPF_PROG(fexit__vfs_link)
{
    if (compat__is_error(compat__func_ret(ctx, 4)))
        return 0;
    u64 old_addr = ctx__address(ctx);
    struct dentry *old = (void *)old_addr;

    /* its only name, and the dentry that it had until now is in no directory's table: it had none */
    if (BPF_CORE_READ(old, d_inode, i_nlink) == 1 && !BPF_CORE_READ(old, d_hash.pprev))
        created__emit(compat__idmap_arg_address(ctx, 2), NULL);
    else if (event__is_wanted(EBPF_EVENT_FILE_LINK))
        linked__emit(old_addr, compat__idmap_arg_address(ctx, 2));
    return 0;
}
