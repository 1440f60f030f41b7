// SPDX-License-Identifier: BSD-2-Clause
/* gen-events-doc.c - prints docs/events.md: the rows of Events.def in words, and how to read the stream. */
#include <ctype.h>
#include <stdio.h>

#include "EbpfEvents.h"
#include "Json.h"

static const char reading[] =
    "<!-- SPDX-License-Identifier: BSD-2-Clause -->\n"
    "<!-- Generated from GPL/Events/Events.def by scripts/gen-events-doc.c: change that, not this. -->\n"
    "# Events\n"
    "\n"
    "## Reading the stream\n"
    "\n"
    "`EventsTrace` writes one JSON object (RFC 8259, UTF-8) a line and nothing else. `EventsTrace --schema` prints\n"
    "the same as this page for programs: a JSON Schema (draft 2020-12).\n"
    "\n"
    "- `event_type` comes first and says what the line is. Skip lines whose `event_type` you do not know.\n"
    "- Keys may be added in later versions. None is renamed, dropped or changed in type.\n"
    "- A number of more than 53 bits is written in full. Read it with a parser that keeps integers whole, or do not\n"
    "  read it. Masks, where every bit counts, are strings of decimal digits.\n"
    "- Ids of processes are those of the initial pid namespace, ids of users and groups those of the initial user\n"
    "  namespace.\n"
    "- With `--print-features-on-init`, the first line has `probes_initialized` (boolean), `features`, an object with\n"
    "  `bpf_tramp` and `ipv6` (booleans), and then the `event_type` STARTED. Skip what you do not know there as well.\n"
    "\n"
    "These keys are in every event, behind its own:\n"
    "\n";

static const char strings[] =
    "\n"
    "## Strings\n"
    "\n"
    "Names, arguments, paths and what is written to a terminal are bytes, not text. Bytes that are well-formed UTF-8\n"
    "(Unicode standard, table 3-7) become that text. Each byte that is not part of a well-formed sequence becomes one\n"
    "character, U+10F700 plus the byte, which is in U+10F780 to U+10F7FF. These characters are for private use; where\n"
    "the source itself has one, each of its four bytes is written that way. So nothing is lost. In Python:\n"
    "\n"
    "```python\n"
    "def source_bytes(text):\n"
    "    \"\"\"The bytes that a string of an event had where it comes from.\"\"\"\n"
    "    return b\"\".join(\n"
    "        bytes([ord(c) - 0x10F700]) if \"\\U0010F780\" <= c <= \"\\U0010F7FF\" else c.encode() for c in text\n"
    "    )\n"
    "```\n"
    "\n"
    "What a terminal obeys rather than shows is escaped, as `\\u` and four digits, which any reader of JSON undoes:\n"
    "controls (below U+0020, U+007F to U+009F), the separators U+2028 and U+2029, and the characters that change the\n"
    "direction of text (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069). So a line is harmless on a\n"
    "terminal; what `jq` makes of it is so with `--ascii-output`.\n"
    "\n"
    "A path begins with `/`, and is the path as the process sees it. One that does not begin with `/` is either cut\n"
    "or a name that is in no directory, as `memfd:name`. `argv` is for the eye: its arguments are joined by spaces,\n"
    "and a space may be part of an argument. `args` has them one by one. `\"\"` and `[]` say that there is no value.\n"
    "\n"
    "## Values that were cut\n"
    "\n"
    "| key | type | meaning |\n"
    "|---|---|---|\n"
    "| `<key>_truncated` | `true` | the value of `<key>` is not whole: a path lacks its beginning, another its end |\n"
    "| `<key>_length` | number | bytes of the whole value, when it was cut and they are known |\n"
    "| `<key>_unreachable` | `true` | the path begins at a directory that is not the root of the process |\n"
    "| `<key>_deleted` | `true` | what the path names has been deleted |\n"
    "| `<key>_unstable` | `true` | it was renamed again and again while it was read, and may be mixed |\n"
    "| `<key>_ambiguous` | `true` | several mounts lead to the file, and another one may have been used |\n"
    "\n"
    "They are there only when they say something. `args` is cut with `argv` and has `args_truncated`.\n"
    "`PROCESS_TTY_WRITE` has `tty_out_truncated` always: a number, the bytes that were written but are not in\n"
    "`tty_out`.\n"
    "\n"
    "On a file system that others change as well (NFS, FUSE), or that is on top of others (overlayfs), a file is\n"
    "deleted when this kernel has deleted it, or knows of no more names. The path of an `O_TMPFILE` that has got a\n"
    "name stays `#` and a number, which is in no directory, and is `_deleted`; there so is a file whose name begins\n"
    "with `#` and a digit, when the kernel has dropped that name, as it does when it has doubts about it.\n";

static const char lost[] =
    "\n"
    "## Losses and counts\n"
    "\n"
    "An event that could not be delivered is counted, by type and reason, and told in the stream where it is missing.\n"
    "`seq` numbers events and losses alike: a hole in it is as long as the losses that the line `EVENTS_LOST` tells\n"
    "of. For each event type, once all that waits has been read: `seen` = `delivered` + `filtered` + the sum of "
    "`lost`.\n"
    "\n"
    "### EVENTS_LOST\n"
    "\n"
    "| key | type | meaning |\n"
    "|---|---|---|\n"
    "| `first_seq`, `last_seq` | number | the numbers that the lost events would have had, both inclusive |\n"
    "| `lost` | object | for each event type that lost any: an object, reason to number |\n"
    "| `total` | number | how many in all |\n";

