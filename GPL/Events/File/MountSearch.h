/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * MountSearch.h - the mount by which a file was changed, for hooks that are given a dentry only.
 *
 * Nothing is remembered between two programs. A call that names an open file has its mount. A call that names a path
 * has left no trace of it, so the mounts of the file system are searched for those of the process' mount namespace that
 * lead to the file. One of them is the answer; several are ambiguous, then the mount of the working directory is taken,
 * or that of the root directory, and the path says so. What is searched is bounded, so that nobody can make the search
 * long; what was not looked at counts as ambiguous.
 */
#ifndef EBPF_FILE_MOUNT_SEARCH_H
#define EBPF_FILE_MOUNT_SEARCH_H

#include "File.h"

#define MOUNT_AMBIGUOUS 1ULL /* in the lowest bit of the address */

/*
 * The struct vfsmount that leads to the dentry at an address, with MOUNT_AMBIGUOUS when another one may have been used;
 * 0 when none is known: the path then begins at the root of the file system.
 */
extern u64 mount__of_dentry(u64 dentry);

/*
 * Whether an overlay changes the dentry, which is in one of its layers, for itself: with the credentials of the
 * process that mounted it, or while it is being mounted. Credentials alone do not tell: io_uring lets a process act
 * with others.
 */
extern int dentry__is_changed_inside(u64 dentry);

/* As file_event__fill, by way of a mount as mount__of_dentry returns it. */
static __always_inline void file_event__fill_by(struct scratch *s, u64 dentry, u64 mnt)
{
    u64 inode = (u64)BPF_CORE_READ((struct dentry *)dentry, d_inode);

    const struct path_root *root = file_actor__fill(s);

    file_info__fill(s->slot, inode);
    u64 at = READ_ONCE(s->len);

    path__append(s, EBPF_TAG_PATH, path_start__at(root, mnt & ~MOUNT_AMBIGUOUS, dentry));
    BARRIER(at);
    if (mnt & MOUNT_AMBIGUOUS && at < SCRATCH_PATHS)
        ((struct ebpf_varlen *)&s->data[at])->flags |= EBPF_VARLEN_AMBIGUOUS;
    file_symlink__append(s->slot, inode);
}

#endif
