/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JsonScalar.h - the scalar kinds of Events.def as JSON: write_<kind>() for each, and MAX_<kind>, the most bytes that
 * it writes. Included by Json.c only, into which all of it is inlined.
 */
#ifndef EBPF_LIB_JSON_SCALAR_H
#define EBPF_LIB_JSON_SCALAR_H

#include "Json.h"
#include "JsonText.h"

/* All take a pointer, as the writers of groups do. */
UNUSED JSON_INLINE char *write_u32(char *p, const ebpf_u32 *value)
{
    return write_number(p, *value);
}

UNUSED JSON_INLINE char *write_u64(char *p, const ebpf_u64 *value)
{
    return write_number(p, *value);
}

UNUSED JSON_INLINE char *write_s32(char *p, const ebpf_s32 *value)
{
    if (*value < 0)
        *p++ = '-';
    return write_number(p, *value < 0 ? -(uint64_t)*value : (uint64_t)*value);
}

UNUSED JSON_INLINE char *write_s64(char *p, const ebpf_s64 *value)
{
    if (*value >= (ebpf_s64)CACHED_NUMBER_MIN) /* the time of a file */
        return write_cached(p, (uint64_t)*value);
    if (*value < 0)
        *p++ = '-';
    return write_number(p, *value < 0 ? -(uint64_t)*value : (uint64_t)*value);
}

/* Spread a number of 24 bits to octal digits, the first in the lowest byte: it is split in halves, three times. */
JSON_INLINE uint64_t octal_digits(uint64_t value)
{
    uint64_t fours = (value & 07777) | value >> 12 << 32;
    uint64_t pairs = (fours & UINT64_C(0x3f0000003f)) | (fours & UINT64_C(0xfc000000fc0)) << 10;
    uint64_t ones = (pairs & UINT64_C(0x7000700070007)) | (pairs & UINT64_C(0x38003800380038)) << 5;

    return __builtin_bswap64(ones);
}

/* Format the octal digits, without a leading zero, which JSON does not allow. */
NOINLINE char *format_octal(char *p, const ebpf_u32 *value)
{
    uint64_t digits = octal_digits(*value & 077777777);
    size_t zeros = *value >> 24 ? 0 : bytes_before(digits | UINT64_C(1) << 63);

    for (int shift = 30; *value >> 24 && shift >= 24; shift -= 3) {
        if (*value >> shift)
            *p++ = (char)('0' + (*value >> shift & 7));
    }
    store_word(p, (digits + BYTES('0')) >> (8 * zeros));
    return p + 8 - zeros;
}

/* Write an octal number. Most files have one of few modes, so the text of the last one is cached. */
UNUSED JSON_INLINE char *write_octal(char *p, const ebpf_u32 *value)
{
    static _Thread_local struct {
        uint32_t value, len;
        char text[2 * JSON_SLACK];
    } cache = {0, 1, "0"};
    __typeof__(&cache) cached = THREADS_OWN(cache);

    if (cached->value != *value) {
        cached->len = (uint32_t)(format_octal(cached->text, value) - cached->text);
        cached->value = *value;
    }
    memcpy(p, cached->text, 11);
    return p + cached->len;
}

/* write_<enum>: the name of a value, or UNKNOWN. */
#define ENUM_TEXT_MAX 30
#define ENUM_TEXT_COPIED 32
_Static_assert(ENUM_TEXT_COPIED <= ENUM_TEXT_MAX + JSON_SLACK, "a name is copied beyond the slack");

// clang-format off
#define ENUM(name, doc)                                                                                                \
    UNUSED static char *write_##name(char *p, const ebpf_u32 *value)                                                   \
    {                                                                                                                  \
        static const struct {                                                                                          \
            char text[ENUM_TEXT_COPIED];                                                                               \
            unsigned char len;                                                                                         \
        } texts[] = {{"\"UNKNOWN\"", sizeof("UNKNOWN") + 1},
#define VALUE(id, NAME, text, doc) [id] = {"\"" text "\"", sizeof(text) + 1},
#define END_ENUM(name)                                                                                                 \
        };                                                                                                             \
        size_t i = *value < sizeof(texts) / sizeof(*texts) && texts[*value].len ? *value : 0;                          \
                                                                                                                       \
        memcpy(p, texts[i].text, ENUM_TEXT_COPIED);                                                                    \
        return p + texts[i].len;                                                                                       \
    }
#include "Events.def"
// clang-format on

UNUSED JSON_INLINE char *write_u64str(char *p, const ebpf_u64 *value)
{
    *p++ = '"';
    p = write_number(p, *value);
    *p++ = '"';
    return p;
}

/* Write an address: IPv4 in dotted decimals, IPv6 as in RFC 5952. */
UNUSED JSON_INLINE char *write_ip(char *p, const struct ebpf_ip *value)
{
    *p++ = '"';
    p = ebpf_json__write_ip(p, value);
    *p++ = '"';
    return p;
}

/* The most bytes that a value takes. For an event, which is none, they are those of its fixed part. */
enum {
#define ROW(kind, max, schema, doc) MAX_##kind = max,
    JSON_SCALAR_KINDS(ROW)
#undef ROW
#define MAX_FIELD(kind, key) (sizeof("\"" key "\":,") - 1 + MAX_##kind)
#define ENUM(name, doc) MAX_##name = ENUM_TEXT_MAX,
#define GROUP(name, doc) MAX_##name = 2
#define END_GROUP(name) ,
#define EVENT(id, NAME, name, option, ring, doc) MAX_##name = 0
#define END_EVENT(name) ,
#define FIELD(kind, name, key, doc) +MAX_FIELD(kind, key)
#include "Events.def"
};

#endif
