// SPDX-License-Identifier: BSD-2-Clause
/* JsonString.c - see JsonString.h. */
#include "JsonString.h"

/*
 * Return the length of the well-formed UTF-8 sequence of two to four bytes at `s`; 0 if there is none. This is table
 * 3-7 of the Unicode standard: the range of the second byte depends on the first.
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

/* Return whether a sequence of four bytes is a character that stands for a raw byte, and so cannot stand for itself. */
static bool is_raw_byte_character(const unsigned char *s)
{
    return s[0] == 0xf4 && s[1] == 0x8f && (s[2] == 0x9e || s[2] == 0x9f);
}

/* Write the character for a raw byte: U+10F700 plus the byte. */
static void json__raw_byte(struct json_out *out, unsigned char byte)
{
    const char utf8[4] = {'\xf4', '\x8f', (char)(0x9e + (byte >> 6 & 1)), (char)(0x80 | (byte & 0x3f))};

    json__raw(out, utf8, sizeof(utf8));
}

/* Write a character below U+10000 as \\u and four digits. */
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
 * Return the code point of a well-formed sequence of `n` bytes if a terminal interprets the character: a C1 control, a
 * separator of lines or paragraphs, or one that changes the direction of text. Otherwise 0.
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

static const struct nul_text nul_in_string = {"\\u0000", 6};

/* Write one character. Returns how many bytes of the value it takes. */
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
 * Words that are read and written may extend beyond the value, but not beyond its record or the buffer. Near these ends
 * it is done character by character.
 */
void ebpf_json__escape(struct json_out *out, struct slice value, const struct nul_text *nul)
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
    ebpf_json__escape(out, value, &nul_in_string);
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
