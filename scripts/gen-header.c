// SPDX-License-Identifier: BSD-2-Clause
/*
 * gen-header.c - prints the public header as it is installed: EbpfEvents.h, in which the wire format stands as plain
 * enums and structs with the documentation of each member.
 *
 *   gen-header EbpfEvents.h EbpfEventProto.h
 *
 * From the second come the parts that do not follow from Events.def.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "EbpfEventProto.h"

#define COLUMNS 120
#define LINE_MAX_BYTES 4096

enum row_kind {
    ROW_RING,
    ROW_REASON,
    ROW_TAG,
    ROW_ENUM,
    ROW_VALUE,
    ROW_GROUP,
    ROW_END_GROUP,
    ROW_EVENT,
    ROW_FIELD,
    ROW_FIELD_IF,
    ROW_FLAG,
    ROW_VARLEN,
    ROW_OPTIONAL,
    ROW_END_EVENT,
};

/* A row of Events.def. */
struct row {
    enum row_kind kind;
    int number;       /* id or bit */
    const char *name; /* as C has it */
    const char *of;   /* type of a member, kind of a variable field */
    const char *flag; /* that a member depends on, or "" */
    const char *doc;
    const char *values; /* enum of a member's values, if there is one of that name */
};

#define TEXT(expanded) TEXT_(expanded)
#define TEXT_(text) #text

static const struct row rows[] = {
#define RING(id, NAME, doc) {ROW_RING, id, "EBPF_RING_" #NAME, "", "", doc, ""},
#define REASON(id, NAME, key, doc) {ROW_REASON, id, "EBPF_REASON_" #NAME, "", "", doc, ""},
#define TAG(id, NAME, kind, key) {ROW_TAG, id, "EBPF_TAG_" #NAME, #kind, "", key, ""},
#define ENUM(name, doc) {ROW_ENUM, 0, "ebpf_" #name, "", "", doc, ""},
#define VALUE(id, NAME, text, doc) {ROW_VALUE, id, "EBPF_" #NAME, "", "", doc, ""},
#define GROUP(name, doc) {ROW_GROUP, 0, "ebpf_" #name, "", "", doc, ""},
#define END_GROUP(name) {ROW_END_GROUP, 0, "", "", "", "", ""},
#define EVENT(id, NAME, name, option, ring, doc)                                                                       \
    {ROW_EVENT, id, "EBPF_EVENT_" #NAME, "ebpf_" #name "_event", "", doc, ""},
#define FIELD(kind, name, key, doc) {ROW_FIELD, 0, #name, TEXT(EBPF_KIND_##kind), "", doc, "ebpf_" #kind},
#define FIELD_IF(kind, name, key, FLAG, doc)                                                                           \
    {ROW_FIELD_IF, 0, #name, TEXT(EBPF_KIND_##kind), "EBPF_" #FLAG, doc, "ebpf_" #kind},
#define FLAG(NAME, bit, key, doc) {ROW_FLAG, bit, "EBPF_" #NAME, "", "", doc, ""},
#define VARLEN(TAG, doc) {ROW_VARLEN, 0, "EBPF_TAG_" #TAG, "", "", doc, ""},
#define OPTIONAL(TAG, doc) {ROW_OPTIONAL, 0, "EBPF_TAG_" #TAG, "", "", doc, ""},
#define END_EVENT(name) {ROW_END_EVENT, 0, "", "", "", "", ""},
#include "Events.def"
};

/* How to read the value of a variable field, by its kind; Events.def describes them for those who add one. */
static const struct {
    const char *name, *doc;
} kinds[] = {
    {"str", "bytes as the kernel has them, without a NUL at the end"},
    {"path", "components, leaf first, each ended by a NUL; ebpf_field__path turns them into a path"},
    {"args", "strings, each ended by a NUL; the last one lacks it if it was cut. The JSON has them twice: joined by "
             "spaces, and as an array, \"args\""},
    {"env", "strings, each ended by a NUL, as for args; an array in the JSON"},
    {"tty", "bytes as they were written; tty_out_truncated counts those that were cut"},
};

static const struct row *const rows_end = rows + sizeof(rows) / sizeof(*rows);

/* Print text with the names of integers that other programs know: the probes' own stand in for <stdint.h>. */
static void put(const char *text)
{
    static const char *const names[][2] = {{"ebpf_u8", "uint8_t"},   {"ebpf_u16", "uint16_t"}, {"ebpf_u32", "uint32_t"},
                                           {"ebpf_u64", "uint64_t"}, {"ebpf_s32", "int32_t"},  {"ebpf_s64", "int64_t"}};

    while (*text) {
        size_t i = 0;

        while (i < sizeof(names) / sizeof(*names) && strncmp(text, names[i][0], strlen(names[i][0])))
            i++;
        if (i < sizeof(names) / sizeof(*names)) {
            fputs(names[i][1], stdout);
            text += strlen(names[i][0]);
        } else {
            putchar(*text++);
        }
    }
}

/* Print words between `begin` and `end`, each line but the first beginning with `next`. */
static void put_wrapped(const char *begin, const char *next, const char *words, const char *end)
{
    size_t column = strlen(begin);

    fputs(begin, stdout);
    while (*words) {
        size_t len = strcspn(words, " ");

        if (column + 1 + len + strlen(end) > COLUMNS) {
            printf("\n%s", next);
            column = strlen(next);
        }
        printf(" %.*s", (int)len, words);
        column += 1 + len;
        words += len + (words[len] == ' ');
    }
    printf("%s\n", end);
}

/* Print a member or an enumerator, with its comment behind it, or before it where that is too long. */
static void put_documented(const char *doc, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (strlen(line) + strlen(doc) + strlen("     /**<  */") <= COLUMNS) {
        strcat(line, " /**< ");
        strcat(line, doc);
        strcat(line, " */");
    } else {
        put_wrapped("    /**", "     *", doc, " */");
    }
    printf("    ");
    put(line);
    putchar('\n');
}

/* Fail if there is no text about a kind of variable fields. */
static void kind__check(const char *kind)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (!strcmp(kinds[i].name, kind))
            return;
    }
    fprintf(stderr, "gen-header: kinds[] has no text about the kind %s\n", kind);
    exit(1);
}

