// SPDX-License-Identifier: BSD-2-Clause
/*
 * test-schema.c - rows, lines and the JSON Schema agree. Every event is made from its rows: each of its keys must be in
 * its line and in the schema, of the right type, and the line must have no other.
 */
#include <stdlib.h>

#include "Stats.h"
#include "Json.h"
#include "check.h"
#include "json-check.h"
#include "record-build.h"

static struct record record;
static char line[LINE_MAX_BYTES];
static struct json_value schema;

/* A row, as the line should show it. */
struct row {
    const char *key, *kind; /* kind: of a scalar, the name of a group, of a variable field, or "bool" */
    unsigned int tag;
    bool optional;
    unsigned int bit; /* of a flag */
    const char *flag; /* its name, or that of the flag that a member depends on */
};

struct rows {
    const char *name;
    enum ebpf_event_type type;
    const struct row *rows;
};

// clang-format off
#define GROUP(name, doc) static const struct row rows_##name[] = {
#define END_GROUP(name) {0}};
#define EVENT(id, NAME, name, option, ring, doc) static const struct row rows_##name[] = {
#define END_EVENT(name) {0}};
// clang-format on
#define FIELD(kind, name, key, doc) {key, #kind, 0, false, 0, NULL},
#define FIELD_IF(kind, name, key, FLAG_NAME, doc) {key, #kind, 0, true, 0, #FLAG_NAME},
#define FLAG(NAME, bit, key, doc) {key, "bool", 0, false, bit, #NAME},
#define VARLEN(NAME, doc) {NULL, NULL, EBPF_TAG_##NAME, false, 0, NULL},
#define OPTIONAL(NAME, doc) {NULL, NULL, EBPF_TAG_##NAME, true, 0, NULL},
#include "Events.def"

static const struct rows groups[] = {
#define GROUP(name, doc) {#name, 0, rows_##name},
#include "Events.def"
};

static const struct rows events[] = {
#define EVENT(id, NAME, name, option, ring, doc) {#NAME, EBPF_EVENT_##NAME, rows_##name},
#include "Events.def"
};

static const struct {
    const char *key, *kind;
} tags[EBPF_TAG_COUNT] = {
#define TAG(id, NAME, kind, key) [id] = {key, #kind},
#include "Events.def"
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct row *group_rows(const char *kind)
{
    for (size_t i = 0; i < COUNT(groups); i++) {
        if (!strcmp(groups[i].name, kind))
            return groups[i].rows;
    }
    return NULL;
}

static bool is_end(const struct row *row)
{
    return !row->key && !row->tag;
}

static const char *row_key(const struct row *row)
{
    return row->tag ? tags[row->tag].key : row->key;
}

static const char *row_kind(const struct row *row)
{
    return row->tag ? tags[row->tag].kind : row->kind;
}

/* Return the first character of a value of a scalar or variable kind, from its schema in the table of kinds. */
static char kind_first(const char *kind)
{
    static const struct {
        const char *kind, *schema;
    } kinds[] = {
#define ROW(kind, x, schema, doc) {#kind, schema},
        JSON_SCALAR_KINDS(ROW) JSON_VARIABLE_KINDS(ROW)
#undef ROW
#define ENUM(name, doc) {#name, "string"},
#include "Events.def"
    };

    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (!strcmp(kinds[i].kind, kind))
            return strstr(kinds[i].schema, "\"integer\"") ? '0' : strstr(kinds[i].schema, "\"array\"") ? '[' : '"';
    }
    return '?';
}

static bool value_is_of(struct json_value value, const char *kind)
{
    char first = value.text[0];

    if (!strcmp(kind, "bool"))
        return json_value__is(value, "true") || json_value__is(value, "false");
    if (group_rows(kind))
        return first == '{';
    return first == kind_first(kind) || (kind_first(kind) == '0' && (first == '-' || (first >= '0' && first <= '9')));
}

/* Return whether a key is that of a row, or one about the value of a row. */
static bool key_is_known(struct json_value key, const struct row *row)
{
    static const char *const suffixes[] = {"", "_truncated", "_length", "_unreachable", "_deleted", "_unstable"};
    char text[128];

    for (; !is_end(row); row++) {
        for (size_t i = 0; i < (row->tag ? COUNT(suffixes) : 1); i++) {
            snprintf(text, sizeof(text), "\"%s%s\"", row_key(row), suffixes[i]);
            if (json_value__is(key, text))
                return true;
        }
        if (row->tag && !strcmp(row_kind(row), "args") &&
            (json_value__is(key, "\"args\"") || json_value__is(key, "\"args_truncated\"")))
            return true;
    }
    return false;
}

