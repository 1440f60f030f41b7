// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * FILE_DELETE: a name of a file, or a directory, was deleted.
 *
 * Hooks: the end of security_path_unlink and security_path_rmdir, which unlink, unlinkat, rmdir and io_uring come to
 * with the mount, the dentry and, still, the inode, when nothing forbids it any more; then the end of vfs_unlink, whose
 * value tells whether it was done. For a directory it is d_delete, which vfs_rmdir calls on success: vfs_rmdir itself
 * is inlined on 5.10, although BTF lists it. File systems on top of others call vfs_unlink for what is below as well,
 * with another dentry.
 *
 * A file that is replaced by a rename is told by FILE_RENAME. Misses: nothing known.
 */
#include "File.h"

static __always_inline int security_path_remove__exit(struct path *dir, struct dentry *dentry, int ret)
{
    if (ret || current__is_kernel_thread())
        return 0;
    struct scratch *s = PENDING_BEGIN(FILE_DELETE, file_delete, dentry);

    if (!s)
        return 0;
    file_event__fill_typed(s, dir->mnt, dentry, dentry->d_inode);
    return 0;
}

SEC("ebpf.fexit/security_path_unlink")
int BPF_PROG(fexit__security_path_unlink, struct path *dir, struct dentry *dentry, int ret)
{
    return security_path_remove__exit(dir, dentry, ret);
}

SEC("ebpf.fexit/security_path_rmdir")
int BPF_PROG(fexit__security_path_rmdir, struct path *dir, struct dentry *dentry, int ret)
{
    return security_path_remove__exit(dir, dentry, ret);
}

SEC("ebpf.fexit/vfs_unlink")
int BPF_PROG(fexit__vfs_unlink)
{
    struct scratch *s =
        pending__done(EBPF_EVENT_FILE_DELETE, (void *)COMPAT_IDMAP_ARG(ctx, 1), (int)COMPAT_IDMAP_ARG(ctx, 3));

    if (s)
        PENDING_SUBMIT(s, FILE_DELETE);
    return 0;
}

SEC("ebpf.fentry/d_delete")
int BPF_PROG(fentry__d_delete, struct dentry *dentry)
{
    if ((dentry->d_inode->i_mode & S_IFMT) != S_IFDIR)
        return 0;
    struct scratch *s = pending__done(EBPF_EVENT_FILE_DELETE, dentry, false);

    if (s)
        PENDING_SUBMIT(s, FILE_DELETE);
    return 0;
}
