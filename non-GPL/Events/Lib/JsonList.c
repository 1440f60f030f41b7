// SPDX-License-Identifier: BSD-2-Clause
/* JsonList.c - values of the kinds args and env: strings that end with a NUL. */
#include "JsonString.h"

static const struct nul_text nul_in_joined = {" ", 1}, nul_in_array = {"\",\"", 3};

/* Write sixteen bytes, with spaces in place of NULs. Returns which of them are plain. */
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

/* Write a list as joined strings. False if it needs more than a copy; what has been written is then to be ignored. */
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

/* Write a plain list as an array: each NUL becomes the end of a string and the beginning of the next one. */
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

/* Return whether the array of a plain list fits in any case: each byte may be the NUL of an empty string. */
static bool array__has_room(const struct json_out *out, struct slice list)
{
    return json__has_room(out, 3 * list.len + 2 + JSON_SLACK);
}

/* Return a list without the NUL at its end, which separates nothing; a list that was cut may have none. */
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
        ebpf_json__escape(out, list__without_last_nul(list), &nul_in_joined);
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
        ebpf_json__escape(out, list__without_last_nul(list), &nul_in_array);
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
