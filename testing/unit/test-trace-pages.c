// SPDX-License-Identifier: BSD-2-Clause
/* test-trace-pages.c - pages of a trace buffer: their records, times and losses; damaged pages are not read beyond. */
#include <stdlib.h>

#include "Tracefs/TracePages.h"
#include "check.h"
#include "record-build.h"

#define PAGE_HEAD 16
#define PAGE_ROOM 4096
#define START_NS UINT64_C(0x1800000000001000) /* has bits above the 59 of an absolute time */
#define MISSED (UINT64_C(1) << 31)
#define MISSED_COUNTED (UINT64_C(1) << 30)

enum { LENGTH_LONG = 0, LENGTH_MAX = 28, LENGTH_PADDING, LENGTH_EXTEND, LENGTH_ABSOLUTE };

/* A page under construction, and the copy of it that is read. */
static uint8_t built[PAGE_ROOM];
static size_t built_len;
static uint8_t *copy;
static struct trace_page page;
static struct trace_record record;

static void begin(void)
{
    const uint64_t start = START_NS;

    memset(built, 0, sizeof(built));
    memcpy(built, &start, sizeof(start));
    built_len = PAGE_HEAD;
}

static void add_word(uint32_t word)
{
    memcpy(built + built_len, &word, sizeof(word));
    built_len += sizeof(word);
}

static void add_head(unsigned int kind, uint32_t delta)
{
    add_word(kind | delta << 5);
}

/* Append data whose first word is the id of the event, and whose other bytes are their places. */
static void add_data(size_t size, uint16_t event)
{
    for (size_t i = 0; i < size; i++)
        built[built_len + i] = (uint8_t)i;
    built[built_len] = (uint8_t)event;
    built[built_len + 1] = (uint8_t)(event >> 8);
    built_len += size;
}

/* Append a record of `words` words. */
static void add_record(unsigned int words, uint32_t delta, uint16_t event)
{
    add_head(words, delta);
    add_data(words * 4, event);
}

/* Begin to read a copy of `size` bytes, which ends where they end, with a word that says `commit`. */
static bool read_part(uint64_t commit, size_t size)
{
    memcpy(built + 8, &commit, sizeof(commit));
    free(copy);
    copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, built, size);
    return trace_page__begin(&page, copy, size);
}

static bool read_whole(void)
{
    return read_part(built_len - PAGE_HEAD, built_len);
}

/* Return whether the next record has this size, time (since the page's) and id, and the data of add_data. */
static bool next_is(uint32_t size, uint64_t time, uint16_t event)
{
    if (!trace_page__next(&page, &record) || record.size != size || record.time_ns != START_NS + time ||
        trace_record__event(&record) != event)
        return false;
    for (uint32_t i = 2; i < size; i++) {
        if (record.data[i] != (uint8_t)i)
            return false;
    }
    return true;
}

static bool is_at_end(void)
{
    return !trace_page__next(&page, &record) && !trace_page__next(&page, &record);
}

static void test_lengths(void)
{
    uint64_t time = 0;

    begin();
    for (unsigned int words = 1; words <= LENGTH_MAX; words++)
        add_record(words, words, (uint16_t)(words << 8 | 7));
    CHECK(read_whole() && page.overwritten == 0);
    for (unsigned int words = 1; words <= LENGTH_MAX; words++) {
        time += words;
        if (words > 1) /* one word has no room for the id and the thread */
            CHECK(next_is(words * 4, time, (uint16_t)(words << 8 | 7)));
    }
    CHECK(is_at_end());
    begin();
    CHECK(read_whole() && is_at_end());
}

static void test_long(void)
{
    static const uint32_t sizes[] = {8, 112, 116, 1000};

    begin();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        add_head(LENGTH_LONG, 5);
        add_word(sizes[i] + 4);
        add_data(sizes[i], (uint16_t)i);
    }
    add_record(3, 1, 99);
    CHECK(read_whole());
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        CHECK(next_is(sizes[i], 5 * (i + 1), (uint16_t)i));
    CHECK(next_is(12, 21, 99) && is_at_end());
}

