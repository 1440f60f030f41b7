// SPDX-License-Identifier: BSD-2-Clause
/* JsonNumber.c - numbers in decimal. */
#include "JsonText.h"

/* "00" to "99" in a row. */
#define PAIRS(tens) tens "0" tens "1" tens "2" tens "3" tens "4" tens "5" tens "6" tens "7" tens "8" tens "9"

const char ebpf_json__digit_pairs[201] =
    PAIRS("0") PAIRS("1") PAIRS("2") PAIRS("3") PAIRS("4") PAIRS("5") PAIRS("6") PAIRS("7") PAIRS("8") PAIRS("9");

/* Write up to eight digits. */
JSON_INLINE char *write_below_e8(char *p, uint64_t value)
{
    uint64_t digits = eight_digits(value);
    size_t zeros = bytes_before(digits | UINT64_C(1) << 63);

    store_word(p, (digits + BYTES('0')) >> (8 * zeros));
    return p + 8 - zeros;
}

static char *format_from_e8(char *p, uint64_t value)
{
    uint64_t high = value / 100000000;

    if (high < 100000000) {
        p = write_below_e8(p, high);
    } else {
        p = write_below_e8(p, high / 100000000);
        p = write_eight_digits(p, high % 100000000);
    }
    return write_eight_digits(p, value - high * 100000000);
}

_Thread_local struct cached_number ebpf_json__number_cache[1 << NUMBER_CACHE_BITS];

__attribute__((noinline)) void ebpf_json__cache_number(struct cached_number *cached, uint64_t value)
{
    cached->value = value;
    cached->len = (uint64_t)(format_from_e8(cached->text, value) - cached->text);
}

char *ebpf_json__write_large(char *p, uint64_t value)
{
    return value < CACHED_NUMBER_MIN ? write_below_e8(p, value) : write_cached(p, value);
}

void ebpf_json__number(struct json_out *out, uint64_t value)
{
    char overflow[NUMBER_DIGITS_MAX + 1 + JSON_SLACK], *from = json__begin(out, NUMBER_DIGITS_MAX + 1, overflow);
    char *p = write_number(from, value);

    *p++ = ',';
    json__commit(out, from, p);
}
