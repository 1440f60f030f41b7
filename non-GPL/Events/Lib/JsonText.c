// SPDX-License-Identifier: BSD-2-Clause
/*
 * JsonText.c - strings and numbers.
 *
 * Most values are printable ASCII. Whether one is, is found out sixteen bytes at a time, and then it is copied. What is
 * not takes the way through ebpf_json__escaped, and so does what may not fit. Both ways write the same.
 */
#include "JsonText.h"

#define PATH_KEPT_MAX 64

/*
 * Length of the well-formed UTF-8 sequence of two to four bytes that `s` begins with; 0 when there is none. The table
 * is the Unicode standard's 3-7: what the second byte may be depends on the first.
 */
static size_t utf8_length(const unsigned char *s, size_t len)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t need = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

    if (s[0] < 0xc2 || s[0] > 0xf4 || len < need)
        return 0;
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < need; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    }
    return need;
}

/* Whether a sequence of four bytes is a character that stands for a raw byte, and so cannot stand for itself. */
static bool is_raw_byte_character(const unsigned char *s)
{
    return s[0] == 0xf4 && s[1] == 0x8f && (s[2] == 0x9e || s[2] == 0x9f);
}

/* U+10F700 and the byte. */
static void json__raw_byte(struct json_out *out, unsigned char byte)
{
    const char utf8[4] = {'\xf4', '\x8f', (char)(0x9e + (byte >> 6 & 1)), (char)(0x80 | (byte & 0x3f))};

    json__raw(out, utf8, sizeof(utf8));
}

/* A character below U+10000 as \\u and four digits. */
static void json__unicode_escape(struct json_out *out, unsigned int code)
{
    static const char hex[] = "0123456789abcdef";
    const char six[6] = {'\\', 'u', hex[code >> 12], hex[code >> 8 & 15], hex[code >> 4 & 15], hex[code & 15]};

    json__raw(out, six, sizeof(six));
}

static void json__control(struct json_out *out, unsigned char byte)
{
    static const char letters[0x20] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    const char two[2] = {'\\', letters[byte]};

    if (letters[byte])
        json__raw(out, two, sizeof(two));
    else
        json__unicode_escape(out, byte);
}

/*
 * The code point of a well-formed sequence of `n` bytes, when it is a character that a terminal obeys rather than
 * shows: a C1 control, a separator of lines or paragraphs, or one that changes the direction of text. Otherwise 0.
 */
static unsigned int hidden_character(const unsigned char *s, size_t n)
{
    unsigned int code = n == 2   ? (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu)
                        : n == 3 ? (s[0] & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu)
                                 : 0;
    bool hidden = (code >= 0x80 && code <= 0x9f) || code == 0x61c || code == 0x200e || code == 0x200f ||
                  (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);

    return hidden ? code : 0;
}

/* What becomes of a NUL: within a string, between strings that are joined, and between those of an array. */
struct nul_text {
    char text[8];
    size_t len;
};

static const struct nul_text nul_in_string = {"\\u0000", 6}, nul_in_joined = {" ", 1}, nul_in_array = {"\",\"", 3};

/* One character. Returns how many bytes of the value it was. */
static __attribute__((noinline)) size_t json__character(struct json_out *out, struct slice rest,
                                                        const struct nul_text *nul)
{
    const unsigned char *s = (const unsigned char *)rest.data;
    size_t n = 1;

    if (s[0] >= 0x80) {
        n = utf8_length(s, rest.len);
        if (!n || (n == 4 && is_raw_byte_character(s))) {
            json__raw_byte(out, s[0]);
            return 1;
        }
        unsigned int hidden = hidden_character(s, n);

        if (hidden) {
            json__unicode_escape(out, hidden);
            return n;
        }
    } else if (!s[0]) {
        json__raw(out, nul->text, nul->len);
        return 1;
    } else if (s[0] < 0x20) {
        json__control(out, s[0]);
        return 1;
    } else if (s[0] == 0x7f) {
        json__unicode_escape(out, s[0]);
        return 1;
    } else if (s[0] == '"' || s[0] == '\\') {
        JSON_LITERAL(out, "\\");
    }
    json__raw(out, rest.data, n);
    return n;
}

/*
 * The words that are read and written may go beyond the value, but not out of its record or of the buffer. Where they
 * would, it goes on character by character.
 */
