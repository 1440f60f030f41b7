// SPDX-License-Identifier: BSD-2-Clause
/*
 * JsonText.c - strings and times.
 *
 * Most values are printable ASCII. Whether all of a value is, is found out eight bytes at a time; it is then written eight
 * bytes at a time. What is not takes the way through ebpf_json__escaped, and so does what may not fit.
 */
#include "JsonText.h"

/*
 * Length of the well-formed UTF-8 sequence of two to four bytes that `s` begins with; 0 when there is none. The table is
 * the Unicode standard's 3-7: what the second byte may be depends on the first.
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

/* Whether a sequence of four bytes is a character that stands for a raw byte, and so must not stand for itself. */
static bool is_raw_byte_character(const unsigned char *s)
{
    return s[0] == 0xf4 && s[1] == 0x8f && (s[2] == 0x9e || s[2] == 0x9f);
}

static void json__raw_byte(struct json_out *out, unsigned char byte)
{
    const char utf8[4] = {'\xf4', '\x8f', (char)(0x9e + (byte >> 6 & 1)), (char)(0x80 | (byte & 0x3f))};

    json__raw(out, utf8, sizeof(utf8));
}

static void json__control(struct json_out *out, unsigned char byte)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[0x20] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    const char two[2] = {'\\', letters[byte]};
    const char six[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};

    if (letters[byte])
        json__raw(out, two, sizeof(two));
    else
        json__raw(out, six, sizeof(six));
}

/* One character. Returns how many bytes of the value it was. */
static size_t json__character(struct json_out *out, const char *data, size_t len)
{
    const unsigned char *s = (const unsigned char *)data;
    size_t n = 1;

    if (s[0] >= 0x80) {
        n = utf8_length(s, len);
        if (!n || (n == 4 && is_raw_byte_character(s))) {
            json__raw_byte(out, s[0]);
            return 1;
        }
    } else if (s[0] < 0x20) {
        json__control(out, s[0]);
        return 1;
    } else if (s[0] == '"' || s[0] == '\\') {
        JSON_LITERAL(out, "\\");
    }
    json__raw(out, data, n);
    return n;
}

