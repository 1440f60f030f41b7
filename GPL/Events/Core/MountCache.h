/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * MountCache.h - a cache of the paths of mountpoints, as processes with a certain root directory see them.
 *
 * Mounts seldom move. To see that an entry is still valid, its mount and the few directories above it are looked at,
 * which takes a third of a walk. Only mounts directly below the root's own mount are cached.
 *
 * Where namespaces have numbers, the mount itself is not looked at again. An unmount gives the namespace its new number
 * a moment before it detaches the mount. So an entry counts as settled only if its mount was still in the namespace a
 * second after the number was first seen.
 */
#ifndef EBPF_CORE_MOUNT_CACHE_H
#define EBPF_CORE_MOUNT_CACHE_H

#include "CompatFs.h"

/*
 * Return whether an entry may be trusted because its namespace has not changed. The kernel gives a namespace a new
 * number, `event`, whenever one of its mounts is added, moved or removed, and never reuses one: what was found at a
 * number holds as long as the namespace has it. A namespace that was only copied has 0, and none of its mounts are
 * cached by number. Used where a mount has to be read by its address although the current task is typed (5.11 to 6.1).
 */
static __always_inline bool mounts__have_numbers(void)
{
    return !emit_constants.casts && compat__has_current_btf() && compat__mounts_are_counted();
}

/* Continue a walk that has reached the root of its mount. Returns 0 if that ended the walk. */
extern int mount_cache__append(u32 slot);

/* Store what a walk found above its mount, below which it had walked `used` bytes. */
extern int mount_cache__store(u32 slot, u32 used);

#endif