static void json__escape(struct json_out *out, struct slice value, const struct nul_text *nul)
{
    const char *s = value.data, *const end = s + value.len, *const readable = out->readable;
    char *p = out->p;

    while (s < end) {
        size_t left = (size_t)(end - s), plain = 0;

        if (readable - s >= 8 && out->end - p >= 16) {
            uint64_t word = load_word(s), special = special_bytes(word);

            store_word(p, word);
            plain = special ? bytes_before(special) : 8;
            plain = plain < left ? plain : left;
            p += plain;
            s += plain;
            if (!special || plain == left)
                continue;
            if (!*s) {
                memcpy(p, nul->text, sizeof(nul->text));
                p += nul->len;
                s++;
                continue;
            }
        }
        out->p = p;
        s += json__character(out, (struct slice){s, left - plain}, nul);
        p = out->p;
    }
    out->p = p;
}

void ebpf_json__escaped(struct json_out *out, struct slice value)
{
    json__escape(out, value, &nul_in_string);
}

void ebpf_json__text(struct json_out *out, const char *text)
{
    json__raw(out, text, strlen(text));
}

void ebpf_json__string(struct json_out *out, const char *text)
{
    struct slice value = {text, strlen(text)};

    out->readable = value.data + value.len;
    JSON_LITERAL(out, "\"");
    ebpf_json__escaped(out, value);
    JSON_LITERAL(out, "\"");
}

/* "00" to "99", one behind the other. */
#define PAIRS(tens) tens "0" tens "1" tens "2" tens "3" tens "4" tens "5" tens "6" tens "7" tens "8" tens "9"

const char ebpf_json__digit_pairs[201] =
    PAIRS("0") PAIRS("1") PAIRS("2") PAIRS("3") PAIRS("4") PAIRS("5") PAIRS("6") PAIRS("7") PAIRS("8") PAIRS("9");

/* Up to eight digits. */
JSON_INLINE char *write_below_e8(char *p, uint64_t value)
{
    uint64_t digits = eight_digits(value);
    size_t zeros = bytes_before(digits | UINT64_C(1) << 63);

    store_word(p, (digits + BYTES('0')) >> (8 * zeros));
    return p + 8 - zeros;
}

static char *write_new_from_e8(char *p, uint64_t value)
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

_Thread_local struct number_kept ebpf_json__numbers_kept[1 << NUMBERS_KEPT_BITS];

__attribute__((noinline)) void ebpf_json__keep_number(struct number_kept *kept, uint64_t value)
{
    kept->value = value;
    kept->len = (uint64_t)(write_new_from_e8(kept->text, value) - kept->text);
}

char *ebpf_json__write_large(char *p, uint64_t value)
{
    return value < KEPT_NUMBER_MIN ? write_below_e8(p, value) : write_kept(p, value);
}

void ebpf_json__number(struct json_out *out, uint64_t value)
{
    char spare[NUMBER_DIGITS_MAX + 1 + JSON_SLACK], *from = json__begin(out, NUMBER_DIGITS_MAX + 1, spare);
    char *p = write_number(from, value);

    *p++ = ',';
    json__commit(out, from, p);
}

/*
 * Whether a value can be written as it is, its NULs aside. A space behind a NUL may be taken for special in a short
 * value, which then goes the slower way. Of what has sixteen bytes or more, some are looked at again
 * in the end, so as not to look at what follows the value.
 */
static bool value__is_plain16(struct slice value)
{
    size_t last = value.len - 16;
    bytes16 plain = plain16(load16(value.data + last));

    for (size_t i = 0; i < last; i += 16)
        plain &= plain16(load16(value.data + i));
    return all16(plain);
}

static bool value__is_plain(struct slice value)
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

/* The first NUL of a plain value's rest, or its end. */
JSON_INLINE const char *plain__string_end(const char *s, const char *end)
{
    for (; end - s >= 8; s += 8) {
        uint64_t zeros = zero_bytes_of_plain(load_word(s));

        if (zeros)
            return s + bytes_before(zeros);
    }
    return s < end ? s + bytes_before(zero_bytes_of_plain(last_bytes(end, (size_t)(end - s)))) : end;
}

/* Copy what ends at `end` to where `behind` is the end. Up to 15 bytes before are copied as well, on both sides. */
JSON_INLINE void copy_backwards(char *behind, const char *end, size_t len)
{
    for (size_t done = 0; done < len; done += 16)
        store16(behind - done - 16, load16(end - done - 16));
}

