// SPDX-License-Identifier: BSD-2-Clause
/*
 * Schema.c - the JSON Schema of the output, from the rows of Events.def.
 *
 * It is built when it is first asked for, which most programs never do. If two threads ask at once, both build it; the
 * texts are equal, and one of them is kept.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "Json.h"
#include "JsonText.h"

#define UNUSED __attribute__((unused))

/* A property; `schema` is what is between its braces, without the description. */
struct row {
    const char *key, *schema, *doc;
    unsigned int tag; /* of a variable field, whose key and schema it has */
    bool optional;
};

struct tag_info {
    const char *key, *schema;
    unsigned int says; /* enum json_says */
};

/* schema_<kind>, for scalars, groups and variable fields alike. */
#define ROW(kind, max, schema, doc) UNUSED static const char schema_##kind[] = schema;
JSON_SCALAR_KINDS(ROW)
#undef ROW
// clang-format off
#define ENUM(name, doc) UNUSED static const char schema_##name[] = "\"enum\":[\"UNKNOWN\""
#define VALUE(id, NAME, text, doc) ",\"" text "\""
#define END_ENUM(name) "]";
#include "Events.def"
// clang-format on
#define GROUP(name, doc) UNUSED static const char schema_##name[] = "\"$ref\":\"#/$defs/" #name "\"";
#include "Events.def"
static const char schema_bool[] = "\"type\":\"boolean\"";
static const char schema_true[] = "\"const\":true";
static const char schema_strings[] = "\"type\":\"array\",\"items\":{\"type\":\"string\"}";

enum {
#define ROW(kind, says, schema, doc) SAYS_##kind = (says),
    JSON_VARIABLE_KINDS(ROW)
#undef ROW
};

#define ROW(kind, says, schema, doc) UNUSED static const char schema_##kind[] = schema;
JSON_VARIABLE_KINDS(ROW)
#undef ROW

static const struct tag_info tags[EBPF_TAG_COUNT] = {
#define TAG(id, NAME, kind, key) [id] = {key, schema_##kind, SAYS_##kind},
#include "Events.def"
};

/* rows_<group> and rows_<event>, each ended by a row without a doc. */
// clang-format off
#define GROUP(name, doc) UNUSED static const struct row rows_##name[] = {
#define END_GROUP(name) {0}};
#define EVENT(id, NAME, name, option, ring, doc) static const struct row rows_##name[] = {
#define END_EVENT(name) {0}};
#define FIELD(kind, name, key, doc) {key, schema_##kind, doc, 0, false},
#define FIELD_IF(kind, name, key, FLAG_NAME, doc) {key, schema_##kind, doc, 0, true},
#define FLAG(NAME, bit, key, doc) {key, schema_bool, doc, 0, false},
#define VARLEN(NAME, doc) {NULL, NULL, doc, EBPF_TAG_##NAME, false},
#define OPTIONAL(NAME, doc) {NULL, NULL, doc, EBPF_TAG_##NAME, true},
#include "Events.def"


static const struct row common_rows[] = {
#define ROW(key, schema, type, doc) {key, schema, doc, 0, false},
    JSON_COMMON_KEYS(ROW)
    {0}
};

#define BY_TYPE(definition) "\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/" definition "\"}"

static const struct row lost_rows[] = {
    {"first_seq", schema_u64, "number that the first lost event would have had", 0, false},
    {"last_seq", schema_u64, "number that the last lost event would have had", 0, false},
    {"lost", BY_TYPE("lost"), "how many, by event_type", 0, false},
    {"total", schema_u64, "how many in all", 0, false},
    JSON_TIME_KEYS(ROW)
    {0}
};

static const struct row over_budget_rows[] = {
    {"pids", "\"$ref\":\"#/$defs/pid_info\"", "the process, and one of its threads that made an event too many", 0,
     false},
    {"uid", schema_u32, "its real user id", 0, false},
    {"lost", schema_u64, "events that it has lost, for the reason budget, since the last such record", 0, false},
    {"comm", "\"type\":\"string\"", "name of the thread", 0, false},
    JSON_TIME_KEYS(ROW)
    {0}
#undef ROW
};

