/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* UserCopy.h - copies of a process' memory into a record, page by page. */
#ifndef EBPF_CORE_USER_COPY_H
#define EBPF_CORE_USER_COPY_H

#include "Slot.h"

/* Read the next page of a slot's copy; in UserCopy.bpf.c. Returns 1 if there may be more. */
extern int user_copy__page(u32 slot);

/* Read page by page, up to the first missing one, to `to` in the record. Return the number of bytes read. */
static __always_inline u64 user__read_pages(struct scratch *s, u32 to, u64 from, u32 len)
{
    s->copy.from = from;
    s->copy.to = to;
    s->copy.left = len;
    for (u32 i = 0; i <= EBPF_ENV_MAX / PAGE_SIZE && user_copy__page(s->slot); i++)
        ;
    u64 left = READ_ONCE(s->copy.left);

    return left > len ? 0 : len - left;
}

#endif
