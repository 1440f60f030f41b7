// SPDX-License-Identifier: BSD-2-Clause
/*
 * gen-events-doc.c - print what the manuals say of the rows of Events.def.
 *
 *   gen-events-doc                 docs/events.md: how to read the stream, and all rows as tables
 *   gen-events-doc table CLASS     events whose options begin with that word, as rows of a table in Markdown
 *   gen-events-doc ours            the events that Elastic's EventsTrace does not have, as a list in Markdown
 *   gen-events-doc man             the events as a list in mdoc(7)
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "EbpfEvents.h"
#include "Json.h"

/* Classes of events, in the order in which they are printed. */
static const char *const classes[] = {"process-", "file-", "net-"};

#define CLASS_COUNT (sizeof(classes) / sizeof(*classes))

static const char reading[] =
    "<!-- SPDX-License-Identifier: BSD-2-Clause -->\n"
    "<!-- Generated from GPL/Events/Events.def by scripts/gen-events-doc.c: change that, not this. -->\n"
    "# Events\n"
    "\n"
    "## Reading the stream\n"
    "\n"
    "`EventsTrace` writes one JSON object (RFC 8259, UTF-8) a line and nothing else. `EventsTrace --schema` prints\n"
    "the contents of this page for programs: a JSON Schema (draft 2020-12).\n"
    "\n"
    "- `event_type` comes first and identifies the line. Skip lines whose `event_type` you do not know.\n"
    "- Keys may be added in later versions. None is renamed, dropped or changed in type.\n"
    "- A number of more than 53 bits is written in full. Read it with a parser that preserves integers, or do not\n"
    "  read it. Masks, where every bit counts, are strings of decimal digits.\n"
    "- Process ids are those of the initial pid namespace, user and group ids those of the initial user namespace.\n"
    "- With `--print-features-on-init`, the first line has `probes_initialized` (boolean), `features`, an object with\n"
    "  `bpf_tramp` and `ipv6` (booleans) and `backend` (`bpf` or `tracefs`: where events come from), and then the\n"
    "  `event_type` STARTED. Skip keys that you do not know there too.\n"
    "\n"
    "Every event has these keys, after its own:\n"
    "\n";

static const char strings[] =
    "\n"
    "## Strings\n"
    "\n"
    "Names, arguments, paths and terminal output are bytes, not text. Bytes that are well-formed UTF-8 (Unicode\n"
    "standard, table 3-7) become that text. Each byte that is not part of a well-formed sequence becomes one\n"
    "character, U+10F700 plus the byte, which is in U+10F780 to U+10F7FF. These characters are for private use; if\n"
    "the source itself contains one, each of its four bytes is written that way. So nothing is lost. In Python:\n"
    "\n"
    "```python\n"
    "def source_bytes(text):\n"
    "    \"\"\"Return the original bytes of a string of an event.\"\"\"\n"
    "    return b\"\".join(\n"
    "        bytes([ord(c) - 0x10F700]) if \"\\U0010F780\" <= c <= \"\\U0010F7FF\" else c.encode() for c in text\n"
    "    )\n"
    "```\n"
    "\n"
    "Characters that a terminal interprets rather than shows are escaped, as `\\u` and four digits, which any JSON\n"
    "parser undoes: controls (below U+0020, U+007F to U+009F), the separators U+2028 and U+2029, and the characters\n"
    "that change the direction of text (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069). So a line is\n"
    "harmless on a terminal; the output of `jq` is too, with `--ascii-output`.\n"
    "\n"
    "A path begins with `/`, and is the path as the process sees it. A path that does not begin with `/` is either\n"
    "cut or a name that is in no directory, such as `memfd:name`. `argv` is for reading: its arguments are joined by\n"
    "spaces, and an argument may contain spaces. `args` has them one by one. `\"\"` and `[]` mean that there is no\n"
    "value.\n"
    "\n"
    "## Truncated and uncertain values\n"
    "\n"
    "| key | type | meaning |\n"
    "|---|---|---|\n"
    "| `<key>_truncated` | `true` | the value of `<key>` was cut: a path at its beginning, any other at its end |\n"
    "| `<key>_length` | number | bytes of the complete value, if it was cut and they are known |\n"
    "| `<key>_unreachable` | `true` | the path begins at a directory that is not the root of the process |\n"
    "| `<key>_deleted` | `true` | the path names something that has been deleted |\n"
    "| `<key>_unstable` | `true` | the path was renamed repeatedly while it was read, and may be mixed |\n"
    "| `<key>_ambiguous` | `true` | several mounts lead to the file, and another one may have been used |\n"
    "| `<key>_from_caller` | `true` | the path is the caller's, made absolute; links in it are not followed |\n"
    "| `<key>_requested` | `true` | the path is that of a request to io_uring, which may have failed since |\n"
    "\n"
    "These keys are present only if they apply. `args` is cut with `argv` and has `args_truncated`.\n"
    "`PROCESS_TTY_WRITE` always has `tty_out_truncated`: the number of bytes that were written but are not in\n"
    "`tty_out`.\n"
    "\n"
    "On a file system that others change as well (NFS, FUSE), or that is stacked on others (overlayfs), a file counts\n"
    "as deleted if this kernel has deleted it, or knows no more names of it. The path of an `O_TMPFILE` that has got\n"
    "a name remains `#` and a number, which is in no directory, and is `_deleted`; so is, on these file systems, a\n"
    "file whose name begins with `#` and a digit, if the kernel has dropped that name, as it does when it is in\n"
    "doubt about it.\n";

