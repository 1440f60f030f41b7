/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Subvolume.h - btrfs subvolumes, which ioctls create and delete. */
#ifndef EBPF_FILE_SUBVOLUME_H
#define EBPF_FILE_SUBVOLUME_H

#include "File.h"

/*
 * Emit the deletion of the dentry at an address, on btrfs, if an ioctl deletes it as a subvolume. `preemption` is an
 * enum preemption.
 */
extern int subvolume__deleted(u64 dentry, u32 preemption);

#endif
