/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Btrfs.h - where btrfs keeps the device number that stat(2) returns.
 *
 * Each subvolume has one of its own, which stands in types of the file system that only the BTF of its module has.
 */
#ifndef EBPF_BTRFS_H
#define EBPF_BTRFS_H

struct btrfs_layout;

/*
 * Look it up in the BTF of the module, which is loaded, or in the kernel's. All 0 where neither has it: before 5.11
 * modules have no BTF.
 */
void btrfs__find_layout(struct btrfs_layout *ret_layout);

#endif
