// SPDX-License-Identifier: BSD-2-Clause
/*
 * Json.c - events as lines of JSON.
 *
 * The writer of each event is made from the rows of Events.def: its keys are literals that are copied, and nothing is
 * looked up or formatted by a template. This is the hot path of every consumer that wants text.
 */
#include "Json.h"

#include <errno.h>

#include "JsonKept.h"

/* Kinds, groups and tags that no row has a use for at the moment. */
#define UNUSED __attribute__((unused))
#define NOINLINE static __attribute__((noinline))

/* Scalar kinds. All take a pointer, as the groups do. */
UNUSED JSON_INLINE char *write_u32(char *p, const ebpf_u32 *value)
{
    return write_number(p, *value);
}

UNUSED JSON_INLINE char *write_u64(char *p, const ebpf_u64 *value)
{
    return write_number(p, *value);
}

UNUSED JSON_INLINE char *write_s32(char *p, const ebpf_s32 *value)
{
    if (*value < 0)
        *p++ = '-';
    return write_number(p, *value < 0 ? -(uint64_t)*value : (uint64_t)*value);
}

UNUSED JSON_INLINE char *write_s64(char *p, const ebpf_s64 *value)
{
    if (*value >= (ebpf_s64)KEPT_NUMBER_MIN) /* the time of a file */
        return write_kept(p, (uint64_t)*value);
    if (*value < 0)
        *p++ = '-';
    return write_number(p, *value < 0 ? -(uint64_t)*value : (uint64_t)*value);
}

/* Three bits in each byte, the first digit in the lowest byte, of a number of 24 bits: split in halves, three times. */
JSON_INLINE uint64_t octal_digits(uint64_t value)
{
    uint64_t fours = (value & 07777) | value >> 12 << 32;
    uint64_t pairs = (fours & UINT64_C(0x3f0000003f)) | (fours & UINT64_C(0xfc000000fc0)) << 10;
    uint64_t ones = (pairs & UINT64_C(0x7000700070007)) | (pairs & UINT64_C(0x38003800380038)) << 5;

    return __builtin_bswap64(ones);
}

/* The octal digits, without a leading zero, which JSON does not allow. */
NOINLINE char *write_new_octal(char *p, const ebpf_u32 *value)
{
    uint64_t digits = octal_digits(*value & 077777777);
    size_t zeros = *value >> 24 ? 0 : bytes_before(digits | UINT64_C(1) << 63);

    for (int shift = 30; *value >> 24 && shift >= 24; shift -= 3) {
        if (*value >> shift)
            *p++ = (char)('0' + (*value >> shift & 7));
    }
    store_word(p, (digits + BYTES('0')) >> (8 * zeros));
    return p + 8 - zeros;
}

/* Most files have one of few modes, so the text of the last one is kept. */
UNUSED JSON_INLINE char *write_octal(char *p, const ebpf_u32 *value)
{
    static _Thread_local struct {
        uint32_t value, len;
        char text[2 * JSON_SLACK];
    } last = {0, 1, "0"};
    __typeof__(&last) kept = THREADS_OWN(last);

    if (kept->value != *value) {
        kept->len = (uint32_t)(write_new_octal(kept->text, value) - kept->text);
        kept->value = *value;
    }
    memcpy(p, kept->text, 11);
    return p + kept->len;
}

/* write_<enum>: the name of a value, UNKNOWN of what is none. */
#define ENUM_TEXT_MAX 30
#define ENUM_TEXT_COPIED 32
_Static_assert(ENUM_TEXT_COPIED <= ENUM_TEXT_MAX + JSON_SLACK, "a name is copied beyond the slack");

// clang-format off
#define ENUM(name, doc)                                                                                                \
    UNUSED static char *write_##name(char *p, const ebpf_u32 *value)                                                   \
    {                                                                                                                  \
        static const struct {                                                                                          \
            char text[ENUM_TEXT_COPIED];                                                                               \
            unsigned char len;                                                                                         \
        } texts[] = {{"\"UNKNOWN\"", sizeof("UNKNOWN") + 1},
#define VALUE(id, NAME, text, doc) [id] = {"\"" text "\"", sizeof(text) + 1},
#define END_ENUM(name)                                                                                                 \
        };                                                                                                             \
        size_t i = *value < sizeof(texts) / sizeof(*texts) && texts[*value].len ? *value : 0;                          \
                                                                                                                       \
        memcpy(p, texts[i].text, ENUM_TEXT_COPIED);                                                                    \
        return p + texts[i].len;                                                                                       \
    }
