// SPDX-License-Identifier: BSD-2-Clause
/*
 * Json.c - events as lines of JSON.
 *
 * The writer of each event is generated from the rows of Events.def: keys are literals that are copied, nothing is
 * looked up, and there are no format strings. This is the hot path of every consumer of text.
 */
#include "Json.h"

#include <errno.h>

#include "JsonRepeats.h"
#include "JsonScalar.h"
#include "JsonView.h"

/* The variable kinds. */
UNUSED static void json__str(struct json_out *out, const struct ebpf_varlen *v)
{
    JSON_LITERAL(out, "\"");
    ebpf_json__escaped(out, varlen__slice(v));
    JSON_LITERAL(out, "\"");
}

UNUSED static void json__path(struct json_out *out, const struct ebpf_varlen *v)
{
    ebpf_json__path(out, v);
}

/* Write arguments twice: joined by spaces to be read, and as an array, since an argument may contain a space. */
UNUSED static void json__args(struct json_out *out, const struct ebpf_varlen *v)
{
    ebpf_json__args(out, v);
}

UNUSED static void json__env(struct json_out *out, const struct ebpf_varlen *v)
{
    ebpf_json__env(out, v);
}

UNUSED static void json__tty(struct json_out *out, const struct ebpf_varlen *v)
{
    json__str(out, v);
}

_Static_assert(EBPF_COMM_LEN == 16, "write_comm looks at sixteen bytes");

NOINLINE char *write_comm_escaped(char *p, const char comm[EBPF_COMM_LEN], size_t len)
{
    struct json_out out = {.p = p, .end = p + 6 * EBPF_COMM_LEN, .readable = comm + EBPF_COMM_LEN};

    ebpf_json__escaped(&out, (struct slice){comm, len});
    return out.p;
}

/* Write the name up to its NUL, if it has one; each of its bytes may take six. */
JSON_INLINE char *write_comm(char *p, const char comm[EBPF_COMM_LEN])
{
    uint64_t first = zero_bytes(load_word(comm)), second = zero_bytes(load_word(comm + 8));
    size_t len = first ? bytes_before(first) : second ? 8 + bytes_before(second) : EBPF_COMM_LEN;
    bytes16 bytes = load16(comm);

    if (!all16(plain16(bytes)))
        return write_comm_escaped(p, comm, len);
    store16(p, bytes);
    return p + len;
}

/* The pairs with which every event ends. */
#define COMMON_MAX                                                                                                     \
    (sizeof("\"comm\":\"\",\"seq\":},") + 6 * EBPF_COMM_LEN + JSON_TIMES_MAX + NUMBER_DIGITS_MAX + JSON_SLACK)

JSON_INLINE char *write_common(char *p, const struct ebpf_event *event)
{
    p = WRITE_LITERAL(p, "\"comm\":\"");
    p = write_comm(p, event->hdr->comm);
    p = WRITE_LITERAL(p, "\",");
    p = ebpf_json__write_times(p, event->time_ns, event->hdr->ts_boot_ns);
    p = WRITE_LITERAL(p, "\"seq\":");
    p = write_number(p, event->seq);
    return WRITE_LITERAL(p, "},");
}

NOINLINE void json__scarce_common(struct json_out *out, const struct ebpf_event *event)
{
    char text[COMMON_MAX];

    json__raw(out, text, (size_t)(write_common(text, event) - text));
}

NOINLINE void json__common(struct json_out *out, const struct ebpf_event *event)
{
    if (json__has_room(out, COMMON_MAX))
        out->p = write_common(out->p, event);
    else
        json__scarce_common(out, event);
}

/*
 * The most bytes that the rows of an event take, without its variable values, each byte of which takes up to six, or
 * twelve if it is written twice. If that much fits, no row has to check for room.
 */
enum {
#define EVENT(id, NAME, name, option, ring, doc) ROWS_MAX_##name = sizeof("{\"event_type\":\"" #NAME "\",")
#define END_EVENT(name) +MAX_##name,
#define GROUP(name, doc) ROWS_MAX_##name = 0
#define END_GROUP(name) ,
#define FLAG(NAME, bit, key, doc) +sizeof("\"" key "\":false,")
#define VARLEN(NAME, doc) +TAG_MAX_##NAME
#define OPTIONAL(NAME, doc) +TAG_MAX_##NAME
#define TAG(id, NAME, kind, key) TAG_MAX_##NAME = sizeof("\"" key "\":" ABSENT_##kind "\"\","),
#include "Events.def"
};

#define ROOM_A_BYTE 12

/*
 * The rows as code: json__tag_<TAG>() for each variable field, write_<group>() for each group, json__<event>() for each
 * event. A group has a bound, so its members are written at `p`; so are those of an event if it `is_roomy`, else at
 * out->p. `part` is the cache entry for the head of an event or the end of a group, whose text begins at `begin`;
 * `is_cached` is true within a head that was copied from there.
 */
// clang-format off
#define LITERAL(text)                                                                                                  \
        do {                                                                                                           \
            if (is_roomy)                                                                                              \
                p = WRITE_LITERAL(p, text);                                                                            \
            else                                                                                                       \
                JSON_LITERAL(out, text);                                                                               \
        } while (0)
