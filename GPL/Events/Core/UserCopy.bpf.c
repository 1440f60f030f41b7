// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* UserCopy.bpf.c - see UserCopy.h. */
#include "UserCopy.h"

/* Return the size of a slot's data, which is a constant to the verifier. */
static __always_inline u32 scratch__data_size(void)
{
    return emit_constants.capture_env ? SCRATCH_DATA_ENV : SCRATCH_DATA;
}

/*
 * Read the next page of s->copy. Return 1 if there may be more. It is a global function, as those in Path.bpf.c, so
 * that the verifier checks one page, not all of them.
 */
int user_copy__page(u32 slot)
{
    struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);

    if (!s)
        return 0;
    u64 from = s->copy.from, left = s->copy.left, off = s->copy.to;
    u64 chunk = PAGE_SIZE - (from & (PAGE_SIZE - 1));

    if (chunk > left)
        chunk = left;
    if (!chunk)
        return 0;
    /* a compiler may turn the test for zero into one for equality, and so lose the bound below */
    BARRIER(chunk);
    BARRIER(off);
    if (off > scratch__data_size() - PAGE_SIZE || chunk > PAGE_SIZE ||
        bpf_probe_read_user(&s->data[off], chunk, (void *)from))
        return 0;
    s->copy.from = from + chunk;
    s->copy.to = off + chunk;
    s->copy.left = left - chunk;
    return 1;
}