/* Each row's key is in the object, in the order of the rows and of its kind, and nothing else except `extra` keys. */
static void check_object(struct json_value object, const struct row *rows, size_t extra)
{
    struct json_value key, value;
    size_t pos = 0, unknown = 0;
    const char *behind = object.text;

    for (const struct row *row = rows; !is_end(row); row++) {
        if (!*row_key(row))
            continue;
        if (!CHECK(json_value__get(object, row_key(row), &value))) {
            printf("    key %s in %.*s\n", row_key(row), (int)object.len, object.text);
            continue;
        }
        CHECK(value_is_of(value, row_kind(row)));
        CHECK(value.text > behind);
        behind = value.text;
        if (group_rows(row_kind(row)))
            check_object(value, group_rows(row_kind(row)), 0);
    }
    while (json_value__next_member(object, &pos, &key, &value))
        unknown += !key_is_known(key, rows);
    CHECK(unknown == extra);
}

static void add_fields(const struct row *rows, unsigned int flags)
{
    for (const struct row *row = rows; !is_end(row); row++) {
        if (row->tag)
            record__add(&record, row->tag, flags, flags ? 1000 : 0, "value", 5);
    }
}

/* Return the alternative of the schema for an event_type. */
static bool schema_of(const char *event_type, struct json_value *ret_schema)
{
    struct json_value one_of, properties, constant, value;
    size_t pos = 0;
    char text[128];

    snprintf(text, sizeof(text), "\"%s\"", event_type);
    if (!json_value__get(schema, "oneOf", &one_of))
        return false;
    while (json_value__next_item(one_of, &pos, ret_schema)) {
        if (!json_value__get(*ret_schema, "properties", &properties))
            return false;
        if (json_value__get(properties, "event_type", &constant) && json_value__get(constant, "const", &value) &&
            json_value__is(value, text))
            return true;
    }
    return false;
}

/* Every key of the object is in the schema, and every key that is required there is in the object. */
static void check_against_schema(struct json_value object, struct json_value object_schema)
{
    struct json_value properties, required, key, value, item;
    size_t pos = 0;
    char text[128];

    if (!CHECK(json_value__get(object_schema, "properties", &properties)) ||
        !CHECK(json_value__get(object_schema, "required", &required)))
        return;
    while (json_value__next_member(object, &pos, &key, &value)) {
        snprintf(text, sizeof(text), "%.*s", (int)key.len - 2, key.text + 1);
        if (!CHECK(json_value__get(properties, text, &item)))
            printf("    key %s\n", text);
        else
            CHECK(json_value__get(item, "const", &required) || json_value__get(item, "description", &required));
    }
    json_value__get(object_schema, "required", &required);
    for (pos = 0; json_value__next_item(required, &pos, &item);) {
        snprintf(text, sizeof(text), "%.*s", (int)item.len - 2, item.text + 1);
        CHECK(json_value__get(object, text, &value));
    }
}

/* Check the record's line, which must have the event's name. */
static bool line_of(const char *name, struct json_value *ret_object)
{
    struct json_value value;
    int len = record__json(&record, line, sizeof(line));
    char text[128];

    snprintf(text, sizeof(text), "\"%s\"", name);
    return CHECK(len > 0 && json_check__line(line, (size_t)len, ret_object)) &&
           CHECK(json_value__get(*ret_object, "event_type", &value) && json_value__is(value, text));
}

static void test_every_event(void)
{
    struct json_value object, object_schema;

    for (size_t i = 0; i < COUNT(events); i++) {
        if (!CHECK(schema_of(events[i].name, &object_schema)))
            continue;
        record__begin(&record, events[i].type);
        if (line_of(events[i].name, &object))
            check_against_schema(object, object_schema);
        add_fields(events[i].rows, 0);
        ((struct ebpf_event_header *)record.data)->flags = UINT16_MAX; /* every FIELD_IF is there */
        if (line_of(events[i].name, &object)) {
            check_object(object, events[i].rows, 5); /* event_type, comm, timestamp, ts_boot_ns, seq */
            check_against_schema(object, object_schema);
        }
        record__begin(&record, events[i].type);
        add_fields(events[i].rows, EBPF_VARLEN_TRUNCATED | EBPF_VARLEN_UNREACHABLE);
        if (line_of(events[i].name, &object))
            check_against_schema(object, object_schema);
    }
}