/* Lengths that do not include themselves, or reach beyond the page, end it. */
static void test_wrong_long(void)
{
    static const uint32_t lengths[] = {0, 1, 3, 17, 0x80000000, UINT32_MAX - 3, UINT32_MAX};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        begin();
        add_record(2, 1, 1);
        add_head(LENGTH_LONG, 1);
        add_word(lengths[i]);
        add_data(12, 2);
        CHECK(read_whole() && next_is(8, 1, 1) && is_at_end());
    }
    begin();
    add_head(LENGTH_LONG, 1);
    add_word(4); /* nothing but itself */
    add_record(2, 1, 3);
    CHECK(read_whole() && next_is(8, 2, 3) && is_at_end());
    begin();
    add_head(LENGTH_LONG, 1);
    CHECK(read_whole() && is_at_end());
}

static void test_times(void)
{
    const uint64_t absolute = UINT64_C(0x0123456789abcdef) & ((UINT64_C(1) << 59) - 1);

    begin();
    add_record(2, (1u << 27) - 1, 1);
    add_head(LENGTH_EXTEND, 9);
    add_word(3);
    add_record(2, 1, 2);
    add_head(LENGTH_EXTEND, 0);
    add_word(UINT32_MAX);
    add_record(2, 0, 3);
    add_head(LENGTH_ABSOLUTE, (uint32_t)(absolute & ((1u << 27) - 1)));
    add_word((uint32_t)(absolute >> 27));
    add_record(2, 6, 4);
    CHECK(read_whole());
    uint64_t time = (1u << 27) - 1;

    CHECK(next_is(8, time, 1));
    time += (UINT64_C(3) << 27) + 10;
    CHECK(next_is(8, time, 2));
    time += (uint64_t)UINT32_MAX << 27;
    CHECK(next_is(8, time, 3));
    const uint64_t upper = (START_NS + time) >> 59 << 59; /* which an absolute time does not have */

    CHECK(trace_page__next(&page, &record) && record.time_ns == upper + absolute + 6);
    CHECK(is_at_end());
}

static void test_padding(void)
{
    begin();
    add_record(2, 1, 1);
    add_head(LENGTH_PADDING, 4); /* a record that was discarded */
    add_word(12);
    add_data(8, 55);
    add_record(3, 1, 2);
    add_head(LENGTH_PADDING, 1);
    add_word(4);
    add_record(2, 1, 3);
    add_head(LENGTH_PADDING, 0); /* up to the end of the page, whatever follows */
    add_word(4);
    add_record(2, 1, 4);
    CHECK(read_whole() && next_is(8, 1, 1) && next_is(12, 6, 2) && next_is(8, 8, 3) && is_at_end());
    for (uint32_t len = 0; len < 40; len++) {
        begin();
        add_head(LENGTH_PADDING, 1);
        add_word(len);
        add_record(2, 1, 5);
        bool is_next = read_whole() && next_is(8, 2, 5);

        CHECK(is_next == (len == 4));
    }
}

static void test_page_sizes(void)
{
    begin();
    add_record(2, 1, 1);
    add_record(2, 1, 2);
    const size_t length = built_len - PAGE_HEAD;

    for (size_t size = 0; size < built_len; size++)
        CHECK(!read_part(length, size));
    CHECK(!read_part(length + 1, built_len) && !read_part(0xfffff, built_len));
    CHECK(read_part(UINT64_C(0xabcd) << 32 | length, built_len) && next_is(8, 1, 1) && next_is(8, 2, 2) && is_at_end());
    CHECK(read_part(length / 2, built_len) && next_is(8, 1, 1) && is_at_end());
    CHECK(read_part(0, PAGE_HEAD) && is_at_end());
    /* Where the last record is cut, the earlier one stays. */
    for (size_t cut = 1; cut < length / 2; cut++)
        CHECK(read_part(length - cut, built_len - cut) && next_is(8, 1, 1) && is_at_end());
}

