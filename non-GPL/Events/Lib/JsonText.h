/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JsonText.h - JSON put into a buffer: literals, numbers, strings, times.
 *
 * Every value is followed by a comma, which the end of its object or array turns into a bracket: no writer has to know
 * whether it is the first.
 *
 * There are two kinds of writers. json__... take a struct json_out and write what fits. write_... take a pointer and
 * return where they stopped: they are for bounded values, for which json__begin has ensured room.
 */
#ifndef EBPF_LIB_JSON_TEXT_H
#define EBPF_LIB_JSON_TEXT_H

#include <errno.h>
#include <string.h>

#include "Record.h"

#define JSON_INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))
#define UNUSED __attribute__((unused)) /* of a kind, group or tag that no row uses at the moment */

struct json_out {
    char *p;                        /* where the next byte goes */
    char *end;                      /* behind the last byte that may be written */
    const char *readable;           /* end of the record around the values: how far a word may be read */
    bool full;                      /* something did not fit: the buffer is of no use */
    const struct slice *given_name; /* NULL but for consumers of Elastic's program: how the caller named an executed
                                       program; empty when that is not known */
};

/* Writers of bounded values store whole words: so many bytes behind what they return may be overwritten. */
#define JSON_SLACK 8

/* Give up: once something has not fitted, nothing does. */
static inline void json__give_up(struct json_out *out)
{
    out->full = true;
    out->end = out->p;
}

JSON_INLINE void json__raw(struct json_out *out, const char *text, size_t len)
{
    if ((size_t)(out->end - out->p) < len) {
        json__give_up(out);
        return;
    }
    memcpy(out->p, text, len);
    out->p += len;
}

JSON_INLINE char *write_raw(char *p, const char *text, size_t len)
{
    memcpy(p, text, len);
    return p + len;
}

#define JSON_LITERAL(out, literal) json__raw(out, literal, sizeof(literal) - 1)
#define WRITE_LITERAL(p, literal) write_raw(p, literal, sizeof(literal) - 1)

/* End an object or array: in place of the last comma, or at once if it is empty. */
static inline void json__close(struct json_out *out, char bracket)
{
    if (out->full)
        return;
    if (out->p[-1] == ',')
        out->p[-1] = bracket;
    else
        json__raw(out, &bracket, 1);
    JSON_LITERAL(out, ",");
}

/* End one likewise, without a comma behind it. */
JSON_INLINE char *write_close(char *p, char bracket)
{
    p -= p[-1] == ',';
    *p = bracket;
    return p + 1;
}

JSON_INLINE bool json__has_room(const struct json_out *out, size_t len)
{
    return (size_t)(out->end - out->p) >= len;
}

/*
 * Return where to write a value of at most `max` bytes: in place, or in `overflow` (of max + JSON_SLACK bytes) if the
 * value may not fit.
 */
JSON_INLINE char *json__begin(const struct json_out *out, size_t max, char *overflow)
{
    return json__has_room(out, max + JSON_SLACK) ? out->p : overflow;
}

JSON_INLINE void json__commit(struct json_out *out, const char *from, char *to)
{
    if (from == out->p)
        out->p = to;
    else
        json__raw(out, from, (size_t)(to - from));
}