/* Print the comment of the enum of variable fields: what the bytes of a value are. */
static void put_tags_comment(void)
{
    char text[LINE_MAX_BYTES];

    printf("/**\n * Variable fields, by their key in the JSON. The kind of a field says what its bytes are:\n");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        snprintf(text, sizeof(text), "- %s: %s", kinds[i].name, kinds[i].doc);
        put_wrapped(" *", " *  ", text, "");
    }
    printf(" */\n");
}

/* Print an enum of all rows of a kind. It has no count of them: a later library has more. */
static void put_enum(enum row_kind kind, const char *name, const char *doc)
{
    if (kind == ROW_TAG)
        put_tags_comment();
    else
        printf("/** %s. */\n", doc);
    printf("enum %s {\n", name);
    for (const struct row *row = rows; row < rows_end; row++) {
        char text[LINE_MAX_BYTES];

        if (row->kind != kind)
            continue;
        if (kind == ROW_TAG)
            kind__check(row->of);
        snprintf(text, sizeof(text), kind == ROW_TAG ? "\"%s\": a value of kind %s" : "%s", row->doc, row->of);
        put_documented(text, kind == ROW_FLAG ? "%s = 1u << %d," : "%s = %d,", row->name, row->number);
    }
    printf("};\n\n");
}

static void put_value_enums(void)
{
    for (const struct row *row = rows; row < rows_end; row++) {
        if (row->kind != ROW_ENUM)
            continue;
        printf("/** Values of a member: %s. */\nenum %s {\n", row->doc, row->name);
        while (row + 1 < rows_end && row[1].kind == ROW_VALUE) {
            row++;
            put_documented(row->doc, "%s = %d,", row->name, row->number);
        }
        printf("};\n\n");
    }
}