void ebpf_json__escaped(struct json_out *out, struct slice value)
{
    const char *s = value.data, *const end = s + value.len;

    while (s < end) {
        size_t left = (size_t)(end - s), plain = 0;

        if (out->readable - s >= 8 && json__has_room(out, 8)) {
            uint64_t word = load_word(s), special = special_bytes(word);

            store_word(out->p, word);
            plain = special ? bytes_before(special) : 8;
            plain = plain < left ? plain : left;
            out->p += plain;
            s += plain;
        }
        if (plain < 8 && plain < left)
            s += json__character(out, s, left - plain);
    }
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

#define PAIRS(tens)                                                                                                    \
    {tens, '0'}, {tens, '1'}, {tens, '2'}, {tens, '3'}, {tens, '4'}, {tens, '5'}, {tens, '6'}, {tens, '7'},            \
        {tens, '8'}, {tens, '9'}

const char ebpf_json__digit_pairs[100][2] = {PAIRS('0'), PAIRS('1'), PAIRS('2'), PAIRS('3'), PAIRS('4'),
                                             PAIRS('5'), PAIRS('6'), PAIRS('7'), PAIRS('8'), PAIRS('9')};

/* Up to eight digits. */
JSON_INLINE char *write_below_e8(char *p, uint64_t value)
{
    uint64_t digits = eight_digits(value);
    size_t zeros = bytes_before(digits | UINT64_C(1) << 63);

    store_word(p, (digits + BYTES('0')) >> (8 * zeros));
    return p + 8 - zeros;
}

char *ebpf_json__write_large(char *p, uint64_t value)
{
    uint64_t high = value / 100000000;

    if (!high)
        return write_below_e8(p, value);
    if (high < 100) {
        p = write_below_100(p, high);
    } else if (high < 100000000) {
        p = write_below_e8(p, high);
    } else {
        p = write_below_e8(p, high / 100000000);
        p = write_eight_digits(p, high % 100000000);
    }
    return write_eight_digits(p, value % 100000000);
}

void ebpf_json__number(struct json_out *out, uint64_t value)
{
    char spare[NUMBER_DIGITS_MAX + 1 + JSON_SLACK], *from = json__begin(out, NUMBER_DIGITS_MAX + 1, spare);
    char *p = write_number(from, value);

    *p++ = ',';
    json__commit(out, from, p);
}

/* Sixteen bytes at once; the compiler knows how, or does without. */
typedef signed char bytes16 __attribute__((vector_size(16)));

JSON_INLINE bytes16 load16(const char *p)
{
    bytes16 bytes;

    memcpy(&bytes, p, sizeof(bytes));
    return bytes;
}

/* special_bytes, but for NUL. As signed numbers, bytes that are not ASCII are below the space as well. */
JSON_INLINE bytes16 special16(bytes16 bytes)
{
    return ((bytes < ' ') & (bytes != 0)) | (bytes == '"') | (bytes == '\\');
}

/*
 * Whether a value can be written as it is, its NULs aside. Of what has sixteen bytes or more, some are looked at again in
 * the end, so as not to look at what follows the value.
 */
static bool value__is_plain(struct slice value)
{
    const char *s = value.data, *const end = s + value.len;
    uint64_t words[2] = {0, 0};

    if (value.len >= 16) {
        bytes16 special = special16(load16(end - 16));

        for (; s < end - 16; s += 16)
            special |= special16(load16(s));
        memcpy(words, &special, sizeof(words));
    } else {
        if (value.len >= 8)
            words[0] = load_word(s);
        if (value.len % 8)
            words[1] = last_bytes(end, value.len % 8);
        words[0] = special_bytes(words[0]) & ~zero_bytes(words[0]);
        words[1] = special_bytes(words[1]) & ~zero_bytes(words[1]);
    }
    return !(words[0] | words[1]);
}

/* Behind the last NUL of [start, end), or start. */
JSON_INLINE const char *last_component(const char *start, const char *end)
{
    for (const char *p = end; p > start; p -= 8) {
        uint64_t zeros = zero_bytes(load_word(p - 8));

        if (zeros) {
            p -= bytes_after(zeros);
            return p > start ? p : start;
        }
    }
    return start;
}

static void path__plain(struct json_out *out, struct slice path, bool separator)
{
    const char *end = path.data + path.len;
    char *p = out->p;

    end -= !end[-1];
    for (;;) {
        const char *component = last_component(path.data, end);

        if (separator)
            *p++ = '/';
        separator = true;
        p = write_copy(p, component, (size_t)(end - component));
        if (component == path.data)
            break;
        end = component - 1;
    }
    out->p = p;
}

static void path__escaped(struct json_out *out, struct slice path, bool separator)
{
    struct slice component;

    while (slice__last_component(&path, &component)) {
        if (separator)
            JSON_LITERAL(out, "/");
        separator = true;
        ebpf_json__escaped(out, component);
    }
}

void ebpf_json__path(struct json_out *out, const struct ebpf_varlen *v)
{
    struct slice path = varlen__slice(v);
    bool absolute = path__is_absolute(v->flags);

    JSON_LITERAL(out, "\"");
    if (!path.len) {
        if (absolute)
            JSON_LITERAL(out, "/");
    } else if (json__has_room(out, path.len + 2 + JSON_SLACK) && value__is_plain(path)) {
        path__plain(out, path, absolute);
    } else {
        path__escaped(out, path, absolute);
    }
    JSON_LITERAL(out, "\"");
}

JSON_INLINE void write_spaced16(char *p, const char *s)
{
    bytes16 bytes = load16(s);

    bytes |= (bytes == 0) & ' ';
    memcpy(p, &bytes, sizeof(bytes));
}

/* A space in place of each NUL, but the last one. As in value__is_plain, some bytes are written twice. */
static void joined__plain(struct json_out *out, struct slice list)
{
    const char *s = list.data, *const end = s + list.len;
    char *p = out->p;

    for (; end - s > 16; s += 16, p += 16)
        write_spaced16(p, s);
    if (list.len >= 16) {
        write_spaced16(p + (end - s) - 16, end - 16);
    } else {
        for (ptrdiff_t i = 0; i < end - s; i++)
            p[i] = s[i] ? s[i] : ' ';
    }
    out->p = p + (end - s) - !end[-1];
}

static void joined__escaped(struct json_out *out, struct slice list)
{
    struct slice string;
    bool separator = false;

    while (slice__first_string(&list, &string)) {
        if (separator)
            JSON_LITERAL(out, " ");
        separator = true;
        ebpf_json__escaped(out, string);
    }
}

/* Each NUL of a plain value becomes the end of a string and the beginning of the next. */
static void array__plain(struct json_out *out, struct slice list)
{
    const char *s = list.data, *const end = s + list.len;
    char *p = WRITE_LITERAL(out->p, "[\"");

    while (end - s >= 8) {
        uint64_t word = load_word(s), zeros = zero_bytes(word);
        size_t n = zeros ? bytes_before(zeros) : 8;

        store_word(p, word);
        p += n;
        s += n;
        if (zeros) {
            p = WRITE_LITERAL(p, "\",\"");
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

static void array__escaped(struct json_out *out, struct slice list)
{
    struct slice string;

    JSON_LITERAL(out, "[");
    while (slice__first_string(&list, &string)) {
        JSON_LITERAL(out, "\"");
        ebpf_json__escaped(out, string);
        JSON_LITERAL(out, "\",");
    }
    json__close(out, ']');
    out->p -= !out->full;
}

/* The most that a list of strings can grow to as an array: each byte is the end of an empty one. */
static bool list__is_plain(const struct json_out *out, struct slice list)
{
    return list.len && json__has_room(out, 4 * list.len + 32) && value__is_plain(list);
}

void ebpf_json__env(struct json_out *out, const struct ebpf_varlen *v)
{
    struct slice list = varlen__slice(v);

    if (list__is_plain(out, list))
        array__plain(out, list);
    else
        array__escaped(out, list);
}

void ebpf_json__args(struct json_out *out, const struct ebpf_varlen *v)
{
    struct slice list = varlen__slice(v);
    bool plain = list__is_plain(out, list);

    JSON_LITERAL(out, "\"");
    if (plain)
        joined__plain(out, list);
    else
        joined__escaped(out, list);
    JSON_LITERAL(out, "\",\"args\":");
    if (plain)
        array__plain(out, list);
    else
        array__escaped(out, list);
}

/* A number of two digits. */
static char *write_two(char *p, uint64_t value, char behind)
{
    *p++ = (char)('0' + value / 10);
    *p++ = (char)('0' + value % 10);
    *p++ = behind;
    return p;
}

/* Days since 1970 as a date of the Gregorian calendar, in eras of 400 years that begin on a first of March. */
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

#define SECONDS_LENGTH (sizeof("1970-01-01T00:00:00.") - 1)

/* With a point at the end, after which the nanoseconds go. The year has four digits: 64 bits end in 2554. */
static void write_seconds(char *p, uint64_t seconds)
{
    uint64_t of_day = seconds % 86400;

    p = write_date(p, seconds / 86400);
    p = write_two(p, of_day / 3600, ':');
    p = write_two(p, of_day / 60 % 60, ':');
    write_two(p, of_day % 60, '.');
}

/* Events come by the thousand within a second, so the last second's text is kept. */
static char *write_timestamp(char *p, uint64_t time_ns)
{
    static _Thread_local struct {
        uint64_t seconds;
        char text[SECONDS_LENGTH + 1];
    } last = {0, "1970-01-01T00:00:00."};
    uint64_t seconds = time_ns / 1000000000, rest = time_ns % 1000000000;

    if (seconds != last.seconds) {
        write_seconds(last.text, seconds);
        last.seconds = seconds;
    }
    p = write_raw(p, last.text, SECONDS_LENGTH);
    *p++ = (char)('0' + rest / 100000000);
    p = write_eight_digits(p, rest % 100000000);
    *p++ = 'Z';
    return p;
}

#define TIMES_MAX (sizeof("\"timestamp\":\"1970-01-01T00:00:00.000000000Z\",\"ts_boot_ns\":,") - 1 + NUMBER_DIGITS_MAX)

void ebpf_json__times(struct json_out *out, uint64_t time_ns, uint64_t ts_boot_ns)
{
    char spare[TIMES_MAX + JSON_SLACK], *from = json__begin(out, TIMES_MAX, spare), *p = from;

    p = WRITE_LITERAL(p, "\"timestamp\":\"");
    p = write_timestamp(p, time_ns);
    p = WRITE_LITERAL(p, "\",\"ts_boot_ns\":");
    p = write_number(p, ts_boot_ns);
    *p++ = ',';
    json__commit(out, from, p);
}
