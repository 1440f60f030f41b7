// SPDX-License-Identifier: BSD-2-Clause
/*
 * test-json-strings.c - whatever bytes a name, a path, an argument or a terminal contains: the line is valid, and the
 * bytes can be restored from it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "json-check.h"
#include "record-build.h"

static struct record record;
static char line[LINE_MAX_BYTES];
static unsigned char bytes[RECORD_MAX];

/* The line of the record, as an object. */
static bool record_object(struct json_value *ret_object)
{
    int len = record__json(&record, line, sizeof(line));

    return CHECK(len > 0 && json_check__line(line, (size_t)len, ret_object));
}

static bool has_bytes(struct json_value string, const void *data, size_t len)
{
    size_t got = json_value__bytes(string, bytes, sizeof(bytes));

    return got == len && !memcmp(bytes, data, len);
}

/* Check that a key's string has exactly these bytes. */
static void check_bytes(const char *key, const void *data, size_t len)
{
    struct json_value object, value;

    if (record_object(&object) && CHECK(json_value__get(object, key, &value)))
        CHECK(has_bytes(value, data, len));
}

/* Check that a key's array is one string with exactly these bytes. */
static void check_item(const char *key, const void *data, size_t len)
{
    struct json_value object, array, item;
    size_t pos = 0;

    if (!record_object(&object) || !CHECK(json_value__get(object, key, &array)))
        return;
    CHECK(json_value__next_item(array, &pos, &item) && has_bytes(item, data, len));
    CHECK(!json_value__next_item(array, &pos, &item));
}

static void check_str(const void *data, size_t len)
{
    record__begin(&record, EBPF_EVENT_PROCESS_LOAD_MODULE);
    record__add(&record, EBPF_TAG_NAME, 0, 0, data, len);
    check_bytes("filename", data, len);
}

static void check_tty(const void *data, size_t len)
{
    record__begin(&record, EBPF_EVENT_PROCESS_TTY_WRITE);
    record__add(&record, EBPF_TAG_TTY_OUT, 0, 0, data, len);
    check_bytes("tty_out", data, len);
}

static void check_comm(const void *data, size_t len)
{
    record__begin(&record, EBPF_EVENT_PROCESS_SETSID);
    memcpy(((struct ebpf_event_header *)record.data)->comm, data, len < EBPF_COMM_LEN ? len : EBPF_COMM_LEN);
    check_bytes("comm", data, len < EBPF_COMM_LEN ? len : EBPF_COMM_LEN);
}

/* As one component, with a plain one on either side. */
static void check_path(const void *data, size_t len)
{
    static unsigned char stored[8192], want[8192];
    size_t stored_len = 0, want_len = 0;

    memcpy(stored, "leaf\0", 5);
    memcpy(stored + 5, data, len);
    memcpy(stored + 5 + len, "\0top\0", 5);
    stored_len = len + 10;
    memcpy(want, "/top/", 5);
    memcpy(want + 5, data, len);
    memcpy(want + 5 + len, "/leaf", 5);
    want_len = len + 10;
    record__begin(&record, EBPF_EVENT_PROCESS_EXEC);
    record__add(&record, EBPF_TAG_CWD, 0, 0, stored, stored_len);
    check_bytes("cwd", want, want_len);
}

static void check_args_and_env(const void *data, size_t len)
{
    static unsigned char stored[8192];

    memcpy(stored, data, len);
    stored[len] = 0;
    record__begin(&record, EBPF_EVENT_PROCESS_EXEC);
    record__add(&record, EBPF_TAG_ARGV, 0, 0, stored, len + 1);
    record__add(&record, EBPF_TAG_ENV, 0, 0, stored, len + 1);
    check_bytes("argv", data, len);
    check_item("args", data, len);
    check_item("env", data, len);
}

/* In every member that has bytes; in those that a NUL ends only if the bytes contain none. */
static void check_everywhere(const void *data, size_t len)
{
    check_str(data, len);
    check_tty(data, len);
    if (memchr(data, 0, len))
        return;
    check_comm(data, len);
    check_path(data, len);
    check_args_and_env(data, len);
}

/* Each byte, alone, and at the edges of words and of sixteen bytes, among plain ones. */
static void test_every_byte(void)
{
    static const size_t places[] = {0, 7, 8, 15, 16};
    unsigned char text[18];

    for (unsigned int byte = 0; byte <= 0xff; byte++) {
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
            memset(text, 'x', sizeof(text));
            text[places[i]] = (unsigned char)byte;
            check_str(text, places[i] + 1);
            check_everywhere(text, sizeof(text));
        }
    }
}

static void test_all_bytes_at_once(void)
{
    unsigned char up[256], down[256];

    for (unsigned int i = 0; i < 256; i++) {
        up[i] = (unsigned char)i;
        down[i] = (unsigned char)(255 - i);
    }
    check_everywhere(up, 256);
    check_everywhere(up + 1, 255);
    check_everywhere(down, 255);
}

/* Return whether a terminal interprets a character rather than showing it: such a character is always escaped. */
static bool is_hidden(unsigned long code)
{
    static const unsigned long ranges[][2] = {
        {0x7f, 0x9f}, {0x61c, 0x61c}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}};

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (code >= ranges[i][0] && code <= ranges[i][1])
            return true;
    }
    return false;
}

/* Escaped, and restored, in every member that has bytes. */
static void check_hidden(struct json_value value, unsigned long code, const unsigned char *text, size_t len)
{
    char want[16];

    snprintf(want, sizeof(want), "\"\\u%04lx\"", code);
    CHECK(json_value__is(value, want));
    check_everywhere(text, len);
}