static const char lost[] =
    "\n"
    "## Losses and counts\n"
    "\n"
    "An event that could not be delivered is counted, by type and reason, and reported in the stream where it is\n"
    "missing. `seq` numbers events and losses alike: a gap in it is as long as the losses that the line `EVENTS_LOST`\n"
    "reports. For each event type, once everything has been read: `seen` = `delivered` + `filtered` + the sum of\n"
    "`lost`.\n"
    "\n"
    "### EVENTS_LOST\n"
    "\n"
    "| key | type | meaning |\n"
    "|---|---|---|\n"
    "| `first_seq`, `last_seq` | number | first and last of the numbers that the lost events would have had |\n"
    "| `lost` | object | for each event type with losses: an object, reason to number |\n"
    "| `total` | number | number of losses in all |\n";

static const char over_budget[] =
    "\n"
    "### EVENTS_OVER_BUDGET\n"
    "\n"
    "`--budget N` limits a process to N events per second of those that any user can make at will and that share a\n"
    "ring with execs:\n"
    "\n";

static const char over_budget_end[] =
    "\n"
    "All processes of a user together, except root's, can make 16 times as many. The threads of a process share its\n"
    "budget, a new process has its own, and other processes do not reduce it. Further events are lost for the reason\n"
    "`budget`, and so are events that depend on them: the `PROCESS_EXIT` of a process whose `PROCESS_FORK` is lost\n"
    "and that executed nothing, and the `NETWORK_CONNECTION_FAILED` and `NETWORK_CONNECTION_CLOSED` of an attempt\n"
    "that is lost.\n"
    "\n"
    "At most once a second, this line names the process that lost most. It has no `seq`.\n"
    "\n"
    "| key | type | meaning |\n"
    "|---|---|---|\n"
    "| `pids` | object [pid_info](#pid_info) | the process, and one of its threads that exceeded the budget |\n"
    "| `uid` | number | its real user id |\n"
    "| `lost` | number | events beyond the budget since the previous such line, without those that depend on them |\n"
    "| `comm` | string | name of the thread |\n";

static const char stats[] =
    "\n"
    "### STATS\n"
    "\n"
    "Written to standard error, at the end and, with `--stats`, every second.\n"
    "\n"
    "| key | type | meaning |\n"
    "|---|---|---|\n"
    "| `records` | number | records read from the kernel |\n"
    "| `corrupt` | number | records of these that were invalid; present only if a bug in the probes made one |\n"
    "| `events` | object | for each event type that was seen: an object with the keys below |\n"
    "| `events.<type>.seen` | number | number of operations that happened |\n"
    "| `events.<type>.delivered` | number | events that were delivered |\n"
    "| `events.<type>.filtered` | number | actions of tracers, and events that the selection or the format left out |\n"
    "| `events.<type>.lost` | object | reason to number; only reasons that occurred |\n"
    "\n"
    "### Reasons\n"
    "\n"
    "| reason | meaning |\n"
    "|---|---|\n";