static const struct row stats_rows[] = {
    {"records", schema_u64, "records read", 0, false},
    {"corrupt", "\"type\":\"integer\",\"minimum\":1", "of these, how many are no records: a fault of the probes", 0,
     true},
    {"events", BY_TYPE("stats"), "counts, by event_type", 0, false},
    {0}
};

static const struct row type_stats_rows[] = {
    {"seen", schema_u64, "times that the operation happened: delivered, filtered and lost together", 0, false},
    {"delivered", schema_u64, "events that were delivered", 0, false},
    {"filtered", schema_u64, "what this process or another reader did, and what the selection left out", 0, false},
    {"lost", "\"$ref\":\"#/$defs/lost\"", "events that were lost, by reason", 0, false},
    {0}
};

static const struct row reason_rows[] = {
#define REASON(id, NAME, key, doc) {key, "\"type\":\"integer\",\"minimum\":1", doc, 0, true},
#include "Events.def"
    {0}
};

static const struct row feature_rows[] = {
    {"bpf_tramp", schema_bool, "fentry and fexit programs can be attached", 0, false},
    {"ipv6", schema_bool, "the kernel has IPv6 and it is not disabled", 0, false},
    {"backend", "\"enum\":[\"bpf\",\"tracefs\"]", "where events come from", 0, false},
    {0}
};

static const struct row init_rows[] = {
    {"probes_initialized", schema_bool, "the probes are attached; no event precedes this line", 0, false},
    {"features", "\"$ref\":\"#/$defs/features\"", "what the kernel offers, and what is used", 0, false},
    {0}
};
// clang-format on

/* Write a property: its key with a suffix, its schema and its description. */
static void put_property(struct json_out *out, const char *key, const char *suffix, const char *schema, const char *doc)
{
    JSON_LITERAL(out, "\"");
    ebpf_json__text(out, key);
    ebpf_json__text(out, suffix);
    JSON_LITERAL(out, "\":{");
    ebpf_json__text(out, schema);
    JSON_LITERAL(out, ",\"description\":");
    ebpf_json__string(out, doc);
    JSON_LITERAL(out, "},");
}

/* Write a variable field with the further keys that it may have. */
static void put_variable(struct json_out *out, const struct row *row)
{
    const struct tag_info *tag = &tags[row->tag];

    put_property(out, tag->key, "", tag->schema, row->doc);
    if (tag->says & JSON_SAYS_ARGS)
        put_property(out, "args", "", schema_strings, "the arguments, one by one");
    if (tag->says & JSON_SAYS_CUT) {
        put_property(out, tag->key, "_truncated", schema_true, "the value was cut");
        put_property(out, tag->key, "_length", schema_u32, "bytes of the whole value, when they are known");
    }
    if (tag->says & JSON_SAYS_ARGS)
        put_property(out, "args", "_truncated", schema_true, "the value was cut");
    if (tag->says & JSON_SAYS_OF_PATH) {
        put_property(out, tag->key, "_unreachable", schema_true, "the path does not begin at the root of the process");
        put_property(out, tag->key, "_deleted", schema_true, "what the path names is no longer there");
        put_property(out, tag->key, "_unstable", schema_true, "renamed again and again while it was read");
        put_property(out, tag->key, "_ambiguous", schema_true, "one path of the file, which may not be the one used");
        put_property(out, tag->key, "_from_caller", schema_true, "as the caller gave it; links are not followed");
        put_property(out, tag->key, "_requested", schema_true, "of a request, which may have failed since");
    }
}

static void put_properties(struct json_out *out, const struct row *row)
{
    for (; row->doc; row++) {
        if (row->tag)
            put_variable(out, row);
        else if (*row->key)
            put_property(out, row->key, "", row->schema, row->doc);
    }
}