/*
 * Every character's UTF-8 is written as it is, except for characters that encode bytes, and for those that a terminal
 * interprets, which are escaped; surrogates are not characters.
 */
static void test_every_character(void)
{
    struct json_value object, value;

    for (unsigned long code = 0x80; code <= 0x10ffff; code += code < 0x1000 ? 1 : code < 0x10f700 ? 251 : 1) {
        unsigned char text[4];
        size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        bool itself = !(code >= 0xd800 && code <= 0xdfff) && !(code >= 0x10f780 && code <= 0x10f7ff);

        text[0] = (unsigned char)(0xf00 >> len | code >> 6 * (len - 1));
        for (size_t i = 1; i < len; i++)
            text[i] = (unsigned char)(0x80 | (code >> 6 * (len - 1 - i) & 0x3f));
        check_str(text, len);
        if (!record_object(&object) || !CHECK(json_value__get(object, "filename", &value)))
            continue;
        if (is_hidden(code))
            check_hidden(value, code, text, len);
        else
            CHECK(value.len == (itself ? len : 4 * len) + 2 && (!itself || !memcmp(value.text + 1, text, len)));
    }
    check_str("a\x7f", 2);
    if (record_object(&object) && CHECK(json_value__get(object, "filename", &value)))
        CHECK(json_value__is(value, "\"a\\u007f\""));
}

/* Sequences that look like UTF-8 but are not, complete and cut: each byte is encoded. */
static void test_ill_formed(void)
{
    static const char *const samples[] = {
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xff",
        "\xfe",
        "\x80",
        "\xbf",
        "\xc3",
        "\xe2\x82",
        "\xf0\x9f\x98",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf4\x8f\x9e\x80",
        "\xf4\x8f\x9f\xbf",
        "\xf8\x88\x80\x80\x80",
    };
    struct json_value object, value;

    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        size_t len = strlen(samples[i]);

        check_str(samples[i], len);
        if (record_object(&object) && CHECK(json_value__get(object, "filename", &value)))
            CHECK(value.len == 4 * len + 2);
        check_everywhere(samples[i], len);
    }
    check_everywhere("a\xc3(\xe2\x82\xac\xe2\x28\xa1z", 9);
}

/* The encoding is that of the documentation: U+10F700 plus the byte. */
static void test_documented_encoding(void)
{
    struct json_value object, value;

    check_str("a\xff\x80", 3);
    if (record_object(&object) && CHECK(json_value__get(object, "filename", &value)))
        CHECK(json_value__is(value, "\"a\xf4\x8f\x9f\xbf\xf4\x8f\x9e\x80\""));
    check_str("\xf4\x8f\x9e\x80", 4);
    if (record_object(&object) && CHECK(json_value__get(object, "filename", &value)))
        CHECK(json_value__is(value, "\"\xf4\x8f\x9f\xb4\xf4\x8f\x9e\x8f\xf4\x8f\x9e\x9e\xf4\x8f\x9e\x80\""));
}

/* Plain text of every length, and random bytes, some of them from valid UTF-8. */
static void test_lengths_and_random(void)
{
    static const unsigned char alphabet[] =
        "ab/ \"\\\n\x1f\x7f\xc2\x9b\xe2\x80\xae\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\x9e\x80\xff";
    static unsigned char text[5000];
    uint64_t random = 3;

    memset(text, 'y', sizeof(text));
    for (size_t len = 0; len < 100; len++)
        check_everywhere(text, len);
    check_everywhere(text, 4096);
    for (int i = 0; i < 1000; i++) {
        size_t len = random__next(&random) % 100;

        for (size_t j = 0; j < len; j++)
            text[j] =
                i % 2 ? alphabet[random__next(&random) % (sizeof(alphabet) - 1)] : (unsigned char)random__next(&random);
        check_everywhere(text, len);
    }
}

/* Lists of many strings, some empty, compared with their sources. */
static void check_list(const char *key, const unsigned char *stored, size_t len)
{
    struct json_value object, array, item;
    size_t pos = 0, at = 0;

    if (!record_object(&object) || !CHECK(json_value__get(object, key, &array)))
        return;
    while (json_value__next_item(array, &pos, &item)) {
        size_t want = at < len ? strlen((const char *)stored + at) : 0;

        CHECK(at < len && has_bytes(item, stored + at, want));
        at += want + 1;
    }
    CHECK(at == len);
}

static void test_lists(void)
{
    static unsigned char stored[2000], joined[2000];
    uint64_t random = 4;

    for (int i = 0; i < 300; i++) {
        size_t len = random__next(&random) % 300 + 1;

        for (size_t j = 0; j < len; j++) {
            uint64_t dice = random__next(&random);

            stored[j] = dice % 8 ? (unsigned char)('a' + dice % 26) : i % 3 || dice % 16 ? 0 : 0xe9;
        }
        stored[len - 1] = 0;
        for (size_t j = 0; j < len; j++)
            joined[j] = stored[j] ? stored[j] : ' ';
        record__begin(&record, EBPF_EVENT_PROCESS_EXEC);
        record__add(&record, EBPF_TAG_ARGV, 0, 0, stored, len);
        record__add(&record, EBPF_TAG_ENV, 0, 0, stored, len);
        check_list("args", stored, len);
        check_list("env", stored, len);
        check_bytes("argv", joined, len - 1);
    }
}

int main(void)
{
    test_every_byte();
    test_all_bytes_at_once();
    test_every_character();
    test_ill_formed();
    test_documented_encoding();
    test_lengths_and_random();
    test_lists();
    return check__report();
}