static const char groups[] = "\n"
                             "## Shared objects\n";

static const char table_head[] = "\n"
                                 "| key | type | meaning |\n"
                                 "|---|---|---|\n";

/* type_<kind>: text of the type column. */
#define ROW(kind, x, schema, doc) __attribute__((unused)) static const char type_##kind[] = doc;
JSON_SCALAR_KINDS(ROW)
JSON_VARIABLE_KINDS(ROW)
#undef ROW
#define ENUM(name, doc) __attribute__((unused)) static const char type_##name[] = "string [" #name "](#" #name ")";
#define GROUP(name, doc) __attribute__((unused)) static const char type_##name[] = "object [" #name "](#" #name ")";
#include "Events.def"
static const char type_bool[] = "boolean";

static const struct {
    const char *key, *type;
} tags[EBPF_TAG_COUNT] = {
#define TAG(id, NAME, kind, key) [id] = {key, type_##kind},
#include "Events.def"
};

/* Print the text of a table cell, with bars escaped, which would end the cell. */
static void print_text(const char *text)
{
    for (; *text; text++)
        printf(*text == '|' ? "\\|" : "%c", *text);
}

static void print_row(const char *key, const char *type, const char *doc, const char *note)
{
    if (!*key)
        return;
    printf("| `%s` | %s | ", key, type);
    print_text(doc);
    printf("%s |\n", note);
}

/* Print a heading, and `doc` as a sentence. */
static void print_title(const char *name, const char *doc)
{
    printf("\n### %s\n\n%c", name, toupper((unsigned char)doc[0]));
    print_text(doc + 1);
    printf(".\n");
}

/* The texts of NOTE rows, by event. */
enum {
#define EVENT(id, NAME, name, option, ring, doc) id_##name = id,
#include "Events.def"
};
static const char *const notes[EBPF_EVENT_TYPE_COUNT] = {
#define NOTE(name, text) [id_##name] = text,
#include "Events.def"
};

