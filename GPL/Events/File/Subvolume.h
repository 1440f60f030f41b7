/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Subvolume.h - btrfs subvolumes, which ioctls create and delete. */
#ifndef EBPF_FILE_SUBVOLUME_H
#define EBPF_FILE_SUBVOLUME_H

#include "File.h"

/*
 * Return whether an ioctl may be creating a subvolume with this dentry, which is getting its inode. One that is being
 * looked up is not in the table of names yet.
 */
static __always_inline bool dentry__may_be_subvolume(struct dentry *dentry)
{
    return dentry->d_sb->s_magic == BTRFS_MAGIC && dentry->d_hash.pprev;
}

/*
 * Emit the creation of the dentry at an address, to which the kernel is about to give the inode at another one, if an
 * ioctl creates it as a subvolume; return whether it does. Only where a program that is not preempted finds it.
 */
extern int subvolume__created(u64 dentry, u64 inode);

/* Emit what an ioctl that has ended well has created or deleted as a subvolume, where only that end is seen. */
extern int subvolume__called(u64 fd, u32 command, u64 argument);

/*
 * Emit the deletion of the dentry at an address, on btrfs, if an ioctl deletes it as a subvolume. `preemption` is an
 * enum preemption.
 */
extern int subvolume__deleted(u64 dentry, u32 preemption);

#endif
