// SPDX-License-Identifier: BSD-2-Clause
/*
 * json-check.c - recursive descent over the bytes. A skip function returns the position after an item, NULL if it is
 * not JSON.
 */
#include "json-check.h"

#include <stdio.h>
#include <string.h>

/* Deeper than any line or schema is nested. */
#define DEPTH_MAX 32
#define KEYS_MAX 256

static const char *skip_value(const char *p, const char *end, int depth);

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/*
 * Return the code point of a UTF-8 sequence and the position after it. Decodes and compares, with no table of allowed
 * bytes.
 */
static const char *read_utf8(const char *p, const char *end, unsigned long *ret_code)
{
    static const unsigned long smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)*p;
    int len = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
    unsigned long code = len == 1 ? first : first & (0x7fu >> len);

    if (!len || end - p < len)
        return NULL;
    for (int i = 1; i < len; i++) {
        unsigned char c = (unsigned char)p[i];

        if (c >> 6 != 2)
            return NULL;
        code = code << 6 | (c & 0x3f);
    }
    if (len > 1 && (code < smallest[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)))
        return NULL;
    *ret_code = code;
    return p + len;
}

/* Return the position after "\uXXXX". */
static const char *read_hex(const char *p, const char *end, unsigned long *ret_code)
{
    unsigned long code = 0;

    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return NULL;
    for (int i = 2; i < 6; i++) {
        if (hex_digit(p[i]) < 0)
            return NULL;
        code = code << 4 | (unsigned long)hex_digit(p[i]);
    }
    *ret_code = code;
    return p + 6;
}

static const char *read_escape(const char *p, const char *end, unsigned long *ret_code)
{
    static const char letters[] = "\"\\/bfnrt", codes[] = "\"\\/\b\f\n\r\t";
    unsigned long low;

    if (end - p < 2)
        return NULL;
    const char *letter = p[1] ? strchr(letters, p[1]) : NULL;

    if (letter) {
        *ret_code = (unsigned char)codes[letter - letters];
        return p + 2;
    }
    p = read_hex(p, end, ret_code);
    if (!p || *ret_code < 0xd800 || *ret_code > 0xdfff)
        return p;
    if (*ret_code > 0xdbff || !(p = read_hex(p, end, &low)) || low < 0xdc00 || low > 0xdfff)
        return NULL;
    *ret_code = 0x10000 + ((*ret_code - 0xd800) << 10) + (low - 0xdc00);
    return p;
}

/* One character within a string. */
static const char *read_character(const char *p, const char *end, unsigned long *ret_code)
{
    if (p >= end || (unsigned char)*p < 0x20 || *p == '"')
        return NULL;
    return *p == '\\' ? read_escape(p, end, ret_code) : read_utf8(p, end, ret_code);
}

static const char *skip_string(const char *p, const char *end)
{
    unsigned long code;

    if (p >= end || *p != '"')
        return NULL;
    p++;
    while (p && p < end && *p != '"')
        p = read_character(p, end, &code);
    return p && p < end ? p + 1 : NULL;
}

static const char *skip_digits(const char *p, const char *end)
{
    if (p >= end || !is_digit(*p))
        return NULL;
    while (p < end && is_digit(*p))
        p++;
    return p;
}

static const char *skip_number(const char *p, const char *end)
{
    if (p < end && *p == '-')
        p++;
    p = p < end && *p == '0' ? p + 1 : skip_digits(p, end);
    if (p && p < end && *p == '.')
        p = skip_digits(p + 1, end);
    if (p && p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        p = skip_digits(p, end);
    }
    return p;
}

static const char *skip_word(const char *p, const char *end, const char *word)
{
    size_t len = strlen(word);

    return (size_t)(end - p) >= len && !memcmp(p, word, len) ? p + len : NULL;
}

/*
 * Go from the opening bracket of an object or array, or from the end of an item, to the next item; set `*ret_done` if
 * there is none.
 */
static const char *skip_separator(const char *p, const char *end, char bracket, bool first, bool *ret_done)
{
    p = skip_space(p, end);
    if (p >= end)
        return NULL;
    *ret_done = *p == bracket;
    if (*ret_done)
        return p + 1;
    if (first)
        return p;
    return *p == ',' ? skip_space(p + 1, end) : NULL;
}

/* Skip "key": and the value. */
static const char *skip_member(const char *p, const char *end, int depth, struct json_value *ret_key,
                               struct json_value *ret_value)
{
    ret_key->text = p;
    if (!(p = skip_string(p, end)))
        return NULL;
    ret_key->len = (size_t)(p - ret_key->text);
    p = skip_space(p, end);
    if (p >= end || *p != ':')
        return NULL;
    p = skip_space(p + 1, end);
    ret_value->text = p;
    if (!(p = skip_value(p, end, depth)))
        return NULL;
    ret_value->len = (size_t)(p - ret_value->text);
    return p;
}

