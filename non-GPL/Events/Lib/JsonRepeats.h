/* SPDX-License-Identifier: BSD-2-Clause */
/* JsonRepeats.h - which parts of an event repeat, so that their text is cached; from the rows of Events.def. */
#ifndef EBPF_LIB_JSON_REPEATS_H
#define EBPF_LIB_JSON_REPEATS_H

#include "Json.h"
#include "JsonCache.h"

/*
 * Text that repeats is not formatted again: it is cached with the words that it was made from. Groups repeat: most
 * processes are in the host's namespaces and have the credentials of the process before, and a process seldom does only
 * one thing. So the last groups of each kind are cached, by a hash of their first words. A group with several numbers
 * of 64 bits, such as the times and sizes of a file, differs each time; only its part behind REPEATS is cached.
 *
 * The head of an event repeats as well: its fields up to the first one that differs each time, flag or variable field.
 * It is cached for the events of the bulk ring, which come by the thousand.
 */
enum {
#define ROW(kind, max, schema, doc) LONG_NUMBERS_##kind = max == NUMBER_DIGITS_MAX,
    JSON_SCALAR_KINDS(ROW)
#undef ROW
#define ENUM(name, doc) LONG_NUMBERS_##name = 0,
#define GROUP(name, doc) LONG_NUMBERS_##name = 0
#define END_GROUP(name) ,
#define EVENT(id, NAME, name, option, ring, doc) LONG_NUMBERS_##name = 0
#define END_EVENT(name) ,
#define FIELD(kind, name, key, doc) +LONG_NUMBERS_##kind
#include "Events.def"
};

#define DIFFERS(kind) (LONG_NUMBERS_##kind > 1)

#define CACHE_BITS 2 /* of buckets for each kind of group */

/* head_size_<event>: bytes of the head behind the header, 0 if it is not cached; a constant to the compiler. */
// clang-format off
#define EVENT(id, NAME, name, option, ring, doc)                                                                       \
    JSON_INLINE size_t head_size_##name(void)                                                                          \
    {                                                                                                                  \
        bool in_head = EBPF_RING_##ring == EBPF_RING_BULK;                                                             \
        size_t size = 0;
#define GROUP(name, doc)                                                                                               \
    UNUSED JSON_INLINE size_t head_size_##name(void)                                                                   \
    {                                                                                                                  \
        bool in_head = false;                                                                                          \
        size_t size = 0;
#define END_GROUP(name)                                                                                                \
        return size;                                                                                                   \
    }
#define FIELD(kind, name, key, doc)                                                                                    \
        in_head = in_head && !DIFFERS(kind);                                                                           \
        size += in_head ? sizeof(EBPF_KIND_##kind) : 0;
#define FIELD_IF(kind, name, key, FLAG_NAME, doc) in_head = false;
#define FLAG(NAME, bit, key, doc) in_head = false;
#define VARLEN(NAME, doc) in_head = false;
#define OPTIONAL(NAME, doc) in_head = false;
#define END_EVENT(name)                                                                                                \
        return size % 8 || size > 8 * CACHED_WORDS ? 0 : size;                                                         \
    }
#include "Events.def"
// clang-format on

#endif
