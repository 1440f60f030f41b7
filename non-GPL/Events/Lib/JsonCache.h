/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JsonCache.h - text that is cached, because the bytes that it was made from come again.
 *
 * A cache belongs to its thread, so that nothing has to be locked, and has a few buckets, by a hash of those bytes.
 * They are compared as a whole, so a hit is always right.
 */
#ifndef EBPF_LIB_JSON_CACHE_H
#define EBPF_LIB_JSON_CACHE_H

#include "JsonText.h"

#define CACHED_WORDS 12
#define CACHED_TEXT_MAX 512

struct cached_text {
    size_t len; /* 0: the bucket is empty */
    uint64_t of[CACHED_WORDS];
    char text[CACHED_TEXT_MAX];
};

/* Return whether it is the text of these bytes, a multiple of 8, at least 16. */
JSON_INLINE bool cached_text__matches(const struct cached_text *cached, const void *of, size_t size)
{
    const char *a = (const char *)cached->of, *b = of;
    bytes16 differing = {0};

#pragma GCC unroll 8
    for (size_t i = 0; i + 16 <= size; i += 16)
        differing |= load16(a + i) ^ load16(b + i);
    if (size % 16)
        differing |= load16(a + size - 16) ^ load16(b + size - 16); /* half of it is compared twice */
    return cached->len && all16(differing == 0);
}

static inline void cached_text__set(struct cached_text *cached, const void *of, size_t size, const char *text,
                                    size_t len)
{
    if (len > CACHED_TEXT_MAX)
        return;
    memcpy(cached->of, of, size);
    memcpy(cached->text, text, len);
    cached->len = len;
}

#endif