/*
 * A path has its leaf first, so it is written from its end to its beginning: each component's surplus bytes are
 * overwritten by the next one. Those of the last one fall on what precedes the path, which is put back; there is always
 * as much, the name of the event. The '/' of a path that is not absolute falls on the place of the quote.
 */
static void path__plain(struct json_out *out, struct slice path, bool absolute)
{
    const char *s = path.data, *const end = s + path.len;
    char *const quote = out->p, *p = quote + absolute + path.len + !!end[-1];
    bytes16 preceding = load16(quote - 16);

    *p = '"';
    out->p = p + 1;
    while (s < end) {
        const char *string_end = plain__string_end(s, end);
        size_t len = (size_t)(string_end - s);

        copy_backwards(p, string_end, len);
        p -= len + 1;
        *p = '/';
        s = string_end + 1;
    }
    store16(quote - 16, preceding);
    *quote = '"';
}

static __attribute__((noinline)) void path__escaped(struct json_out *out, struct slice path, bool absolute)
{
    struct slice component;
    bool separator = absolute;

    JSON_LITERAL(out, "\"");
    while (slice__last_component(&path, &component)) {
        if (separator)
            JSON_LITERAL(out, "/");
        separator = true;
        ebpf_json__escaped(out, component);
    }
    JSON_LITERAL(out, "\"");
}

/*
 * Paths repeat: a file is created, written and renamed, and most events are of few cgroups. So the text of the last
 * ones is kept, when it is short and plain, by a hash of the leaf.
 */
#define PATHS_KEPT_BITS 5

struct path_kept {
    uint32_t len, flags; /* of the value; a length of 0: none is kept */
    uint64_t text_len;
    char value[PATH_KEPT_MAX];
    char text[PATH_KEPT_MAX + 16]; /* quotes, a '/' at the beginning; a multiple of 16 */
};

/* Whether the value is the one that is kept; the last eight bytes are looked at twice. */
static bool path_kept__is(const struct path_kept *kept, const struct ebpf_varlen *v)
{
    const char *value = (const char *)(v + 1);

    if (kept->len != v->len || kept->flags != v->flags)
        return false;
    for (size_t i = 0; i + 8 < kept->len; i += 8) {
        if (load_word(kept->value + i) != load_word(value + i))
            return false;
    }
    return load_word(kept->value + kept->len - 8) == load_word(value + kept->len - 8);
}

static void path_kept__set(struct path_kept *kept, const struct ebpf_varlen *v, const char *text, size_t text_len)
{
    kept->len = v->len;
    kept->flags = v->flags;
    kept->text_len = text_len;
    memcpy(kept->value, v + 1, v->len);
    memcpy(kept->text, text, text_len);
}

/* Where a value of at least eight bytes is kept, if it is. */
static struct path_kept *path_kept__place(const struct ebpf_varlen *v)
{
    static _Thread_local struct path_kept last[1 << PATHS_KEPT_BITS];

    return *THREADS_OWN(last) + word__place(load_word((const char *)(v + 1)), PATHS_KEPT_BITS);
}

static __attribute__((noinline)) void path__write(struct json_out *out, const struct ebpf_varlen *v,
                                                  struct path_kept *kept)
{
    struct slice path = varlen__slice(v);
    const char *begin = out->p;

    if (!path.len || !json__has_room(out, path.len + 3) || !value__is_plain(path)) {
        path__escaped(out, path, path__is_absolute(v->flags));
        return;
    }
    path__plain(out, path, path__is_absolute(v->flags));
    if (kept)
        path_kept__set(kept, v, begin, (size_t)(out->p - begin));
}

/* What differs in lines for consumers of Elastic's program. False: nothing does. */
static __attribute__((noinline)) bool path__elastic(struct json_out *out, const struct ebpf_varlen *v)
{
    bool is_root = !v->len && path__is_absolute(v->flags);

    if (!(v->tag == EBPF_TAG_CGROUP_PATH && is_root) && !(v->tag == EBPF_TAG_FILENAME && out->given_name->len))
        return false;
    JSON_LITERAL(out, "\"");
    if (!is_root)
        ebpf_json__escaped(out, *out->given_name);
    JSON_LITERAL(out, "\"");
    return true;
}

