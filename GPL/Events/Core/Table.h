/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Table.h - array maps that are used as hash tables.
 *
 * A lookup in a BPF hash map costs four times as much as one in an array, and an insertion can fail. These tables are
 * arrays with a power of two of slots and open addressing: a key has a few slots, from the one on that its hash
 * selects. An entry claims its slot (Claim.h), so two programs never share one. A search always looks at all slots of
 * its key, so an entry can release its slot whatever the slots behind it hold.
 */
#ifndef EBPF_CORE_TABLE_H
#define EBPF_CORE_TABLE_H

#include "Claim.h"

#define HASH_FACTOR 0x9e3779b97f4a7c15ULL /* 2^64 divided by the golden ratio */

/* Return a hash of so many bits. */
static __always_inline u32 hash__of(u64 key, u32 bits)
{
    return key * HASH_FACTOR >> (64 - bits);
}

/* Return slot `number` of an array map with `slots` slots, a power of two. Numbers wrap round the end. */
static __always_inline void *table__slot(void *map, u32 slots, u32 number)
{
    u32 slot = number & (slots - 1);

    return bpf_map_lookup_elem(map, &slot);
}

/* Run the statement that follows for each of `tries` slots from `first` on. `entry` is the n-th of them. */
#define FOR_EACH_SLOT(entry, n, map, slots, first, tries)                                                              \
    for (u32 n = 0; n < (tries); n++)                                                                                  \
        if ((entry = table__slot(map, slots, (first) + n)))

#endif