static const char over_budget[] =
    "\n"
    "### EVENTS_OVER_BUDGET\n"
    "\n"
    "With `--budget N`, a process can make N events in a second of those that any user can make at will and that wait\n"
    "in the same ring as execs: `PROCESS_FORK`, `PROCESS_SETSID`, `PROCESS_MEMFD_CREATE`, `PROCESS_SHMGET`,\n"
    "`PROCESS_PTRACE` that is denied, `NETWORK_CONNECTION_ATTEMPTED` and `NETWORK_LISTEN`. All of a user's processes\n"
    "together, but for root's, can make 16 times as many. The threads of a process share its budget, a new process "
    "has\n"
    "its own, and what others do takes nothing of it. More of them are lost for the reason `budget`, and with them\n"
    "what belongs to them: the `PROCESS_EXIT` of a process whose `PROCESS_FORK` is lost and which has executed "
    "nothing,\n"
    "and `NETWORK_CONNECTION_FAILED` and `NETWORK_CONNECTION_CLOSED` of an attempt that is.\n"
    "\n"
    "Once a second at most, this line names the process that has lost most. It has no `seq`.\n"
    "\n"
    "| key | type | meaning |\n"
    "|---|---|---|\n"
    "| `pids` | object [pid_info](#pid_info) | the process, and one of its threads that made an event too many |\n"
    "| `uid` | number | its real user id |\n"
    "| `lost` | number | events beyond the budget since the last such line, what belongs to them not counted |\n"
    "| `comm` | string | name of the thread |\n";

static const char stats[] =
    "\n"
    "### STATS\n"
    "\n"
    "On standard error, at the end and with `--stats` meanwhile.\n"
    "\n"
    "| key | type | meaning |\n"
    "|---|---|---|\n"
    "| `records` | number | records read from the kernel |\n"
    "| `corrupt` | number | of these, how many were no records; only there if a fault of the probes made one |\n"
    "| `events` | object | for each event type that was seen: an object with the keys below |\n"
    "| `events.<type>.seen` | number | times that the operation happened |\n"
    "| `events.<type>.delivered` | number | events that were delivered |\n"
    "| `events.<type>.filtered` | number | not wanted: what tracers themselves did, what the selection or the format "
    "left out |\n"
    "| `events.<type>.lost` | object | reason to number; only reasons that there were |\n"
    "\n"
    "### Reasons\n"
    "\n"
    "| reason | meaning |\n"
    "|---|---|\n";

static const char groups[] = "\n"
                             "## Objects that events share\n";

static const char table_head[] = "\n"
                                 "| key | type | meaning |\n"
                                 "|---|---|---|\n";

/* type_<kind>: what the type column says. */
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

/* Text into a cell: a bar would end it. */
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

/* A heading, and half a sentence as a whole one. */
static void print_title(const char *name, const char *doc)
{
    printf("\n### %s\n\n%c", name, toupper((unsigned char)doc[0]));
    print_text(doc + 1);
    printf(".\n");
}

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
    printf("\n## Strings of a fixed set\n");
#define ENUM(name, doc)                                                                                                \
    print_title(#name, doc);                                                                                           \
    printf("\n| value | meaning |\n|---|---|\n");
#define VALUE(id, NAME, text, doc) printf("| `%s` | %s |\n", text, doc);
#include "Events.def"
}

static void print_events(void)
{
    printf("\n## Events\n");
#define GROUP(name, doc) if (0) {
#define END_GROUP(name) }
#define EVENT(id, NAME, name, option, ring, doc)                                                                       \
    print_title(#NAME, doc);                                                                                           \
    printf("\nOption `--%s`, ring `%s`.\n%s", option, #ring, table_head);
#define FIELD(kind, name, key, doc) print_row(key, type_##kind, doc, "");
#define FIELD_IF(kind, name, key, FLAG_NAME, doc) print_row(key, type_##kind, doc, " (not always there)");
#define FLAG(NAME, bit, key, doc) print_row(key, type_bool, doc, "");
#define VARLEN(NAME, doc) print_row(tags[EBPF_TAG_##NAME].key, tags[EBPF_TAG_##NAME].type, doc, "");
#define OPTIONAL(NAME, doc)                                                                                            \
    print_row(tags[EBPF_TAG_##NAME].key, tags[EBPF_TAG_##NAME].type, doc, " (not always there)");
#include "Events.def"
}

static void print_rings(void)
{
    printf("\n### Rings\n\n"
           "Records wait for their reader in one of these; what fills one takes no room in another.\n\n"
           "| ring | what it is for |\n|---|---|\n");
#define RING(id, NAME, doc) printf("| `%s` | %s |\n", #NAME, doc);
#include "Events.def"
}

int main(void)
{
    fputs(reading, stdout);
    printf("| key | type | meaning |\n|---|---|---|\n");
#define ROW(key, schema, type, doc) print_row(key, type, doc, "");
    JSON_COMMON_KEYS(ROW)
    fputs(strings, stdout);
    fputs(lost, stdout);
    JSON_TIME_KEYS(ROW)
    fputs(over_budget, stdout);
    JSON_TIME_KEYS(ROW)
#undef ROW
    fputs(stats, stdout);
#define REASON(id, NAME, key, doc) printf("| `%s` | %s |\n", key, doc);
#include "Events.def"
    print_rings();
    print_groups();
    print_enums();
    print_events();
    return 0;
}