void ebpf_json__path(struct json_out *out, const struct ebpf_varlen *v)
{
    struct path_kept *kept = NULL;

    if (out->given_name && path__elastic(out, v))
        return;
    if (!v->len && path__is_absolute(v->flags)) {
        JSON_LITERAL(out, "\"/\"");
        return;
    }
    if (v->len >= 8 && v->len <= PATH_KEPT_MAX && json__has_room(out, PATH_KEPT_MAX + 16))
        kept = path_kept__place(v);
    if (!kept || !path_kept__is(kept, v)) {
        path__write(out, v, kept);
        return;
    }
    for (size_t i = 0; i < kept->text_len; i += 16)
        store16(out->p + i, load16(kept->text + i));
    out->p += kept->text_len;
}

/* Sixteen bytes, with spaces in place of NULs. Returns which of them are plain. */
JSON_INLINE bytes16 write_spaced16(char *p, const char *s)
{
    bytes16 bytes = load16(s);

    bytes |= (bytes == 0) & ' ';
    store16(p, bytes);
    return printable16(bytes) & ~escaped_by_backslash16(bytes);
}

static bool joined__plain16(char *p, struct slice list)
{
    size_t last = list.len - 16;
    bytes16 plain = write_spaced16(p + last, list.data + last);

    for (size_t i = 0; i < last; i += 16)
        plain &= write_spaced16(p + i, list.data + i);
    return all16(plain);
}

/* False when the value turns out to need more than a copy: what has been written then does not count. */
static bool joined__plain(struct json_out *out, struct slice list)
{
    if (!list.len || !json__has_room(out, list.len))
        return false;
    if (list.len >= 16) {
        if (!joined__plain16(out->p, list))
            return false;
    } else {
        if (!value__is_plain(list))
            return false;
        for (size_t i = 0; i < list.len; i++)
            out->p[i] = list.data[i] ? list.data[i] : ' ';
    }
    out->p += list.len - !list.data[list.len - 1];
    return true;
}

/* Each NUL of a plain value becomes the end of a string and the beginning of the next. */
static void array__plain(struct json_out *out, struct slice list)
{
    const char *s = list.data, *const end = s + list.len;
    char *p = WRITE_LITERAL(out->p, "[\"");

    while (end - s >= 8) {
        uint64_t word = load_word(s), zeros = zero_bytes_of_plain(word);
        size_t n = zeros ? bytes_before(zeros) : 8;

        store_word(p, word);
        p += n;
        s += n;
        if (zeros) {
            p = write_raw(p, "\",\"", 4) - 1; /* four bytes are one store */
            s++;
        }
    }
    for (; s < end; s++) {
        if (*s)
            *p++ = *s;
        else
            p = WRITE_LITERAL(p, "\",\"");
    }
    if (end[-1])
        *p++ = '"';
    else
        p -= 2;
    *p++ = ']';
    out->p = p;
}

/* The most that a list can grow to: each byte is the end of an empty string. */
static bool array__has_room(const struct json_out *out, struct slice list)
{
    return json__has_room(out, 3 * list.len + 2 + JSON_SLACK);
}

/* The NUL at the end separates nothing; where a list was cut there may be none. */
static struct slice list__without_last_nul(struct slice list)
{
    list.len -= list.len && !list.data[list.len - 1];
    return list;
}

static void json__joined(struct json_out *out, struct slice list, bool *ret_plain)
{
    JSON_LITERAL(out, "\"");
    *ret_plain = joined__plain(out, list);
    if (!*ret_plain)
        json__escape(out, list__without_last_nul(list), &nul_in_joined);
    JSON_LITERAL(out, "\"");
}

static void json__array(struct json_out *out, struct slice list, bool plain)
{
    if (!list.len) {
        JSON_LITERAL(out, "[]");
    } else if (plain && array__has_room(out, list)) {
        array__plain(out, list);
    } else {
        JSON_LITERAL(out, "[\"");
        json__escape(out, list__without_last_nul(list), &nul_in_array);
        JSON_LITERAL(out, "\"]");
    }
}

void ebpf_json__env(struct json_out *out, const struct ebpf_varlen *v)
{
    struct slice list = varlen__slice(v);

    json__array(out, list, value__is_plain(list));
}

void ebpf_json__args(struct json_out *out, const struct ebpf_varlen *v)
{
    struct slice list = varlen__slice(v);
    bool plain;

    if (out->given_name) {
        ebpf_json__env(out, v);
        return;
    }
    json__joined(out, list, &plain);
    JSON_LITERAL(out, ",\"args\":");
    json__array(out, list, plain);
}
