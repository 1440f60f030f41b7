/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * MountCache.h - where mounts are mounted, as path text, as a process with a certain root directory sees it.
 *
 * Mounts seldom move: to see that an entry still holds, its mount and the few directories above it are looked at, which
 * takes a third of a walk. Only what is mounted below the root's own mount is kept.
 *
 * Where namespaces have numbers, the mount itself is not looked at again. An unmount gives the namespace its number a
 * moment before it takes the mount away; so a mount counts as settled only when it was found to be in the namespace a
 * second after that was seen with its number.
 */
#ifndef EBPF_CORE_MOUNT_CACHE_H
#define EBPF_CORE_MOUNT_CACHE_H

#include "Compat.h"

/*
 * Whether what is known of a mount may be kept by the number of its namespace. The kernel gives a namespace a new one,
 * `event`, with each mount that comes, moves or goes there, and never one that it had before: what was so in it at a
 * number is so as long as it has that. A namespace that has only been copied has 0, and nothing of it is kept. Needed
 * where a mount has to be looked at by its address, and the current task is typed (5.11 to 6.1).
 */
static __always_inline bool mounts__have_numbers(void)
{
    return !emit_constants.casts && compat__has_current_btf() && bpf_core_field_exists(struct mnt_namespace, event);
}

/* Go on with a walk that has come to the root of its mount. Returns 0 when that was the end of the walk. */
extern int mount_cache__append(u32 slot);

/* Keep what a walk has found above its mount, of which it had walked `used` bytes. */
extern int mount_cache__store(u32 slot, u32 used);

#endif
