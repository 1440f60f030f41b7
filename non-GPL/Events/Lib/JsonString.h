/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JsonString.h - bytes as JSON strings, for those who write paths and lists.
 *
 * Most values are printable ASCII. Whether one is, is found out sixteen bytes at a time, and then it is copied. What is
 * not takes the way through ebpf_json__escape, and so does what may not fit. Both ways write the same.
 */
#ifndef EBPF_LIB_JSON_STRING_H
#define EBPF_LIB_JSON_STRING_H

#include "JsonText.h"

/* What becomes of a NUL: within a string, between strings that are joined, and between those of an array. */
struct nul_text {
    char text[8];
    size_t len;
};

/* Bytes of a value, escaped, as ebpf_json__escaped, with that in the place of each NUL. */
void ebpf_json__escape(struct json_out *out, struct slice value, const struct nul_text *nul);

/*
 * Whether a value can be written as it is, its NULs aside. A space behind a NUL may be taken for special in a short
 * value, which then goes the slower way. Of what has sixteen bytes or more, some are looked at again
 * in the end, so as not to look at what follows the value.
 */
static inline bool value__is_plain16(struct slice value)
{
    size_t last = value.len - 16;
    bytes16 plain = plain16(load16(value.data + last));

    for (size_t i = 0; i < last; i += 16)
        plain &= plain16(load16(value.data + i));
    return all16(plain);
}

static inline bool value__is_plain(struct slice value)
{
    const char *const end = value.data + value.len;
    uint64_t special = 0;

    if (value.len >= 16)
        return value__is_plain16(value);
    if (value.len >= 8) {
        uint64_t word = load_word(value.data);

        special |= special_bytes(word) & ~zero_bytes(word);
    }
    if (value.len % 8) {
        uint64_t word = last_bytes(end, value.len % 8);

        special |= special_bytes(word) & ~zero_bytes(word);
    }
    return !special;
}

#endif