/* Print the comment of an event: what it is, and its variable fields. */
static void put_event_comment(const struct row *event)
{
    char text[LINE_MAX_BYTES];

    printf("/**\n");
    snprintf(text, sizeof(text), "%s: %s.", event->name, event->doc);
    put_wrapped(" *", " *", text, "");
    for (const struct row *row = event; row->kind != ROW_END_EVENT; row++) {
        if (row->kind != ROW_VARLEN && row->kind != ROW_OPTIONAL)
            continue;
        snprintf(text, sizeof(text), "- %s%s: %s", row->name, row->kind == ROW_OPTIONAL ? " (optional)" : "", row->doc);
        put_wrapped(" *", " *  ", text, "");
    }
    printf(" */\n");
}

/* Print a member, with the enum of its values and the flag that it depends on. */
static void put_member(const struct row *member)
{
    char doc[LINE_MAX_BYTES];
    const char *values = "";

    for (const struct row *row = rows; row < rows_end; row++) {
        if (row->kind == ROW_ENUM && !strcmp(row->name, member->values))
            values = row->name;
    }
    snprintf(doc, sizeof(doc), "%s%s%s%s%s%s", member->doc, *values ? "; enum " : "", values,
             *member->flag ? "; if " : "", member->flag, *member->flag ? " is set" : "");
    put_documented(doc, "%s %s;", member->of, member->name);
}

static void put_structs(void)
{
    for (const struct row *row = rows; row < rows_end; row++) {
        char doc[LINE_MAX_BYTES];

        switch (row->kind) {
        case ROW_GROUP:
            snprintf(doc, sizeof(doc), "%c%s.", toupper((unsigned char)row->doc[0]), row->doc + 1);
            put_wrapped("/**", " *", doc, " */");
            printf("struct %s {\n", row->name);
            break;
        case ROW_EVENT:
            put_event_comment(row);
            printf("struct %s {\n    struct ebpf_event_header hdr; /**< what every event begins with */\n", row->of);
            break;
        case ROW_FIELD:
        case ROW_FIELD_IF:
            put_member(row);
            break;
        case ROW_END_GROUP:
        case ROW_END_EVENT:
            printf("};\n\n");
            break;
        default:
            break;
        }
    }
}

static char *file__read(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;

    if (!file || getdelim(&text, &size, '\0', file) < 0) {
        fprintf(stderr, "gen-header: cannot read %s\n", path);
        exit(1);
    }
    fclose(file);
    return text;
}

/* Cut a text in two before `mark`, which it has to have; returns what begins there. */
static char *text__cut(char *text, const char *mark)
{
    char *at = strstr(text, mark);

    if (!at) {
        fprintf(stderr, "gen-header: there is no %s\n", mark);
        exit(1);
    }
    at[-1] = '\0';
    return at;
}

int main(int argc, char **argv)
{
    static const char include[] = "#include \"EbpfEventProto.h\"\n";

    if (argc != 3) {
        fprintf(stderr, "usage: gen-header EbpfEvents.h EbpfEventProto.h\n");
        return 2;
    }
    char *interface = file__read(argv[1]), *proto = file__read(argv[2]);
    char *rest = text__cut(interface, include) + strlen(include);
    char *limits = text__cut(proto, "#define EBPF_COMM_LEN");
    char *after_limits = text__cut(limits, "/* The embedding program");
    char *records = text__cut(after_limits, "/**\n * The beginning of every event");

    text__cut(records, "#define EBPF_KIND_u32");
    printf("%s\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n%s\n", interface, limits);
    put_enum(ROW_EVENT, "ebpf_event_type", "Types of events");
    put_enum(ROW_REASON, "ebpf_reason", "Why an event can be lost");
    put_enum(ROW_RING, "ebpf_ring", "Ring buffers");
    put_enum(ROW_TAG, "ebpf_tag", "");
    put_enum(ROW_FLAG, "ebpf_event_flag", "Flags in the header of an event, of its type");
    put_value_enums();
    put(records);
    put_structs();
    printf("#ifdef __cplusplus\n}\n#endif\n%s", rest);
    free(interface);
    free(proto);
    return 0;
}
