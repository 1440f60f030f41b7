/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JsonString.h - bytes as JSON strings, for the writers of paths and lists.
 *
 * Most values are printable ASCII, which is tested sixteen bytes at a time, and are copied. Other values, and those
 * that may not fit, go through ebpf_json__escape. Both ways write equal text.
 */
#ifndef EBPF_LIB_JSON_STRING_H
#define EBPF_LIB_JSON_STRING_H

#include "JsonText.h"

/* The text that replaces a NUL: within a string, between joined strings, or between those of an array. */
struct nul_text {
    char text[8];
    size_t len;
};

/* Write the bytes of a value as ebpf_json__escaped does, with `nul` in place of each NUL. */
void ebpf_json__escape(struct json_out *out, struct slice value, const struct nul_text *nul);

/*
 * Return whether a value can be written as it is, except for its NULs. In a short value a space behind a NUL may be
 * taken for a special character, which only makes it slower. In a longer one some of the last sixteen bytes are tested
 * twice, so as not to read what follows the value.
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
