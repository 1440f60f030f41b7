// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * FILE_RENAME: a file or directory was renamed or moved, or exchanged with another one.
 *
 * Hooks: the end of security_path_rename, which every rename comes to, by system call or io_uring, with mounts,
 * dentries and flags, when nothing forbids it any more: the old path is read there. Then the end of vfs_rename, whose
 * value tells whether it was done; the dentry has its new name and place then. File systems on top of others call
 * vfs_rename for what is below as well, with other dentries. The file at the new path, when there was one, is kept by
 * the kernel until then.
 *
 * A rename of one name of a file to another name of the same file does nothing, and is no event. Misses: nothing known.
 */
#include "File.h"

SEC("ebpf.fexit/security_path_rename")
int BPF_PROG(fexit__security_path_rename, struct path *old_dir, struct dentry *old, struct path *new_dir,
             struct dentry *new, unsigned int flags, int ret)
{
    struct inode *target = new->d_inode;

    if (ret || old->d_inode == target || current__is_kernel_thread())
        return 0;
    struct scratch *s = PENDING_BEGIN(FILE_RENAME, file_rename, old);

    if (!s)
        return 0;
    struct ebpf_file_rename_event *e = (void *)s->data;

    e->hdr.flags = flags & (EBPF_RENAME_F_NOREPLACE | EBPF_RENAME_F_EXCHANGE | EBPF_RENAME_F_WHITEOUT);
    e->replaced_inode = e->exchanged_inode = 0;
    e->replaced_nlink = e->reserved_replaced = 0;
    s->op.aux[0] = scalar__of(s, new_dir->mnt->mnt_root);
    s->op.aux[1] = scalar__of(s, target);
    if (target && !(flags & RENAME_EXCHANGE))
        e->hdr.flags |= EBPF_RENAME_F_REPLACED;
    file_actor__fill(s->slot);
    /* both directories are by the same mount, or there would be no rename */
    path_job__mount(s, old_dir->mnt);
    path__append_typed(s, EBPF_TAG_OLD_PATH, old);
    return 0;
}

SEC("ebpf.fexit/vfs_rename")
int BPF_PROG(fexit__vfs_rename, struct renamedata *rd, int ret)
{
    struct dentry *old = rd->old_dentry;
    struct scratch *s = pending__done(EBPF_EVENT_FILE_RENAME, old, ret);

    if (!s)
        return 0;
    struct ebpf_file_rename_event *e = (void *)s->data;
    struct inode *target = (void *)s->op.aux[1];
    struct inode *inode = old->d_inode;

    if (e->hdr.flags & EBPF_RENAME_F_EXCHANGE) {
        e->exchanged_inode = compat__inode_number(target);
    } else if (target) {
        e->replaced_inode = compat__inode_number(target);
        e->replaced_nlink = BPF_CORE_READ(target, i_nlink);
    }
    file_info__fill_typed(s, inode);
    s->walk.mnt_root = s->op.aux[0];
    path__append_typed(s, EBPF_TAG_NEW_PATH, old);
    if ((inode->i_mode & S_IFMT) == S_IFLNK)
        file_symlink__append(s->slot, scalar__of(s, inode));
    PENDING_SUBMIT(s, FILE_RENAME);
    return 0;
}