#define TAG(id, NAME, kind, key)                                                                                       \
    UNUSED NOINLINE void json__tag_##NAME(struct json_out *out, struct view *view, const struct ebpf_varlen *v)        \
    {                                                                                                                  \
        static const struct cut_pairs pairs = CUT_##kind(key);                                                         \
                                                                                                                       \
        JSON_LITERAL(out, "\"" key "\":");                                                                             \
        json__##kind(out, v);                                                                                          \
        JSON_LITERAL(out, ",");                                                                                        \
        if (v->flags)                                                                                                  \
            view__note_cut(view, &pairs, v);                                                                           \
    }                                                                                                                  \
    UNUSED JSON_INLINE char *json__varlen_##NAME(struct json_out *out, struct view *view, char *p, bool is_roomy)      \
    {                                                                                                                  \
        if (!view__has(view, EBPF_TAG_##NAME)) {                                                                       \
            LITERAL("\"" key "\":" ABSENT_##kind ",");                                                                 \
            return p;                                                                                                  \
        }                                                                                                              \
        if (is_roomy)                                                                                                  \
            out->p = p;                                                                                                \
        json__tag_##NAME(out, view, view->fields[EBPF_TAG_##NAME]);                                                    \
        return out->p;                                                                                                 \
    }
#define GROUP(name, doc)                                                                                               \
    UNUSED JSON_INLINE char *format_##name(char *p, const struct ebpf_##name *e)                                       \
    {                                                                                                                  \
        struct json_out *const out = NULL;                                                                             \
        const bool is_roomy = true;                                                                                    \
        struct cached_text *part = NULL;                                                                               \
        const char *begin = NULL, *of = NULL;                                                                          \
        size_t part_size = 0;                                                                                          \
        bool is_cached = false;                                                                                        \
                                                                                                                       \
        *p++ = '{';
#define REPEATS(group, member)                                                                                         \
        static _Thread_local struct cached_text ends[1 << CACHE_BITS];                                                 \
                                                                                                                       \
        of = (const char *)&e->member;                                                                                 \
        part_size = sizeof(*e) - offsetof(struct ebpf_##group, member);                                                \
        _Static_assert(sizeof(*e) - offsetof(struct ebpf_##group, member) <= sizeof(ends->of), "too many words");      \
        part = *THREADS_OWN(ends) + word__bucket(load_word(of + part_size - 8), CACHE_BITS);                           \
        if (cached_text__matches(part, of, part_size))                                                                 \
            return write_raw(p, part->text, part->len);                                                                \
        begin = p;
#define END_GROUP(name)                                                                                                \
        p = write_close(p, '}');                                                                                       \
        if (part)                                                                                                      \
            cached_text__set(part, of, part_size, begin, (size_t)(p - begin));                                         \
        return p;                                                                                                      \
    }                                                                                                                  \
    UNUSED NOINLINE char *cache_##name(char *p, const struct ebpf_##name *e, struct cached_text *cached)               \
    {                                                                                                                  \
        char *end = format_##name(p, e);                                                                               \
                                                                                                                       \
        cached_text__set(cached, e, sizeof(*e), p, (size_t)(end - p));                                                 \
        return end;                                                                                                    \
    }                                                                                                                  \
    UNUSED NOINLINE char *write_##name(char *p, const struct ebpf_##name *e)                                           \
    {                                                                                                                  \
        static _Thread_local struct cached_text groups[1 << CACHE_BITS];                                               \
                                                                                                                       \
        if (DIFFERS(name) || sizeof(*e) % 8 || sizeof(*e) > sizeof(groups->of))                                        \
            return format_##name(p, e);                                                                                \
        struct cached_text *cached = *THREADS_OWN(groups) + word__bucket(load_word((const char *)e), CACHE_BITS);      \
                                                                                                                       \
        if (!cached_text__matches(cached, e, sizeof(*e)))                                                              \
            return cache_##name(p, e, cached);                                                                         \
        return write_raw(p, cached->text, cached->len);                                                                \
    }
#define EVENT(id, NAME, name, option, ring, doc)                                                                       \
    JSON_INLINE void json__rows_of_##name(struct json_out *out, struct view *view, const bool is_roomy)                \
    {                                                                                                                  \
        static _Thread_local struct cached_text head;                                                                  \
        const struct ebpf_##name##_event *e = (const void *)view->event->hdr;                                          \
        const size_t part_size = is_roomy ? head_size_##name() : 0;                                                    \
        struct cached_text *part = part_size ? THREADS_OWN(head) : NULL;                                               \
        const char *of = (const char *)(&e->hdr + 1), *begin = out->p;                                                 \
        bool is_cached = part && cached_text__matches(part, of, part_size);                                            \
        char *p = out->p;                                                                                              \
                                                                                                                       \
        if (is_cached)                                                                                                 \
            p = write_raw(p, part->text, part->len);                                                                   \
        else                                                                                                           \
            LITERAL("{\"event_type\":\"" #NAME "\",");
#define HEAD_ENDS                                                                                                      \
        if (part && !is_cached)                                                                                        \
            cached_text__set(part, of, part_size, begin, (size_t)(p - begin));                                         \
        part = NULL;                                                                                                   \
        is_cached = false;
#define FIELD(kind, name, key, doc)                                                                                    \
        if (out && DIFFERS(kind)) {                                                                                    \
            HEAD_ENDS                                                                                                  \
        }                                                                                                              \
        if (sizeof(key) > 1 && !is_cached) {                                                                           \
            char overflow[MAX_FIELD(kind, key) + JSON_SLACK];                                                          \
            char *from = is_roomy ? p : json__begin(out, MAX_FIELD(kind, key), overflow);                              \
                                                                                                                       \
            p = WRITE_LITERAL(from, "\"" key "\":");                                                                   \
            p = write_##kind(p, &e->name);                                                                             \
            *p++ = ',';                                                                                                \
            if (!is_roomy)                                                                                             \
                json__commit(out, from, p);                                                                            \
        }
#define FIELD_IF(kind, name, key, FLAG_NAME, doc)                                                                      \
        HEAD_ENDS                                                                                                      \
        if (e->hdr.flags & EBPF_##FLAG_NAME) {                                                                         \
            FIELD(kind, name, key, doc)                                                                                \
        }
#define FLAG(NAME, bit, key, doc)                                                                                      \
        HEAD_ENDS                                                                                                      \
        if (sizeof(key) > 1 && e->hdr.flags & EBPF_##NAME)                                                             \
            LITERAL("\"" key "\":true,");                                                                              \
        else if (sizeof(key) > 1)                                                                                      \
            LITERAL("\"" key "\":false,");
#define VARLEN(NAME, doc)                                                                                              \
        HEAD_ENDS                                                                                                      \
        p = json__varlen_##NAME(out, view, p, is_roomy);
#define OPTIONAL(NAME, doc)                                                                                            \
        HEAD_ENDS                                                                                                      \
        if (view__has(view, EBPF_TAG_##NAME))                                                                          \
            p = json__varlen_##NAME(out, view, p, is_roomy);
#define END_EVENT(name)                                                                                                \
        HEAD_ENDS                                                                                                      \
        (void)e, (void)is_cached;                                                                                      \
        if (is_roomy)                                                                                                  \
            out->p = p;                                                                                                \
    }                                                                                                                  \
    NOINLINE void json__scarce_##name(struct json_out *out, struct view *view)                                         \
    {                                                                                                                  \
        json__rows_of_##name(out, view, false);                                                                        \
    }                                                                                                                  \
    static void json__##name(struct json_out *out, struct view *view)                                                  \
    {                                                                                                                  \
        size_t variable = view->event->size - sizeof(struct ebpf_##name##_event);                                      \
                                                                                                                       \
        if (json__has_room(out, ROWS_MAX_##name + ROOM_A_BYTE * variable + JSON_SLACK))                                \
            json__rows_of_##name(out, view, true);                                                                     \
        else                                                                                                           \
            json__scarce_##name(out, view);                                                                            \
        if (view->cut_count)                                                                                           \
            json__cuts(out, view);                                                                                     \
        json__common(out, view->event);                                                                                \
    }
#include "Events.def"
#undef HEAD_ENDS
#undef LITERAL
// clang-format on

static const struct writer {
    void (*write)(struct json_out *out, struct view *view); /* NULL: it is no type */
    size_t fixed_size;
} writers[EBPF_EVENT_TYPE_COUNT] = {
#define EVENT(id, NAME, name, option, ring, doc) [id] = {json__##name, sizeof(struct ebpf_##name##_event)},
#include "Events.def"
};

/* Add an empty field, for a key that lines for consumers of Elastic's program always have. */
static void view__add_empty(struct view *view, enum ebpf_tag tag)
{
    static const struct ebpf_varlen empty;

    if (!view__has(view, tag))
        view->fields[tag] = &empty;
    view->has |= UINT64_C(1) << tag;
}

int ebpf_json__line(const struct ebpf_event *event, const struct slice *given_name, char *buf, size_t size)
{
    const struct writer *writer = event->hdr->type < EBPF_EVENT_TYPE_COUNT ? &writers[event->hdr->type] : NULL;
    struct json_out out;
    struct view view;

    if (!writer || !writer->write || event->size < writer->fixed_size) {
        errno = EINVAL;
        return -EINVAL;
    }
    if (json__begin_line(&out, buf, size))
        return -ENOSPC;
    out.readable = (const char *)event->hdr + event->size;
    out.given_name = given_name;
    view__init(&view, event, writer->fixed_size);
    if (given_name && event->hdr->type == EBPF_EVENT_PROCESS_EXEC) {
        view__add_empty(&view, EBPF_TAG_ARGV);
        view__add_empty(&view, EBPF_TAG_ENV);
    }
    writer->write(&out, &view);
    return json__end_line(&out, buf);
}

int ebpf_event__json(const struct ebpf_event *event, char *buf, size_t size)
{
    return ebpf_json__line(event, NULL, buf, size);
}