static void test_overwritten(void)
{
    const uint64_t number = UINT64_C(0x100000002);

    begin();
    add_record(2, 1, 1);
    const size_t length = built_len - PAGE_HEAD;

    CHECK(read_part(length, built_len) && page.overwritten == 0);
    CHECK(read_part(length | MISSED, built_len) && page.overwritten == UINT64_MAX && next_is(8, 1, 1) && is_at_end());
    memcpy(built + built_len, &number, sizeof(number));
    CHECK(read_part(length, built_len + 8) && page.overwritten == 0);
    CHECK(read_part(length | MISSED, built_len + 8) && page.overwritten == UINT64_MAX);
    CHECK(read_part(length | MISSED | MISSED_COUNTED, built_len + 8) && page.overwritten == number);
    CHECK(next_is(8, 1, 1) && is_at_end());
    CHECK(read_part(length | MISSED | MISSED_COUNTED, built_len + 7) && page.overwritten == UINT64_MAX);
}

/* Read every byte and text of the records, which a sanitizer watches. Return how many records there are. */
static unsigned int read_bytes(void)
{
    static volatile unsigned int sum;
    unsigned int count = 0;

    while (trace_page__next(&page, &record)) {
        for (uint32_t i = 0; i < record.size; i++)
            sum += record.data[i];
        sum += trace_record__event(&record);
        for (uint32_t at = 0; at + 4 <= record.size; at += 4) {
            struct slice text = trace_record__text(&record, (uint16_t)at);

            for (size_t i = 0; i < text.len; i++)
                sum += (unsigned char)text.data[i];
        }
        count++;
    }
    return count;
}

static void test_any_bytes(void)
{
    uint64_t state = 1;
    unsigned int records = 0;

    for (int round = 0; round < 20000; round++) {
        const size_t size = PAGE_HEAD + random__next(&state) % 512;

        random__fill(&state, built, size);
        for (size_t at = PAGE_HEAD; round % 2 && at + 4 <= size; at += 4)
            built[at] = (uint8_t)(built[at] >> 3 << 5 | (random__next(&state) % 8)); /* short, so that there are many */
        CHECK(read_part((random__next(&state) & (MISSED | MISSED_COUNTED)) | (size - PAGE_HEAD), size));
        records += read_bytes();
        if (read_part(random__next(&state) & ~UINT64_C(0xffc00), size))
            read_bytes();
    }
    CHECK(records > 10000);
}

/* The text that a word of a record refers to: 16 bits each of its place and its length. */
static struct slice text_at(uint32_t begin_at, uint32_t len)
{
    const uint32_t where = begin_at | len << 16;

    memcpy(copy + 8, &where, sizeof(where));
    return trace_record__text(&record, 8);
}

static bool text_is(struct slice text, const char *want)
{
    return text.data && text.len == strlen(want) && !memcmp(text.data, want, text.len);
}

static void test_text(void)
{
    free(copy);
    copy = malloc(20);
    if (!copy)
        abort();
    memset(copy, 0, 20);
    memcpy(copy + 12, "init\0xyz", 8);
    record = (struct trace_record){.data = copy, .size = 20};
    CHECK(text_is(text_at(12, 5), "init") && text_is(text_at(12, 4), "init") && text_is(text_at(12, 2), "in"));
    CHECK(text_is(text_at(12, 8), "init") && text_is(text_at(17, 3), "xyz") && text_is(text_at(19, 1), "z"));
    CHECK(text_at(17, 3).data == (const char *)copy + 17);
    CHECK(text_is(text_at(16, 2), "") && text_is(text_at(12, 0), "") && text_is(text_at(0, 0), ""));
    CHECK(text_is(text_at(17, 4), "") && text_is(text_at(20, 1), "") && text_is(text_at(21, 1), ""));
    CHECK(text_is(text_at(20, 0), "") && text_is(text_at(21, 0), "") && text_is(text_at(0xffff, 0), ""));
    CHECK(text_is(text_at(0xffff, 0xffff), "") && text_is(text_at(12, 0xffff), "") && text_is(text_at(0xffff, 4), ""));
}

int main(void)
{
    test_lengths();
    test_long();
    test_wrong_long();
    test_times();
    test_padding();
    test_page_sizes();
    test_overwritten();
    test_any_bytes();
    test_text();
    free(copy);
    return check__report();
}