#include "Events.def"
// clang-format on

UNUSED JSON_INLINE char *write_u64str(char *p, const ebpf_u64 *value)
{
    *p++ = '"';
    p = write_number(p, *value);
    *p++ = '"';
    return p;
}

/* An address of IPv4 in dotted decimals, one of IPv6 as RFC 5952 has it. */
UNUSED JSON_INLINE char *write_ip(char *p, const struct ebpf_ip *value)
{
    *p++ = '"';
    p = ebpf_json__write_ip(p, value);
    *p++ = '"';
    return p;
}

/* The most that a value takes. Of an event it is what its fixed part takes, which nobody asks for. */
enum {
#define ROW(kind, max, schema, doc) MAX_##kind = max,
    JSON_SCALAR_KINDS(ROW)
#undef ROW
#define MAX_FIELD(kind, key) (sizeof("\"" key "\":,") - 1 + MAX_##kind)
#define ENUM(name, doc) MAX_##name = ENUM_TEXT_MAX,
#define GROUP(name, doc) MAX_##name = 2
#define END_GROUP(name) ,
#define EVENT(id, NAME, name, option, ring, doc) MAX_##name = 0
#define END_EVENT(name) ,
#define FIELD(kind, name, key, doc) +MAX_FIELD(kind, key)
#include "Events.def"
};

/* Variable kinds. */
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

/* Joined for the eye, and, since a space may be part of an argument, as an array. */
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

/*
 * Pairs that follow the value of a variable field when there is something to say of it; NULL where a kind never does.
 */
struct cut_pairs {
    const char *truncated, *length, *unreachable, *deleted, *unstable, *ambiguous;
};

// clang-format off
#define LENGTH_KEY(key) "\"" key "_length\":"
#define CUT_PAIR(key) "\"" key "_truncated\":true,"
#define SAYS(key, what) "\"" key "_" what "\":true,"
#define CUT_str(key) {CUT_PAIR(key), LENGTH_KEY(key), NULL, NULL, NULL, NULL}
#define CUT_path(key) {CUT_PAIR(key), LENGTH_KEY(key), SAYS(key, "unreachable"), SAYS(key, "deleted"),                 \
                       SAYS(key, "unstable"), SAYS(key, "ambiguous")}
#define CUT_args(key) {CUT_PAIR(key) CUT_PAIR("args"), LENGTH_KEY(key), NULL, NULL, NULL, NULL}
#define CUT_env(key) CUT_str(key)
#define CUT_tty(key) {NULL, NULL, NULL, NULL, NULL, NULL} /* the event has a field for it */

/* The value of a variable field that the record does not have. */
#define ABSENT_str "\"\""
#define ABSENT_path ABSENT_str
#define ABSENT_args "\"\",\"args\":[]"
#define ABSENT_env "[]"
#define ABSENT_tty ABSENT_str
// clang-format on

NOINLINE void json__cut(struct json_out *out, const struct cut_pairs *pairs, const struct ebpf_varlen *v)
{
    if (v->flags & EBPF_VARLEN_TRUNCATED && pairs->truncated) {
        ebpf_json__text(out, pairs->truncated);
        if (v->orig_len) {
            ebpf_json__text(out, pairs->length);
            ebpf_json__number(out, v->orig_len);
        }
    }
    if (v->flags & EBPF_VARLEN_UNREACHABLE && pairs->unreachable)
        ebpf_json__text(out, pairs->unreachable);
    if (v->flags & EBPF_VARLEN_DELETED && pairs->deleted)
        ebpf_json__text(out, pairs->deleted);
    if (v->flags & EBPF_VARLEN_UNSTABLE && pairs->unstable)
        ebpf_json__text(out, pairs->unstable);
    if (v->flags & EBPF_VARLEN_AMBIGUOUS && pairs->ambiguous)
        ebpf_json__text(out, pairs->ambiguous);
}

/*
 * An event, where in it the first field of each tag is, and what there is to say of fields that were written: that
 * comes after all rows, because the first keys of a line are fixed.
 */
struct view {
    const struct ebpf_event *event;
    uint64_t has; /* a bit for each tag of which there is a field */
    const struct ebpf_varlen *fields[EBPF_TAG_COUNT];
    struct {
        const struct cut_pairs *pairs;
        const struct ebpf_varlen *field;
    } cuts[EBPF_TAG_COUNT];
    size_t cut_count;
};

NOINLINE void json__cuts(struct json_out *out, const struct view *view)
{
    for (size_t i = 0; i < view->cut_count; i++)
        json__cut(out, view->cuts[i].pairs, view->cuts[i].field);
}

