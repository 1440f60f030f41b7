/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Btrfs.h - where btrfs keeps the device number that stat(2) returns.
 *
 * Each subvolume has its own number, in types that only the BTF of the file system's module describes.
 */
#ifndef EBPF_BTRFS_H
#define EBPF_BTRFS_H

struct btrfs_layout;

/*
 * Look it up in the BTF of the loaded module, or in the kernel's. All 0 if neither has it: before 5.11 modules have no
 * BTF.
 */
void btrfs__find_layout(struct btrfs_layout *ret_layout);

#endif
