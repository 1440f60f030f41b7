/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Cache.h - cached texts: of mounts (MountCache.h) and of cgroups (Cgroup.h).
 *
 * A program that writes an entry claims it, and increments its version before and after. A reader discards its copy if
 * the version is odd, or has changed meanwhile.
 */
#ifndef EBPF_CORE_CACHE_H
#define EBPF_CORE_CACHE_H

#include "Claim.h"

#define CACHED_WORDS 8     /* texts up to this length are copied word by word, without a helper call */
#define CACHED_WORDS_FEW 2 /* "tmp", "home" */

/*
 * Copy a text of at most `max` bytes from a cache to a record. Both have room for CACHED_WORDS. The bound stands next
 * to the call, although callers have tested it: once a length was spilled as 32 bits, the verifier has lost its bounds.
 */
static __always_inline void cached__copy(void *to, const void *from, u64 len, u64 max)
{
    if (len <= CACHED_WORDS_FEW * 8) {
        kernel__copy(true, to, from, CACHED_WORDS_FEW * 8);
        return;
    }
    if (len <= CACHED_WORDS * 8) {
        kernel__copy(true, to, from, CACHED_WORDS * 8);
        return;
    }
    BARRIER(len);
    if (len <= max)
        bpf_probe_read_kernel(to, len, from);
}

#endif
