/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Subvolume.h - subvolumes of btrfs, which ioctls of its own make and delete. */
#ifndef EBPF_FILE_SUBVOLUME_H
#define EBPF_FILE_SUBVOLUME_H

#include "File.h"

/* Emit the deletion of the dentry at an address, of btrfs, if it is that of a subvolume by ioctl. */
extern int subvolume__deleted(u64 dentry);

#endif