static void print_groups(void)
{
    fputs(groups, stdout);
#define GROUP(name, doc)                                                                                               \
    print_title(#name, doc);                                                                                           \
    fputs(table_head, stdout);
#define FIELD(kind, name, key, doc) print_row(key, type_##kind, doc, "");
#define EVENT(id, NAME, name, option, ring, doc) if (0) {
#define END_EVENT(name) }
#include "Events.def"
}

static void print_enums(void)
{
    printf("\n## Enumerations\n");
#define ENUM(name, doc)                                                                                                \
    print_title(#name, doc);                                                                                           \
    printf("\n| value | meaning |\n|---|---|\n");
#define VALUE(id, NAME, text, doc) printf("| `%s` | %s |\n", text, doc);
#include "Events.def"
}

/* Return whether an event is of a class, which its option begins with. */
static bool option__is_of(const char *option, const char *class)
{
    return !strncmp(option, class, strlen(class));
}

static void print_events_of(const char *class)
{
#define GROUP(name, doc) if (0) {
#define END_GROUP(name) }
#define EVENT(id, NAME, name, option, ring, doc)                                                                       \
    if (option__is_of(option, class)) {                                                                                \
        print_title(#NAME, doc);                                                                                       \
        if (notes[id])                                                                                                 \
            printf("%s\n", notes[id]);                                                                                 \
        printf("\nOption `--%s`, ring `%s`.\n%s", option, #ring, table_head);
#define END_EVENT(name) }
#define FIELD(kind, name, key, doc) print_row(key, type_##kind, doc, "");
#define FIELD_IF(kind, name, key, FLAG_NAME, doc) print_row(key, type_##kind, doc, " (not always there)");
#define FLAG(NAME, bit, key, doc) print_row(key, type_bool, doc, "");
#define VARLEN(NAME, doc) print_row(tags[EBPF_TAG_##NAME].key, tags[EBPF_TAG_##NAME].type, doc, "");
#define OPTIONAL(NAME, doc)                                                                                            \
    print_row(tags[EBPF_TAG_##NAME].key, tags[EBPF_TAG_##NAME].type, doc, " (not always there)");
#include "Events.def"
}

static void print_events(void)
{
    printf("\n## Events\n");
    for (size_t i = 0; i < CLASS_COUNT; i++)
        print_events_of(classes[i]);
}

static void print_rings(void)
{
    printf("\n### Rings\n\n"
           "Records are in one of these until they are read; a flood in one takes no room in another.\n"
           "While one is more than half full, a user other than root may put in half of the rest.\n\n"
           "| ring | contents |\n|---|---|\n");
#define RING(id, NAME, doc) printf("| `%s` | %s |\n", #NAME, doc);
#include "Events.def"
}

static void print_document(void)
{
    fputs(reading, stdout);
    printf("| key | type | meaning |\n|---|---|---|\n");
#define ROW(key, schema, type, doc) print_row(key, type, doc, "");
    JSON_COMMON_KEYS(ROW)
    fputs(strings, stdout);
    fputs(lost, stdout);
    JSON_TIME_KEYS(ROW)
    fputs(over_budget, stdout);
#define EVENT(id, NAME, name, option, ring, doc) __attribute__((unused)) static const char name_##name[] = #NAME;
#define BUDGETED(name, which) printf("- %s`%s`\n", which, name_##name);
#include "Events.def"
    fputs(over_budget_end, stdout);
    JSON_TIME_KEYS(ROW)
#undef ROW
    fputs(stats, stdout);
#define REASON(id, NAME, key, doc) printf("| `%s` | %s |\n", key, doc);
#include "Events.def"
    print_rings();
    print_groups();
    print_enums();
    print_events();
}

static void print_table(const char *class)
{
    printf("| option | event | meaning |\n|---|---|---|\n");
#define EVENT(id, NAME, name, option, ring, doc)                                                                       \
    if (option__is_of(option, class))                                                                                  \
        printf("| `--%s` | `%s` | %s |\n", option, #NAME, doc);
#include "Events.def"
}

/* Print the events that Elastic's program has neither under their type nor, as a failed attempt, under another one. */
static void print_ours(void)
{
#define EVENT(id, NAME, name, option, ring, doc)                                                                       \
    if (!ebpf_event_set__has(ebpf_event_set__elastic(), id) && id != EBPF_EVENT_NETWORK_CONNECTION_FAILED)             \
        printf("- `%s`: %s\n", #NAME, doc);
#include "Events.def"
}

/* Print sentences, a line each, as mdoc(7) has it. */
static void print_sentences(const char *text)
{
    for (const char *end; (end = strstr(text, ". ")); text = end + 2)
        printf("%.*s\n", (int)(end + 1 - text), text);
    printf("%s\n", text);
}

static void print_man_of(const char *class)
{
#define EVENT(id, NAME, name, option, ring, doc)                                                                       \
    if (option__is_of(option, class)) {                                                                                \
        printf(".It Fl -%s\n.Dv %s :\n%s.\n", option, #NAME, doc);                                                     \
        if (notes[id])                                                                                                 \
            print_sentences(notes[id]);                                                                                \
    }
#include "Events.def"
}

static void print_man(void)
{
    printf(".Bl -tag -width Ds\n");
    for (size_t i = 0; i < CLASS_COUNT; i++)
        print_man_of(classes[i]);
    printf(".El\n");
}

int main(int argc, char **argv)
{
    if (argc == 1)
        print_document();
    else if (argc == 3 && !strcmp(argv[1], "table"))
        print_table(argv[2]);
    else if (argc == 2 && !strcmp(argv[1], "ours"))
        print_ours();
    else if (argc == 2 && !strcmp(argv[1], "man"))
        print_man();
    else
        return fprintf(stderr, "usage: gen-events-doc [table CLASS|ours|man]\n"), 2;
    return 0;
}
