/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * MountSearch.h - finds the mount through which a file was changed, for hooks that get a dentry only.
 *
 * Nothing is stored between two programs. For a call that names an open file, the mount is that file's. A call that
 * names a path has left no trace of it, so the mounts of the file system are searched for those in the process' mount
 * namespace that lead to the file. If there is one, it is the answer. If there are several, the path is flagged as
 * ambiguous, and the mount of the working directory is preferred, then that of the root directory. The search is
 * bounded, so that nobody can make it long; if a mount was not examined, the path counts as ambiguous.
 */
#ifndef EBPF_FILE_MOUNT_SEARCH_H
#define EBPF_FILE_MOUNT_SEARCH_H

#include "File.h"

#define MOUNT_AMBIGUOUS 1ULL /* in the lowest bit of the address */

/*
 * Return the struct vfsmount that leads to the dentry at an address, with MOUNT_AMBIGUOUS if another one may have been
 * used; 0 if none is known: the path then begins at the root of the file system.
 */
extern u64 mount__of_dentry(u64 dentry);

/*
 * Return whether an overlay itself changes the dentry, which is in one of its layers: with the credentials of the
 * process that mounted it, or while it is being mounted. Credentials alone do not show it: io_uring lets a process act
 * with others.
 */
extern int dentry__is_changed_inside(u64 dentry);

/* Fill in an event like file_event__fill, through a mount as mount__of_dentry returns it. */
static __always_inline void file_event__fill_through(struct scratch *s, u64 mnt, u64 dentry, u64 inode)
{
    const struct path_root *root = file_actor__fill(s);

    file_info__fill(s->slot, inode);
    u64 at = READ_ONCE(s->len);

    path__append(s, EBPF_TAG_PATH, path_start__at(root, mnt & ~MOUNT_AMBIGUOUS, dentry));
    BARRIER(at);
    if (mnt & MOUNT_AMBIGUOUS && at < SCRATCH_PATHS)
        ((struct ebpf_varlen *)&s->data[at])->flags |= EBPF_VARLEN_AMBIGUOUS;
    file_symlink__append(s->slot, inode);
}

static __always_inline void file_event__fill_by(struct scratch *s, u64 dentry, u64 mnt)
{
    file_event__fill_through(s, mnt, dentry, (u64)BPF_CORE_READ((struct dentry *)dentry, d_inode));
}

#endif
