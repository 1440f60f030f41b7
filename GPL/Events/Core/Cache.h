/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Cache.h - texts that are kept: of mounts (MountCache.h) and of cgroups (Cgroup.h).
 *
 * A program that writes an entry claims it, and counts its version up before and after; one that copies an entry under
 * which the version has changed, or is odd, has nothing.
 */
#ifndef EBPF_CORE_CACHE_H
#define EBPF_CORE_CACHE_H

#include "Claim.h"

#define CACHED_WORDS 8     /* what is no longer is copied word by word, without a helper's call */
#define CACHED_WORDS_FEW 2 /* "tmp", "home" */

/*
 * A text of at most `max` bytes from a cache to a record; both have room for CACHED_WORDS. The bound stands next to the
 * call, although callers have tested it: a length that was put away in between, as 32 bits, has none to the verifier.
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
