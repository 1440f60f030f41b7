// SPDX-License-Identifier: BSD-2-Clause
/*
 * Json.c - events, losses and counts as lines of JSON.
 *
 * The writer of each event is made from the rows of Events.def: its keys are literals that are copied, and nothing is
 * looked up or formatted by a template. This is the hot path of every consumer that wants text.
 */
#include "Json.h"

#include <errno.h>

#include "JsonText.h"

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
UNUSED JSON_INLINE char *write_octal(char *p, const ebpf_u32 *value)
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

/* write_<enum>: the name of a value, UNKNOWN of what is none. */
#define ENUM_TEXT_MAX 30
// clang-format off
#define ENUM(name, doc)                                                                                                \
    UNUSED static char *write_##name(char *p, const ebpf_u32 *value)                                                   \
    {                                                                                                                  \
        static const struct {                                                                                          \
            char text[ENUM_TEXT_MAX + 1];                                                                              \
            unsigned char len;                                                                                         \
        } texts[] = {{"\"UNKNOWN\"", sizeof("UNKNOWN") + 1},
#define VALUE(id, NAME, text, doc) [id] = {"\"" text "\"", sizeof(text) + 1},
#define END_ENUM(name)                                                                                                 \
        };                                                                                                             \
        size_t i = *value < sizeof(texts) / sizeof(*texts) && texts[*value].len ? *value : 0;                          \
                                                                                                                       \
        memcpy(p, texts[i].text, texts[i].len);                                                                        \
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
#define CUT_path(key) {CUT_PAIR(key), LENGTH_KEY(key), SAYS(key, "unreachable"), SAYS(key, "deleted"), \
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

static void view__init(struct view *view, const struct ebpf_event *event, size_t fixed_size)
{
    size_t off = fixed_size;
    const struct ebpf_varlen *v;

    view->event = event;
    view->cut_count = 0;
    memset(view->fields, 0, sizeof(view->fields));
    while ((v = record__varlen(event->hdr, event->size, off, &off))) {
        if (v->tag < EBPF_TAG_COUNT && !view->fields[v->tag])
            view->fields[v->tag] = v;
    }
}

_Static_assert(EBPF_COMM_LEN == 16, "write_comm looks at sixteen bytes");

/* The name up to its NUL, if it has one; each of its bytes may need six. */
static char *write_comm(char *p, const char comm[EBPF_COMM_LEN])
{
    uint64_t first = zero_bytes(load_word(comm)), second = zero_bytes(load_word(comm + 8));
    size_t len = first ? bytes_before(first) : second ? 8 + bytes_before(second) : EBPF_COMM_LEN;
    bytes16 bytes = load16(comm);

    if (all16(plain16(bytes))) {
        store16(p, bytes);
        return p + len;
    }
    struct json_out out = {.p = p, .end = p + 6 * EBPF_COMM_LEN, .readable = comm + EBPF_COMM_LEN};

    ebpf_json__escaped(&out, (struct slice){comm, len});
    return out.p;
}

/* The pairs that every event ends with. */
NOINLINE void json__common(struct json_out *out, const struct ebpf_event *event)
{
    enum { MAX = sizeof("\"comm\":\"\",\"seq\":},") + 6 * EBPF_COMM_LEN + JSON_TIMES_MAX + NUMBER_DIGITS_MAX };
    char spare[MAX + JSON_SLACK], *from = json__begin(out, MAX, spare), *p = from;

    p = WRITE_LITERAL(p, "\"comm\":\"");
    p = write_comm(p, event->hdr->comm);
    p = WRITE_LITERAL(p, "\",");
    p = ebpf_json__write_times(p, event->time_ns, event->hdr->ts_boot_ns);
    p = WRITE_LITERAL(p, "\"seq\":");
    p = write_number(p, event->seq);
    p = WRITE_LITERAL(p, "},");
    json__commit(out, from, p);
}

/*
 * Groups repeat: most processes are in the host's namespaces and have the credentials of the one before, and a process
 * seldom does one thing only. So the text of the last one is kept, unless the group has several numbers of 64 bits:
 * those are times and sizes of a file, and differ every time.
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

/* Memory of the same size, a multiple of 8. */
JSON_INLINE bool same_words(const void *a, const void *b, size_t size)
{
    for (size_t i = 0; i < size; i += 8) {
        if (load_word((const char *)a + i) != load_word((const char *)b + i))
            return false;
    }
    return true;
}

/*
 * The rows as code: json__tag_<TAG>() for each variable field, write_<group>() for each group, json__<event>() for each
 * event. A group has a bound, so its members are written where `p` is; in an event `out` tells where.
 */
// clang-format off
#define TAG(id, NAME, kind, key)                                                                                       \
    UNUSED static void json__absent_##NAME(struct json_out *out)                                                       \
    {                                                                                                                  \
        JSON_LITERAL(out, "\"" key "\":" ABSENT_##kind ",");                                                           \
    }                                                                                                                  \
    UNUSED NOINLINE void json__tag_##NAME(struct json_out *out, struct view *view, const struct ebpf_varlen *v)        \
    {                                                                                                                  \
        static const struct cut_pairs pairs = CUT_##kind(key);                                                         \
                                                                                                                       \
        JSON_LITERAL(out, "\"" key "\":");                                                                             \
        json__##kind(out, v);                                                                                          \
        JSON_LITERAL(out, ",");                                                                                        \
        if (v->flags)                                                                                                  \
            view__note_cut(view, &pairs, v);                                                                           \
    }
#define GROUP(name, doc)                                                                                               \
    UNUSED JSON_INLINE char *write_new_##name(char *p, const struct ebpf_##name *e)                                    \
    {                                                                                                                  \
        struct json_out *const out = NULL;                                                                             \
                                                                                                                       \
        *p++ = '{';
#define END_GROUP(name)                                                                                                \
        return write_close(p, '}');                                                                                    \
    }                                                                                                                  \
    UNUSED NOINLINE char *write_##name(char *p, const struct ebpf_##name *e)                                           \
    {                                                                                                                  \
        static _Thread_local struct {                                                                                  \
            struct ebpf_##name of;                                                                                     \
            size_t len;                                                                                                \
            char text[MAX_##name + JSON_SLACK];                                                                        \
        } last;                                                                                                        \
                                                                                                                       \
        if (LONG_NUMBERS_##name > 1 || sizeof(*e) % 8)                                                                 \
            return write_new_##name(p, e);                                                                             \
        if (last.len && same_words(&last.of, e, sizeof(*e)))                                                           \
            return write_raw(p, last.text, last.len);                                                                  \
        char *end = write_new_##name(p, e);                                                                            \
                                                                                                                       \
        last.of = *e;                                                                                                  \
        last.len = (size_t)(end - p);                                                                                  \
        memcpy(last.text, p, last.len);                                                                                \
        return end;                                                                                                    \
    }
#define EVENT(id, NAME, name, option, ring, doc)                                                                       \
    static void json__##name(struct json_out *out, struct view *view)                                                  \
    {                                                                                                                  \
        const struct ebpf_##name##_event *e = (const void *)view->event->hdr;                                          \
        char *p = NULL;                                                                                                \
                                                                                                                       \
        JSON_LITERAL(out, "{\"event_type\":\"" #NAME "\",");
#define FIELD(kind, name, key, doc)                                                                                    \
        if (sizeof(key) > 1) {                                                                                         \
            char spare[MAX_FIELD(kind, key) + JSON_SLACK];                                                             \
            char *from = out ? json__begin(out, MAX_FIELD(kind, key), spare) : p;                                      \
                                                                                                                       \
            p = WRITE_LITERAL(from, "\"" key "\":");                                                                   \
            p = write_##kind(p, &e->name);                                                                             \
            *p++ = ',';                                                                                                \
            if (out)                                                                                                   \
                json__commit(out, from, p);                                                                            \
        }
#define FIELD_IF(kind, name, key, FLAG_NAME, doc)                                                                      \
        if (e->hdr.flags & EBPF_##FLAG_NAME) {                                                                         \
            FIELD(kind, name, key, doc)                                                                                \
        }
#define FLAG(NAME, bit, key, doc)                                                                                      \
        if (sizeof(key) > 1 && e->hdr.flags & EBPF_##NAME)                                                             \
            JSON_LITERAL(out, "\"" key "\":true,");                                                                    \
        else if (sizeof(key) > 1)                                                                                      \
            JSON_LITERAL(out, "\"" key "\":false,");
#define VARLEN(NAME, doc)                                                                                              \
        if (view->fields[EBPF_TAG_##NAME])                                                                             \
            json__tag_##NAME(out, view, view->fields[EBPF_TAG_##NAME]);                                                \
        else                                                                                                           \
            json__absent_##NAME(out);
#define OPTIONAL(NAME, doc)                                                                                            \
        if (view->fields[EBPF_TAG_##NAME])                                                                             \
            json__tag_##NAME(out, view, view->fields[EBPF_TAG_##NAME]);
#define END_EVENT(name)                                                                                                \
        (void)e, (void)p;                                                                                              \
        json__cuts(out, view);                                                                                         \
        json__common(out, view->event);                                                                                \
    }
#include "Events.def"
// clang-format on

static void (*const writers[EBPF_EVENT_TYPE_COUNT])(struct json_out *out, struct view *view) = {
#define EVENT(id, NAME, name, option, ring, doc) [id] = json__##name,
#include "Events.def"
};

/* The comma behind the line's last bracket is where the NUL goes, so the buffer may be filled to its end. */
static int json_out__init(struct json_out *out, char *buf, size_t size)
{
    if (!size) {
        errno = ENOSPC;
        return -ENOSPC;
    }
    *out = (struct json_out){.p = buf, .end = buf + (size < INT32_MAX ? size : INT32_MAX)};
    return 0;
}

static int json_out__finish(struct json_out *out, char *buf)
{
    if (out->full) {
        *buf = '\0';
        errno = ENOSPC;
        return -ENOSPC;
    }
    *--out->p = '\0';
    return (int)(out->p - buf);
}

int ebpf_event__json(const struct ebpf_event *event, char *buf, size_t size)
{
    size_t fixed_size = ebpf_event_type__size(event->hdr->type);
    struct json_out out;
    struct view view;

    if (!fixed_size || event->size < fixed_size) {
        errno = EINVAL;
        return -EINVAL;
    }
    if (json_out__init(&out, buf, size))
        return -ENOSPC;
    out.readable = (const char *)event->hdr + event->size;
    view__init(&view, event, fixed_size);
    writers[event->hdr->type](&out, &view);
    return json_out__finish(&out, buf);
}

static void json__key(struct json_out *out, const char *key)
{
    JSON_LITERAL(out, "\"");
    ebpf_json__text(out, key);
    JSON_LITERAL(out, "\":");
}

/* The reasons that have lost something. Returns how much. */
static uint64_t json__reasons(struct json_out *out, const uint64_t counts[EBPF_REASON_COUNT])
{
    uint64_t total = 0;

    JSON_LITERAL(out, "{");
    for (unsigned int i = 0; i < EBPF_REASON_COUNT; i++) {
        if (!counts[i] || !ebpf_reason__key(i))
            continue;
        json__key(out, ebpf_reason__key(i));
        ebpf_json__number(out, counts[i]);
        total += counts[i];
    }
    json__close(out, '}');
    return total;
}

static bool any(const uint64_t *counts, size_t n)
{
    while (n && !counts[n - 1])
        n--;
    return n;
}

static void json__times(struct json_out *out, uint64_t time_ns, uint64_t ts_boot_ns)
{
    char spare[JSON_TIMES_MAX + JSON_SLACK], *from = json__begin(out, JSON_TIMES_MAX, spare);

    json__commit(out, from, ebpf_json__write_times(from, time_ns, ts_boot_ns));
}

int ebpf_loss__json(const struct ebpf_loss *loss, char *buf, size_t size)
{
    struct json_out out;
    uint64_t total = 0;

    if (json_out__init(&out, buf, size))
        return -ENOSPC;
    JSON_LITERAL(&out, "{\"event_type\":\"EVENTS_LOST\",\"first_seq\":");
    ebpf_json__number(&out, loss->first_seq);
    JSON_LITERAL(&out, "\"last_seq\":");
    ebpf_json__number(&out, loss->last_seq);
    JSON_LITERAL(&out, "\"lost\":{");
    for (unsigned int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
        if (!ebpf_event_type__name(type) || !any(loss->counts[type], EBPF_REASON_COUNT))
            continue;
        json__key(&out, ebpf_event_type__name(type));
        total += json__reasons(&out, loss->counts[type]);
    }
    json__close(&out, '}');
    JSON_LITERAL(&out, "\"total\":");
    ebpf_json__number(&out, total);
    json__times(&out, loss->time_ns, loss->ts_boot_ns);
    json__close(&out, '}');
    return json_out__finish(&out, buf);
}

static void json__type_stats(struct json_out *out, const struct ebpf_type_stats *stats)
{
    JSON_LITERAL(out, "{\"seen\":");
    ebpf_json__number(out, stats->seen);
    JSON_LITERAL(out, "\"delivered\":");
    ebpf_json__number(out, stats->delivered);
    JSON_LITERAL(out, "\"filtered\":");
    ebpf_json__number(out, stats->filtered);
    JSON_LITERAL(out, "\"lost\":");
    json__reasons(out, stats->lost);
    json__close(out, '}');
}

static bool type_stats__is_zero(const struct ebpf_type_stats *stats)
{
    return !stats->seen && !stats->delivered && !stats->filtered && !any(stats->lost, EBPF_REASON_COUNT);
}

int ebpf_stats__json(const struct ebpf_stats *stats, char *buf, size_t size)
{
    struct json_out out;

    if (json_out__init(&out, buf, size))
        return -ENOSPC;
    JSON_LITERAL(&out, "{\"event_type\":\"STATS\",\"records\":");
    ebpf_json__number(&out, stats->records);
    JSON_LITERAL(&out, "\"events\":{");
    for (unsigned int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
        if (!ebpf_event_type__name(type) || type_stats__is_zero(&stats->types[type]))
            continue;
        json__key(&out, ebpf_event_type__name(type));
        json__type_stats(&out, &stats->types[type]);
    }
    json__close(&out, '}');
    json__close(&out, '}');
    return json_out__finish(&out, buf);
}