static bool same_value(struct json_value a, struct json_value b)
{
    return a.len == b.len && !memcmp(a.text, b.text, a.len);
}

static bool has_value(const struct json_value *values, size_t n, struct json_value value)
{
    while (n && !same_value(values[n - 1], value))
        n--;
    return n;
}

static const char *skip_object(const char *p, const char *end, int depth)
{
    struct json_value keys[KEYS_MAX], value;
    size_t n = 0;
    bool done;

    for (p++;; n++) {
        p = skip_separator(p, end, '}', !n, &done);
        if (!p || done)
            return p;
        if (n == KEYS_MAX)
            return NULL;
        p = skip_member(p, end, depth, &keys[n], &value);
        if (!p || has_value(keys, n, keys[n]))
            return NULL;
    }
}

static const char *skip_array(const char *p, const char *end, int depth)
{
    bool done, first = true;

    for (p++;; first = false) {
        p = skip_separator(p, end, ']', first, &done);
        if (!p || done)
            return p;
        if (!(p = skip_value(p, end, depth)))
            return NULL;
    }
}

static const char *skip_value(const char *p, const char *end, int depth)
{
    if (p >= end || depth >= DEPTH_MAX)
        return NULL;
    switch (*p) {
    case '{':
        return skip_object(p, end, depth + 1);
    case '[':
        return skip_array(p, end, depth + 1);
    case '"':
        return skip_string(p, end);
    case 't':
        return skip_word(p, end, "true");
    case 'f':
        return skip_word(p, end, "false");
    case 'n':
        return skip_word(p, end, "null");
    default:
        return skip_number(p, end);
    }
}

bool json_check__text(const char *text, size_t len, struct json_value *ret_value)
{
    const char *end = text + len, *start = skip_space(text, end), *behind = skip_value(start, end, 0);

    if (!behind || skip_space(behind, end) != end)
        return false;
    if (ret_value)
        *ret_value = (struct json_value){start, (size_t)(behind - start)};
    return true;
}

bool json_check__line(const char *text, size_t len, struct json_value *ret_value)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    }
    return len && text[0] == '{' && json_check__text(text, len, ret_value);
}

bool json_value__next_member(struct json_value object, size_t *pos, struct json_value *ret_key,
                             struct json_value *ret_value)
{
    const char *end = object.text + object.len, *p = object.text + (*pos ? *pos : 1);
    bool done;

    p = skip_separator(p, end, '}', !*pos, &done);
    if (!p || done || !(p = skip_member(p, end, 0, ret_key, ret_value)))
        return false;
    *pos = (size_t)(p - object.text);
    return true;
}

bool json_value__next_item(struct json_value array, size_t *pos, struct json_value *ret_value)
{
    const char *end = array.text + array.len, *p = array.text + (*pos ? *pos : 1);
    bool done;

    p = skip_separator(p, end, ']', !*pos, &done);
    if (!p || done)
        return false;
    ret_value->text = p;
    if (!(p = skip_value(p, end, 0)))
        return false;
    ret_value->len = (size_t)(p - ret_value->text);
    *pos = (size_t)(p - array.text);
    return true;
}

bool json_value__get(struct json_value object, const char *key, struct json_value *ret_value)
{
    struct json_value found;
    size_t pos = 0;

    while (json_value__next_member(object, &pos, &found, ret_value)) {
        if (found.len == strlen(key) + 2 && !memcmp(found.text + 1, key, found.len - 2))
            return true;
    }
    return false;
}

bool json_value__is(struct json_value value, const char *text)
{
    return value.len == strlen(text) && !memcmp(value.text, text, value.len);
}

static size_t write_utf8(unsigned char *buf, unsigned long code)
{
    int len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    if (len == 1) {
        buf[0] = (unsigned char)code;
        return 1;
    }
    for (int i = len - 1; i; i--, code >>= 6)
        buf[i] = (unsigned char)(0x80 | (code & 0x3f));
    buf[0] = (unsigned char)(0xf00 >> len | code);
    return (size_t)len;
}

size_t json_value__bytes(struct json_value string, unsigned char *buf, size_t size)
{
    const char *p = string.text + 1, *end = string.text + string.len - 1;
    unsigned long code;
    size_t len = 0;

    while (p < end && len + 4 <= size) {
        p = read_character(p, end, &code);
        if (code >= 0x10f780 && code <= 0x10f7ff)
            buf[len++] = (unsigned char)(code - 0x10f700);
        else
            len += write_utf8(buf + len, code);
    }
    return len;
}