NOINLINE void view__note_cut(struct view *view, const struct cut_pairs *pairs, const struct ebpf_varlen *field)
{
    if (view->cut_count < EBPF_TAG_COUNT) {
        view->cuts[view->cut_count].pairs = pairs;
        view->cuts[view->cut_count++].field = field;
    }
}

_Static_assert(EBPF_TAG_COUNT <= 64, "struct view has no bit for the highest tag");

static bool view__has(const struct view *view, unsigned int tag)
{
    return view->has >> tag & 1;
}

static void view__init(struct view *view, const struct ebpf_event *event, size_t fixed_size)
{
    size_t off = fixed_size;
    const struct ebpf_varlen *v;

    view->event = event;
    view->cut_count = 0;
    view->has = 0;
    while ((v = record__varlen(event->hdr, event->size, off, &off))) {
        if (v->tag >= EBPF_TAG_COUNT || view__has(view, v->tag))
            continue;
        view->has |= UINT64_C(1) << v->tag;
        view->fields[v->tag] = v;
    }
}

_Static_assert(EBPF_COMM_LEN == 16, "write_comm looks at sixteen bytes");

NOINLINE char *write_comm_escaped(char *p, const char comm[EBPF_COMM_LEN], size_t len)
{
    struct json_out out = {.p = p, .end = p + 6 * EBPF_COMM_LEN, .readable = comm + EBPF_COMM_LEN};

    ebpf_json__escaped(&out, (struct slice){comm, len});
    return out.p;
}

/* The name up to its NUL, if it has one; each of its bytes may need six. */
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

/* The pairs that every event ends with. */
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
 * What repeats is not formatted again: its text is kept with the words that it was made of. Groups repeat: most
 * processes are in the host's namespaces and have the credentials of the one before, and a process seldom does one
 * thing only. So the last ones of each kind are kept, by a hash of their first words. A group with several numbers of
 * 64 bits, as the times and sizes of a file, differs every time; of such a one that is kept which follows upon REPEATS.
 *
 * The head of an event repeats as well, which is its fields up to the first one that differs every time, flag or
 * variable field. It is kept of events that come by the thousand; their ring tells which those are.
 */
enum {
#define ROW(kind, max, schema, doc) LONG_NUMBERS_##kind = max == NUMBER_DIGITS_MAX,
    JSON_SCALAR_KINDS(ROW)
#undef ROW
#define ENUM(name, doc) LONG_NUMBERS_##name = 0,
#define GROUP(name, doc) LONG_NUMBERS_##name = 0
#define END_GROUP(name) ,
#define EVENT(id, NAME, name, option, ring, doc) LONG_NUMBERS_##name = 0
#define END_EVENT(name) ,
#define FIELD(kind, name, key, doc) +LONG_NUMBERS_##kind
#include "Events.def"
};

#define DIFFERS(kind) (LONG_NUMBERS_##kind > 1)

#define KEPT_BITS 2 /* of places for each kind of group */

