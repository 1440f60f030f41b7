// SPDX-License-Identifier: BSD-2-Clause
/* JsonTime.c - the two times of an event: that of the wall clock, as in RFC 3339, and that since boot. */
#include "JsonText.h"

/* Write a number of two digits. */
static char *write_two(char *p, uint64_t value, char behind)
{
    *p++ = (char)('0' + value / 10);
    *p++ = (char)('0' + value % 10);
    *p++ = behind;
    return p;
}

/* Write days since 1970 as a Gregorian date, computed in eras of 400 years that begin on a first of March. */
static char *write_date(char *p, uint64_t days)
{
    uint64_t shifted = days + 719468, era = shifted / 146097, of_era = shifted % 146097;
    uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    uint64_t march_month = (5 * of_year + 2) / 153;
    uint64_t month = march_month < 10 ? march_month + 3 : march_month - 9;

    p = write_number(p, year + era * 400 + (month <= 2));
    *p++ = '-';
    p = write_two(p, month, '-');
    return write_two(p, of_year - (153 * march_month + 2) / 5 + 1, 'T');
}

#define TIMESTAMP_KEY "\"timestamp\":\""
#define TIMESTAMP_KEY_LENGTH (sizeof(TIMESTAMP_KEY) - 1)
#define SECONDS_LENGTH (sizeof("1970-01-01T00:00:00.") - 1)
#define NS_PER_SECOND UINT64_C(1000000000)
#define LOW_DIGITS UINT64_C(100000000) /* eight of them */

/* Write date and time up to the point before the nanoseconds. The year has four digits: 64 bits end in 2554. */
static void write_seconds(char *p, uint64_t seconds)
{
    uint64_t of_day = seconds % 86400;

    p = write_date(p, seconds / 86400);
    p = write_two(p, of_day / 3600, ':');
    p = write_two(p, of_day / 60 % 60, ':');
    write_two(p, of_day % 60, '.');
}

/* Thousands of events come within a second, so the text of the second is cached, with the key before it. */
struct cached_seconds {
    uint64_t seconds;
    char text[TIMESTAMP_KEY_LENGTH + SECONDS_LENGTH + 1];
};

static __attribute__((noinline)) void cached_seconds__set(struct cached_seconds *cached, uint64_t seconds)
{
    write_seconds(cached->text + TIMESTAMP_KEY_LENGTH, seconds);
    cached->seconds = seconds;
}

JSON_INLINE char *write_timestamp(char *p, uint64_t time_ns)
{
    static _Thread_local struct cached_seconds cache = {0, TIMESTAMP_KEY "1970-01-01T00:00:00."};
    struct cached_seconds *cached = THREADS_OWN(cache);
    uint64_t seconds = time_ns / NS_PER_SECOND, rest = time_ns - seconds * NS_PER_SECOND;

    if (seconds != cached->seconds)
        cached_seconds__set(cached, seconds);
    p = write_raw(p, cached->text, TIMESTAMP_KEY_LENGTH + SECONDS_LENGTH);
    *p++ = (char)('0' + rest / LOW_DIGITS);
    return write_eight_digits(p, rest % LOW_DIGITS);
}

/* The text between the digits of the two times. */
#define BOOT_KEY "Z\",\"ts_boot_ns\":"
#define BOOT_KEY_LENGTH (sizeof(BOOT_KEY) - 1)
#define HIGH_DIGITS_MAX (NUMBER_DIGITS_MAX - 8)

/* All digits of the time since boot but the last eight, which are a tenth of a second, are cached likewise. */
struct cached_high {
    uint64_t high, len;
    char text[BOOT_KEY_LENGTH + NUMBER_DIGITS_MAX + JSON_SLACK];
};

static __attribute__((noinline)) void cached_high__set(struct cached_high *cached, uint64_t high)
{
    cached->len = (uint64_t)(write_number(cached->text + BOOT_KEY_LENGTH, high) - cached->text);
    cached->high = high;
}

static __attribute__((noinline)) char *write_early_boot_time(char *p, uint64_t ts_boot_ns)
{
    return write_number(WRITE_LITERAL(p, BOOT_KEY), ts_boot_ns);
}

JSON_INLINE char *write_boot_time(char *p, uint64_t ts_boot_ns)
{
    static _Thread_local struct cached_high cache = {0, BOOT_KEY_LENGTH, BOOT_KEY};
    struct cached_high *cached = THREADS_OWN(cache);
    uint64_t high = ts_boot_ns / LOW_DIGITS;

    if (!high)
        return write_early_boot_time(p, ts_boot_ns);
    if (high != cached->high)
        cached_high__set(cached, high);
    memcpy(p, cached->text, BOOT_KEY_LENGTH + HIGH_DIGITS_MAX);
    return write_eight_digits(p + cached->len, ts_boot_ns - high * LOW_DIGITS);
}

char *ebpf_json__write_times(char *p, uint64_t time_ns, uint64_t ts_boot_ns)
{
    p = write_timestamp(p, time_ns);
    p = write_boot_time(p, ts_boot_ns);
    *p = ',';
    return p + 1;
}