/* Load eight bytes as a word; the byte with the lowest address is the least significant one, on any machine. */
JSON_INLINE uint64_t load_word(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

JSON_INLINE void store_word(char *p, uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    memcpy(p, &word, sizeof(word));
}

/*
 * The address of a thread's variable, which the compiler would look up again at each use: in a shared library that is a
 * call.
 */
#define THREADS_OWN(variable)                                                                                          \
    ({                                                                                                                 \
        __typeof__(&(variable)) own_ = &(variable);                                                                    \
                                                                                                                       \
        __asm__("" : "+r"(own_));                                                                                      \
        own_;                                                                                                          \
    })

/* Return one of 1 << bits buckets, by a hash of a word. */
JSON_INLINE size_t word__bucket(uint64_t word, unsigned int bits)
{
    return (size_t)(word * UINT64_C(0x9e3779b97f4a7c15) >> (64 - bits));
}

#define BYTES(b) (UINT64_C(0x0101010101010101) * (b))

/*
 * The tests below set the top bit of each byte that passes, and no other bit: the sum of two numbers of seven bits
 * never carries into the next byte.
 */
JSON_INLINE uint64_t zero_bytes(uint64_t word)
{
    return ~(((word & BYTES(0x7f)) + BYTES(0x7f)) | word) & BYTES(0x80);
}

/* Find zero bytes where all bytes are ASCII and none is 1: then subtracting suffices, with or without a borrow. */
JSON_INLINE uint64_t zero_bytes_of_plain(uint64_t word)
{
    return (word - BYTES(1)) & BYTES(0x80);
}

/*
 * Bytes that cannot stand for themselves in a string: control, '"', '\\', DEL, and what is not ASCII. The first one is
 * exact, and so is whether there is one; behind it a borrow or a carry may set bits of plain bytes.
 */
JSON_INLINE uint64_t special_bytes(uint64_t word)
{
    uint64_t control = word - BYTES(' '), del = word + BYTES(1);
    uint64_t quote = (word ^ BYTES('"')) - BYTES(1), backslash = (word ^ BYTES('\\')) - BYTES(1);

    return (word | control | del | quote | backslash) & BYTES(0x80);
}

/* Return how many bytes come before the first one that has passed a test. */
JSON_INLINE size_t bytes_before(uint64_t tops)
{
    return (size_t)__builtin_ctzll(tops) / 8;
}

/*
 * The `n` bytes, 1 to 7, that end at `end`, and zeros. It looks at what precedes them, not at what follows: before a
 * value there is always the head of its field, behind it there may be nothing.
 */
JSON_INLINE uint64_t last_bytes(const char *end, size_t n)
{
    return load_word(end - 8) >> (64 - 8 * n);
}

/* Sixteen bytes at once, where the machine can do that. */
typedef signed char bytes16 __attribute__((vector_size(16)));
typedef unsigned char unsigned_bytes16 __attribute__((vector_size(16))); /* which wrap around */

JSON_INLINE bytes16 load16(const char *p)
{
    bytes16 bytes;

    memcpy(&bytes, p, sizeof(bytes));
    return bytes;
}

JSON_INLINE void store16(char *p, bytes16 bytes)
{
    memcpy(p, &bytes, sizeof(bytes));
}

/*
 * Mark the bytes that are printable ASCII. Bytes that are not ASCII, being signed, are below the space; with one added,
 * so is DEL.
 */
JSON_INLINE bytes16 printable16(bytes16 bytes)
{
    return (bytes16)((unsigned_bytes16)bytes + 1) > ' ';
}

JSON_INLINE bytes16 escaped_by_backslash16(bytes16 bytes)
{
    return (bytes == '"') | (bytes == '\\');
}

/* Mark the bytes that can be written as they are, or are NUL. */
JSON_INLINE bytes16 plain16(bytes16 bytes)
{
    return (printable16(bytes) | (bytes == 0)) & ~escaped_by_backslash16(bytes);
}

/* Return whether a test holds for all. */
JSON_INLINE bool all16(bytes16 result)
{
    uint64_t words[2];

    memcpy(words, &result, sizeof(words));
    return (words[0] & words[1]) == UINT64_MAX;
}

/*
 * Return the eight digits of a number below 10^8, a byte each, the first digit in the lowest byte: split in halves,
 * three times, all halves at once.
 */
JSON_INLINE uint64_t eight_digits(uint64_t value)
{
    uint64_t high = value / 10000;
    uint64_t fours = high | (value - high * 10000) << 32;
    uint64_t hundreds = (fours * 5243 >> 19) & UINT64_C(0x0000007f0000007f);
    uint64_t pairs = hundreds | (fours - hundreds * 100) << 16;
    uint64_t tens = (pairs * 103 >> 10) & UINT64_C(0x000f000f000f000f);

    return tens | (pairs - tens * 10) << 8;
}

JSON_INLINE char *write_eight_digits(char *p, uint64_t value)
{
    store_word(p, eight_digits(value) + BYTES('0'));
    return p + 8;
}

extern const char ebpf_json__digit_pairs[201];

/* Write the two digits of a number below 100. */
JSON_INLINE char *write_pair(char *p, uint64_t value)
{
    return write_raw(p, ebpf_json__digit_pairs + 2 * value, 2);
}

/* Write a number below 100, with one digit if it needs no more. */
JSON_INLINE char *write_below_100(char *p, uint64_t value)
{
    if (value >= 10)
        return write_pair(p, value);
    *p = (char)('0' + value);
    return p + 1;
}

/* Write the four digits of a number below 10^4. */
JSON_INLINE char *write_four_digits(char *p, uint64_t value)
{
    return write_pair(write_pair(p, value / 100), value % 100);
}

/* Write a number of more than six digits, for write_number. */
char *ebpf_json__write_large(char *p, uint64_t value);

#define NUMBER_DIGITS_MAX 20

/*
 * Numbers of more than eight digits. Those are times: of a file, which often repeat, of the start of a
 * process; and namespaces. So the text of the last ones is cached, by a hash.
 */
#define NUMBER_CACHE_BITS 5
#define CACHED_NUMBER_MIN UINT64_C(100000000)

struct cached_number {
    uint64_t value, len;
    char text[NUMBER_DIGITS_MAX + JSON_SLACK];
};

extern _Thread_local struct cached_number ebpf_json__number_cache[1 << NUMBER_CACHE_BITS];

void ebpf_json__cache_number(struct cached_number *cached, uint64_t value);

JSON_INLINE char *write_cached(char *p, uint64_t value)
{
    struct cached_number *cached = *THREADS_OWN(ebpf_json__number_cache) + word__bucket(value, NUMBER_CACHE_BITS);

    if (cached->value != value)
        ebpf_json__cache_number(cached, value);
    memcpy(p, cached->text, NUMBER_DIGITS_MAX);
    return p + cached->len;
}

JSON_INLINE char *write_number(char *p, uint64_t value)
{
    if (value < 100)
        return write_below_100(p, value);
    if (value < 10000)
        return write_pair(write_below_100(p, value / 100), value % 100);
    if (value < 1000000)
        return write_four_digits(write_below_100(p, value / 10000), value % 10000);
    return ebpf_json__write_large(p, value);
}

/*
 * Begin a line in a buffer: 0 or -ENOSPC. End it: its length or -ENOSPC. The NUL replaces the comma behind the last
 * bracket, so the buffer may be filled to its end.
 */
static inline int json__begin_line(struct json_out *out, char *buf, size_t size)
{
    if (!size) {
        errno = ENOSPC;
        return -ENOSPC;
    }
    *out = (struct json_out){.p = buf, .end = buf + (size < INT32_MAX ? size : INT32_MAX)};
    return 0;
}

static inline int json__end_line(struct json_out *out, char *buf)
{
    if (out->full) {
        *buf = '\0';
        errno = ENOSPC;
        return -ENOSPC;
    }
    *--out->p = '\0';
    return (int)(out->p - buf);
}

/* Write an event as a line; `given_name` as in struct json_out. Returns its length or a negative errno. */
int ebpf_json__line(const struct ebpf_event *event, const struct slice *given_name, char *buf, size_t size);

/* Write a number and a comma. */
void ebpf_json__number(struct json_out *out, uint64_t value);

/* Write a text as it is. */
void ebpf_json__text(struct json_out *out, const char *text);

/* Write a text of the library as a string, in quotes and escaped; without a comma. */
void ebpf_json__string(struct json_out *out, const char *text);

/* Write the bytes of a value, escaped, and encoded as docs/events.md says if they are not UTF-8. */
void ebpf_json__escaped(struct json_out *out, struct slice value);

/* Write the pairs "timestamp" and "ts_boot_ns", and a comma. */
char *ebpf_json__write_times(char *p, uint64_t time_ns, uint64_t ts_boot_ns);

/* Write an address without quotes. JSON_IP_MAX bytes are written, of which those up to the returned end count. */
#define JSON_IP_MAX 39

char *ebpf_json__write_ip(char *p, const struct ebpf_ip *ip);

#define JSON_TIMES_MAX                                                                                                 \
    (sizeof("\"timestamp\":\"1970-01-01T00:00:00.000000000Z\",\"ts_boot_ns\":,") - 1 + NUMBER_DIGITS_MAX)

/* Write a value of the kind path, args (a string, and an array behind the key "args") or env; without a comma. */
void ebpf_json__path(struct json_out *out, const struct ebpf_varlen *v);
void ebpf_json__args(struct json_out *out, const struct ebpf_varlen *v);
void ebpf_json__env(struct json_out *out, const struct ebpf_varlen *v);

#endif
