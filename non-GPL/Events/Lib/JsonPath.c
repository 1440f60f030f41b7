// SPDX-License-Identifier: BSD-2-Clause
/* JsonPath.c - values of kind path, which are stored leaf first. */
#include "JsonString.h"

#define CACHED_PATH_MAX 64

/* Return the first NUL of the rest of a plain value, or its end. */
JSON_INLINE const char *plain__string_end(const char *s, const char *end)
{
    for (; end - s >= 8; s += 8) {
        uint64_t zeros = zero_bytes_of_plain(load_word(s));

        if (zeros)
            return s + bytes_before(zeros);
    }
    return s < end ? s + bytes_before(zero_bytes_of_plain(last_bytes(end, (size_t)(end - s)))) : end;
}

/* Copy the bytes that end at `end` so that they end at `behind`. Up to 15 bytes before them are copied, too. */
JSON_INLINE void copy_backwards(char *behind, const char *end, size_t len)
{
    for (size_t done = 0; done < len; done += 16)
        store16(behind - done - 16, load16(end - done - 16));
}

/*
 * Write a plain path. It is stored leaf first, so it is written from its end to its beginning: the surplus bytes of
 * each component are overwritten by the next one. Those of the last one overwrite what precedes the path, which is
 * restored; there are always enough bytes, the name of the event. The '/' of a path that is not absolute is overwritten
 * by the quote.
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
 * ones is cached, when it is short and plain, by a hash of the leaf.
 */
#define PATH_CACHE_BITS 5

struct cached_path {
    uint32_t len, flags; /* of the value; a length of 0: the bucket is empty */
    uint64_t text_len;
    char value[CACHED_PATH_MAX];
    char text[CACHED_PATH_MAX + 16]; /* quotes, a '/' at the beginning; a multiple of 16 */
};

/* Return whether the value is the cached one; some of its last eight bytes are compared twice. */
static bool cached_path__matches(const struct cached_path *cached, const struct ebpf_varlen *v)
{
    const char *value = (const char *)(v + 1);

    if (cached->len != v->len || cached->flags != v->flags)
        return false;
    for (size_t i = 0; i + 8 < cached->len; i += 8) {
        if (load_word(cached->value + i) != load_word(value + i))
            return false;
    }
    return load_word(cached->value + cached->len - 8) == load_word(value + cached->len - 8);
}

static void cached_path__set(struct cached_path *cached, const struct ebpf_varlen *v, const char *text, size_t text_len)
{
    cached->len = v->len;
    cached->flags = v->flags;
    cached->text_len = text_len;
    memcpy(cached->value, v + 1, v->len);
    memcpy(cached->text, text, text_len);
}

/* Return the bucket in which a value of at least eight bytes is cached, if it is. */
static struct cached_path *cached_path__bucket(const struct ebpf_varlen *v)
{
    static _Thread_local struct cached_path cache[1 << PATH_CACHE_BITS];

    return *THREADS_OWN(cache) + word__bucket(load_word((const char *)(v + 1)), PATH_CACHE_BITS);
}

static __attribute__((noinline)) void path__write(struct json_out *out, const struct ebpf_varlen *v,
                                                  struct cached_path *cached)
{
    struct slice path = varlen__slice(v);
    const char *begin = out->p;

    if (!path.len || !json__has_room(out, path.len + 3) || !value__is_plain(path)) {
        path__escaped(out, path, path__is_absolute(v->flags));
        return;
    }
    path__plain(out, path, path__is_absolute(v->flags));
    if (cached)
        cached_path__set(cached, v, begin, (size_t)(out->p - begin));
}

/* Write a path that differs in lines for consumers of Elastic's program. False if it does not. */
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
    struct cached_path *cached = NULL;

    if (out->given_name && path__elastic(out, v))
        return;
    if (!v->len && path__is_absolute(v->flags)) {
        JSON_LITERAL(out, "\"/\"");
        return;
    }
    if (v->len >= 8 && v->len <= CACHED_PATH_MAX && json__has_room(out, CACHED_PATH_MAX + 16))
        cached = cached_path__bucket(v);
    if (!cached || !cached_path__matches(cached, v)) {
        path__write(out, v, cached);
        return;
    }
    for (size_t i = 0; i < cached->text_len; i += 16)
        store16(out->p + i, load16(cached->text + i));
    out->p += cached->text_len;
}