static void put_quoted(struct json_out *out, const char *text)
{
    ebpf_json__string(out, text);
    JSON_LITERAL(out, ",");
}

static void put_required(struct json_out *out, const struct row *row)
{
    for (; row->doc; row++) {
        const char *key = row->tag ? tags[row->tag].key : row->key;

        if (row->optional || !*key)
            continue;
        put_quoted(out, key);
        if (row->tag && tags[row->tag].says & JSON_SAYS_ARGS)
            put_quoted(out, "args");
    }
}

/* Write an object from one or two lists of rows; one that is a line of its own has an event_type, too. */
static void put_object(struct json_out *out, const char *event_type, const char *doc, const struct row *rows,
                       const struct row *more_rows)
{
    static const struct row none = {0};

    JSON_LITERAL(out, "{\"description\":");
    ebpf_json__string(out, doc);
    JSON_LITERAL(out, ",\"type\":\"object\",\"properties\":{");
    if (event_type) {
        JSON_LITERAL(out, "\"event_type\":{\"const\":");
        ebpf_json__string(out, event_type);
        JSON_LITERAL(out, "},");
    }
    put_properties(out, rows);
    put_properties(out, more_rows ? more_rows : &none);
    json__close(out, '}');
    JSON_LITERAL(out, "\"required\":[");
    if (event_type)
        put_quoted(out, "event_type");
    put_required(out, rows);
    put_required(out, more_rows ? more_rows : &none);
    json__close(out, ']');
    JSON_LITERAL(out, "\"additionalProperties\":true},");
}

static void put_definition(struct json_out *out, const char *name, const char *doc, const struct row *rows)
{
    ebpf_json__string(out, name);
    JSON_LITERAL(out, ":");
    put_object(out, NULL, doc, rows, NULL);
}

static void put_definitions(struct json_out *out)
{
    JSON_LITERAL(out, "\"$defs\":{");
#define GROUP(name, doc) put_definition(out, #name, doc, rows_##name);
#include "Events.def"
    put_definition(out, "lost", "events lost, by reason; only reasons that there were", reason_rows);
    put_definition(out, "stats", "counts of one event type", type_stats_rows);
    put_definition(out, "features", "what the kernel offers", feature_rows);
    json__close(out, '}');
}

static void put_schema(struct json_out *out)
{
    JSON_LITERAL(out, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
                      "\"$id\":\"urn:ebpf-events:" EBPF_EVENTS_VERSION "\","
                      "\"title\":\"Events of EventsTrace, one line\","
                      "\"version\":\"" EBPF_EVENTS_VERSION "\",\"oneOf\":[");
#define EVENT(id, NAME, name, option, ring, doc) put_object(out, #NAME, doc, rows_##name, common_rows);
#include "Events.def"
    put_object(out, "EVENTS_LOST", "events were lost here", lost_rows, NULL);
    put_object(out, "EVENTS_OVER_BUDGET", "the process that lost most events for exceeding its budget",
               over_budget_rows, NULL);
    put_object(out, "STATS", "counts since the start", stats_rows, NULL);
    put_object(out, "STARTED", "the probes are attached", init_rows, NULL);
    json__close(out, ']');
    put_definitions(out);
    json__close(out, '}');
}

/* Build the text, for the caller to free; NULL without memory. The buffer is doubled until the text fits. */
static char *schema__build(void)
{
    for (size_t size = 65536;; size *= 2) {
        char *text = malloc(size);

        if (!text)
            return NULL;
        struct json_out out = {.p = text, .end = text + size};

        put_schema(&out);
        if (!out.full) {
            out.p[-1] = '\0';
            return text;
        }
        free(text);
    }
}

const char *ebpf_schema__json(void)
{
    static _Atomic(char *) schema;
    char *text = atomic_load(&schema), *none = NULL;

    if (text)
        return text;
    text = schema__build();
    if (!text) {
        errno = ENOMEM;
        return NULL;
    }
    if (atomic_compare_exchange_strong(&schema, &none, text))
        return text;
    free(text);
    return none;
}