/* How many bytes behind its header the head of an event has; a constant to the compiler. */
// clang-format off
#define EVENT(id, NAME, name, option, ring, doc)                                                                       \
    JSON_INLINE size_t head_size_##name(void)                                                                          \
    {                                                                                                                  \
        bool in_head = EBPF_RING_##ring == EBPF_RING_BULK;                                                             \
        size_t size = 0;
#define GROUP(name, doc)                                                                                               \
    UNUSED JSON_INLINE size_t head_size_##name(void)                                                                   \
    {                                                                                                                  \
        bool in_head = false;                                                                                          \
        size_t size = 0;
#define END_GROUP(name)                                                                                                \
        return size;                                                                                                   \
    }
#define FIELD(kind, name, key, doc)                                                                                    \
        in_head = in_head && !DIFFERS(kind);                                                                           \
        size += in_head ? sizeof(EBPF_KIND_##kind) : 0;
#define FIELD_IF(kind, name, key, FLAG_NAME, doc) in_head = false;
#define FLAG(NAME, bit, key, doc) in_head = false;
#define VARLEN(NAME, doc) in_head = false;
#define OPTIONAL(NAME, doc) in_head = false;
#define END_EVENT(name)                                                                                                \
        return size % 8 || size > 8 * KEPT_WORDS ? 0 : size;                                                           \
    }
#include "Events.def"
// clang-format on

/*
 * The most that the rows of an event take, less its variable values, of which a byte takes six, or twice that where it
 * is written twice. Where as much fits, no row has to look whether it does.
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
 * event. A group has a bound, so its members are written where `p` is. So are those of an event if it `is_roomy`, else
 * `out` tells where. `part` is what is kept of the head of an event or of the end of a group, from `begin` on, and
 * `is_kept` is true within a head that was copied.
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
    UNUSED JSON_INLINE char *write_new_##name(char *p, const struct ebpf_##name *e)                                    \
    {                                                                                                                  \
        struct json_out *const out = NULL;                                                                             \
        const bool is_roomy = true;                                                                                    \
        struct text_kept *part = NULL;                                                                                 \
        const char *begin = NULL, *of = NULL;                                                                          \
        size_t part_size = 0;                                                                                          \
        bool is_kept = false;                                                                                          \
                                                                                                                       \
        *p++ = '{';
#define REPEATS(group, member)                                                                                         \
        static _Thread_local struct text_kept ends[1 << KEPT_BITS];                                                    \
                                                                                                                       \
        of = (const char *)&e->member;                                                                                 \
        part_size = sizeof(*e) - offsetof(struct ebpf_##group, member);                                                \
        _Static_assert(sizeof(*e) - offsetof(struct ebpf_##group, member) <= sizeof(ends->of), "too many words");      \
        part = *THREADS_OWN(ends) + word__place(load_word(of + part_size - 8), KEPT_BITS);                             \
        if (text_kept__is(part, of, part_size))                                                                        \
            return write_raw(p, part->text, part->len);                                                                \
        begin = p;
#define END_GROUP(name)                                                                                                \
        p = write_close(p, '}');                                                                                       \
        if (part)                                                                                                      \
            text_kept__set(part, of, part_size, begin, (size_t)(p - begin));                                           \
        return p;                                                                                                      \
    }                                                                                                                  \
    UNUSED NOINLINE char *keep_##name(char *p, const struct ebpf_##name *e, struct text_kept *kept)                    \
    {                                                                                                                  \
        char *end = write_new_##name(p, e);                                                                            \
                                                                                                                       \
        text_kept__set(kept, e, sizeof(*e), p, (size_t)(end - p));                                                     \
        return end;                                                                                                    \
    }                                                                                                                  \
    UNUSED NOINLINE char *write_##name(char *p, const struct ebpf_##name *e)                                           \
    {                                                                                                                  \
        static _Thread_local struct text_kept groups[1 << KEPT_BITS];                                                  \
                                                                                                                       \
        if (DIFFERS(name) || sizeof(*e) % 8 || sizeof(*e) > sizeof(groups->of))                                        \
            return write_new_##name(p, e);                                                                             \
        struct text_kept *kept = *THREADS_OWN(groups) + word__place(load_word((const char *)e), KEPT_BITS);            \
                                                                                                                       \
        if (!text_kept__is(kept, e, sizeof(*e)))                                                                       \
            return keep_##name(p, e, kept);                                                                            \
        return write_raw(p, kept->text, kept->len);                                                                    \
    }
#define EVENT(id, NAME, name, option, ring, doc)                                                                       \
    JSON_INLINE void json__rows_of_##name(struct json_out *out, struct view *view, const bool is_roomy)                \
    {                                                                                                                  \
        static _Thread_local struct text_kept head;                                                                    \
        const struct ebpf_##name##_event *e = (const void *)view->event->hdr;                                          \
        const size_t part_size = is_roomy ? head_size_##name() : 0;                                                    \
        struct text_kept *part = part_size ? THREADS_OWN(head) : NULL;                                                 \
        const char *of = (const char *)(&e->hdr + 1), *begin = out->p;                                                 \
        bool is_kept = part && text_kept__is(part, of, part_size);                                                     \
        char *p = out->p;                                                                                              \
                                                                                                                       \
        if (is_kept)                                                                                                   \
            p = write_raw(p, part->text, part->len);                                                                   \
        else                                                                                                           \
            LITERAL("{\"event_type\":\"" #NAME "\",");
#define HEAD_ENDS                                                                                                      \
        if (part && !is_kept)                                                                                          \
            text_kept__set(part, of, part_size, begin, (size_t)(p - begin));                                           \
        part = NULL;                                                                                                   \
        is_kept = false;
#define FIELD(kind, name, key, doc)                                                                                    \
        if (out && DIFFERS(kind)) {                                                                                    \
            HEAD_ENDS                                                                                                  \
        }                                                                                                              \
        if (sizeof(key) > 1 && !is_kept) {                                                                             \
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
        (void)e, (void)is_kept;                                                                                        \
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

/* Keys of an executed program that are always there in lines for consumers of Elastic's program. */
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