static bool row__is_flag(const struct row *row)
{
    return row->flag && !strcmp(row->kind, "bool");
}

/* Each flag of an event has a bit of its own, and a member depends on a flag of its own event. */
static void check_flags(const struct row *rows)
{
    unsigned int bits = 0;

    for (const struct row *row = rows; !is_end(row); row++) {
        bool is_found = !row->flag;

        if (row__is_flag(row)) {
            CHECK(row->bit < 16 && !(bits & 1u << row->bit));
            bits |= 1u << row->bit;
        }
        for (const struct row *flag = rows; !is_end(flag); flag++)
            is_found |= row__is_flag(flag) && row->flag && !strcmp(flag->flag, row->flag);
        CHECK(is_found);
    }
}

/* The reader and the filters take from every record what its first rows say: ids of the process, then the two ends. */
static void test_beginnings(void)
{
    for (size_t i = 0; i < COUNT(events); i++) {
        const struct row *rows = events[i].rows;

        CHECK(!strcmp(rows[0].kind, "pid_info") && !rows[0].optional);
        for (const struct row *row = rows; !is_end(row); row++)
            CHECK(!row->kind || strncmp(row->kind, "net_", 4) || (row == rows + 1 && !row->optional));
        check_flags(rows);
    }
}

static void test_groups_are_defined(void)
{
    struct json_value definitions, definition, properties, value;

    if (!CHECK(json_value__get(schema, "$defs", &definitions)))
        return;
    for (size_t i = 0; i < COUNT(groups); i++) {
        if (!CHECK(json_value__get(definitions, groups[i].name, &definition)) ||
            !CHECK(json_value__get(definition, "properties", &properties)))
            continue;
        for (const struct row *row = groups[i].rows; !is_end(row); row++)
            CHECK(json_value__get(properties, row->key, &value) == (*row->key != '\0'));
    }
}

static void test_loss_and_stats(void)
{
    struct loss loss = {.head.first_seq = 1};
    struct stats stats = {.head.records = 1};
    struct json_value object, object_schema;

    for (size_t i = 0; i < COUNT(events); i++) {
        stats.types[events[i].type].seen = 1;
        for (unsigned int reason = 0; reason < EBPF_REASON_COUNT; reason++)
            loss.counts[events[i].type][reason] = stats.types[events[i].type].lost[reason] = i + reason + 1;
    }
    int len = ebpf_loss__json(&loss.head, line, sizeof(line));

    if (CHECK(len > 0 && json_check__line(line, (size_t)len, &object)) &&
        CHECK(schema_of("EVENTS_LOST", &object_schema)))
        check_against_schema(object, object_schema);
    len = ebpf_over_budget__json(&(struct ebpf_over_budget){.lost = 1, .comm = "name"}, line, sizeof(line));
    if (CHECK(len > 0 && json_check__line(line, (size_t)len, &object)) &&
        CHECK(schema_of("EVENTS_OVER_BUDGET", &object_schema)))
        check_against_schema(object, object_schema);
    len = ebpf_stats__json(&stats.head, line, sizeof(line));
    if (CHECK(len > 0 && json_check__line(line, (size_t)len, &object)) && CHECK(schema_of("STATS", &object_schema)))
        check_against_schema(object, object_schema);
}

static void test_features_line(void)
{
    static const char features[] =
        "{\"probes_initialized\": true, \"features\": {\"bpf_tramp\": true, \"ipv6\": true, \"backend\": \"bpf\"}, "
        "\"event_type\": \"STARTED\"}";
    struct json_value object, object_schema;

    if (CHECK(json_check__line(features, sizeof(features) - 1, &object)) && CHECK(schema_of("STARTED", &object_schema)))
        check_against_schema(object, object_schema);
}

int main(void)
{
    const char *text = ebpf_schema__json();

    CHECK(text == ebpf_schema__json());
    if (!CHECK(json_check__line(text, strlen(text), &schema)))
        return check__report();
    CHECK(strstr(text, "\"$schema\":\"https://json-schema.org/draft/2020-12/schema\""));
    CHECK(strstr(text, "\"version\":\"" EBPF_EVENTS_VERSION "\""));
    test_every_event();
    test_beginnings();
    test_groups_are_defined();
    test_loss_and_stats();
    test_features_line();
    return check__report();
}
