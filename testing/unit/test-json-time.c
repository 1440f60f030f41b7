// SPDX-License-Identifier: BSD-2-Clause
/*
 * test-json-time.c - timestamps: known ones, many compared with the C library, and the cached second between two of
 * them.
 */
#include <time.h>

#include "check.h"
#include "json-check.h"
#include "record-build.h"

#define SECOND UINT64_C(1000000000)

static struct record record;
static char line[8192];

static const char *timestamp_of(uint64_t time_ns)
{
    static char text[64];
    struct json_value object, value;
    int len = record__json_at(&record, 1, time_ns, line, sizeof(line));

    text[0] = '\0';
    if (CHECK(len > 0 && json_check__line(line, (size_t)len, &object)) &&
        json_value__get(object, "timestamp", &value)) {
        memcpy(text, value.text + 1, value.len - 2);
        text[value.len - 2] = '\0';
    }
    return text;
}

static void test_known(void)
{
    static const struct {
        uint64_t seconds, ns;
        const char *want;
    } known[] = {
        {0, 0, "1970-01-01T00:00:00.000000000Z"},
        {0, 1, "1970-01-01T00:00:00.000000001Z"},
        {0, 999999999, "1970-01-01T00:00:00.999999999Z"},
        {1, 0, "1970-01-01T00:00:01.000000000Z"},
        {59, 0, "1970-01-01T00:00:59.000000000Z"},
        {60, 100000000, "1970-01-01T00:01:00.100000000Z"},
        {86399, 0, "1970-01-01T23:59:59.000000000Z"},
        {86400, 0, "1970-01-02T00:00:00.000000000Z"},
        {951782399, 0, "2000-02-28T23:59:59.000000000Z"},
        {951782400, 0, "2000-02-29T00:00:00.000000000Z"},
        {951868800, 0, "2000-03-01T00:00:00.000000000Z"},
        {1732402800, 123456789, "2024-11-23T23:00:00.123456789Z"},
        {2147483647, 0, "2038-01-19T03:14:07.000000000Z"},
        {2147483648, 0, "2038-01-19T03:14:08.000000000Z"},
        {4107542400, 0, "2100-03-01T00:00:00.000000000Z"},
        {4294967296, 0, "2106-02-07T06:28:16.000000000Z"},
        {18446744073, 709551615, "2554-07-21T23:34:33.709551615Z"},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        CHECK_SAME(timestamp_of(known[i].seconds * SECOND + known[i].ns), known[i].want);
}

static void check_against_libc(uint64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / SECOND);
    char want[64], day[32];
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(want, sizeof(want), "%s.%09uZ", day, (unsigned int)(time_ns % SECOND));
    CHECK_SAME(timestamp_of(time_ns), want);
}

static void test_against_libc(void)
{
    uint64_t random = 5;

    for (uint64_t day = 0; day < 213503; day += 13)
        check_against_libc(day * 86400 * SECOND + random__next(&random) % (86400 * SECOND));
    for (int i = 0; i < 2000; i++)
        check_against_libc(random__next(&random));
}

/* Across the end of a second, back again, and many within one. */
static void test_roll_over(void)
{
    uint64_t end = UINT64_C(1735689600) * SECOND; /* the end of 2024 */

    CHECK_SAME(timestamp_of(end - 1), "2024-12-31T23:59:59.999999999Z");
    CHECK_SAME(timestamp_of(end), "2025-01-01T00:00:00.000000000Z");
    CHECK_SAME(timestamp_of(end - 1), "2024-12-31T23:59:59.999999999Z");
    for (uint64_t ns = 0; ns < 100; ns++)
        check_against_libc(end + ns * 10000019);
    for (uint64_t s = 0; s < 4000; s++)
        check_against_libc(end + s * SECOND);
}

static void test_boot_time(void)
{
    ((struct ebpf_event_header *)record.data)->ts_boot_ns = UINT64_MAX;
    int len = record__json_at(&record, UINT64_MAX, UINT64_MAX, line, sizeof(line));

    CHECK(len > 0 && strstr(line, "\"ts_boot_ns\":18446744073709551615,\"seq\":18446744073709551615}"));
}

int main(void)
{
    record__begin(&record, EBPF_EVENT_PROCESS_SETSID);
    test_known();
    test_against_libc();
    test_roll_over();
    test_boot_time();
    return check__report();
}
