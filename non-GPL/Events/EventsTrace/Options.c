/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options.c - one row an option: the events' rows come from the schema, the others from the table below. getopt_long
 * does the parsing, abbreviations included; its messages are ours, so that each is one line with cause and remedy.
 */
#include "Options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "Message.h"

#define OPTIONS_MAX 96
#define FIRST_EVENT_VALUE 1000 /* getopt value of an event: this plus its type */

#define FIRST_CONDITION_VALUE 500 /* of a condition: this plus twice its kind, and one if it excludes */
#define INCLUDE(KIND) (FIRST_CONDITION_VALUE + 2 * EBPF_SELECT_##KIND)
#define EXCLUDE(KIND) (INCLUDE(KIND) + 1)

enum { VALUE_VERSION = 256, VALUE_SCHEMA, VALUE_ENV, VALUE_COALESCE, VALUE_DISABLE_HOOK };

struct option_row {
    const char *name;
    int value; /* a short option when it is a letter */
    const char *argument;
    const char *doc;
};

static const struct option_row rows[] = {
    {"all", 'a', NULL, "every event"},
    {"print-features-on-init", 'i', NULL,
     "first write a line that tells what the kernel offers, once the probes are attached"},
    {"unbuffer-stdout", 'u', NULL, "write each event as soon as it is read"},
    {"stats", 's', NULL, "write statistics to standard error every second"},
    {"libbpf-verbose", 'v', NULL, "write libbpf's log to standard error"},
    {"env", VALUE_ENV, NULL, "environment of executed programs, in PROCESS_EXEC; may hold secrets"},
    {"coalesce", VALUE_COALESCE, "MS",
     "tell content changes of one file by one process within so many milliseconds as one, after the first"},
    {"pid", INCLUDE(PID), "PID", "only what this process does; this and the next ones may be given again"},
    {"exclude-pid", EXCLUDE(PID), "PID", "leave out what this process does"},
    {"tree", INCLUDE(TREE), "PID", "only what this process and its descendants do"},
    {"exclude-tree", EXCLUDE(TREE), "PID", "leave out what they do"},
    {"uid", INCLUDE(UID), "UID", "only what threads with this real user id do"},
    {"exclude-uid", EXCLUDE(UID), "UID", "leave out what they do"},
    {"comm", INCLUDE(COMM), "NAME", "only what threads of this name do"},
    {"exclude-comm", EXCLUDE(COMM), "NAME", "leave out what they do"},
    {"cgroup", INCLUDE(CGROUP), "PATH", "only what is done in this cgroup (v2) and those below it"},
    {"exclude-cgroup", EXCLUDE(CGROUP), "PATH", "leave out what is done there"},
    {"container-only", INCLUDE(CONTAINER), NULL, "only who has a pid or mount namespace of its own"},
    {"host-only", EXCLUDE(CONTAINER), NULL, "leave them out"},
    {"path", INCLUDE(PATH), "PREFIX", "of file events, only those about this path and what is below it"},
    {"exclude-path", EXCLUDE(PATH), "PREFIX", "leave those out"},
    {"disable-hook", VALUE_DISABLE_HOOK, "NAME",
     "do without a probe of Hooks.def, to see what is then missing; NAME,NAME for several"},
    {"schema", VALUE_SCHEMA, NULL, "print the JSON Schema of the output and exit"},
    {"help", 'h', NULL, "print this help and exit"},
    {"version", VALUE_VERSION, NULL, "print the version and exit"},
};

#define ROW_COUNT (sizeof(rows) / sizeof(*rows))

static struct option long_options[OPTIONS_MAX + 1];
static char short_options[2 * ROW_COUNT + 2];

static void options__build(void)
{
    size_t n = 0, letters = 0;

    short_options[letters++] = ':';
    for (size_t i = 0; i < ROW_COUNT; i++) {
        long_options[n++] =
            (struct option){rows[i].name, rows[i].argument ? required_argument : no_argument, NULL, rows[i].value};
        if (rows[i].value < VALUE_VERSION)
            short_options[letters++] = (char)rows[i].value;
    }
    for (int type = 0; type < EBPF_EVENT_TYPE_COUNT && n < OPTIONS_MAX; type++)
        if (ebpf_event_type__option(type))
            long_options[n++] =
                (struct option){ebpf_event_type__option(type), no_argument, NULL, FIRST_EVENT_VALUE + type};
}

/* Whether an argument is an option's name, or begins it; what it says behind '=' does not matter. */
static bool option__begins(const char *argument, const char *name)
{
    size_t len = strncmp(argument, "--", 2) ? 0 : strcspn(argument + 2, "=");

    return len && !strncmp(name, argument + 2, len);
}

static bool option__is_ambiguous(const char *argument)
{
    int matches = 0;

    for (const struct option *o = long_options; o->name; o++) {
        if (option__begins(argument, o->name) && strlen(o->name) == strcspn(argument + 2, "="))
            return false; /* written in full */
        matches += option__begins(argument, o->name);
    }
    return matches > 1;
}

/* getopt tells a letter that is no option by itself, and has gone past any other argument that it does not like. */
static int option__refuse(const char *argument, int letter)
{
    const char *remedy = "EventsTrace --help lists the options";

    if (letter > 0 && letter < VALUE_VERSION && !strchr(short_options, letter))
        message__write("unknown option '-%c'; %s", letter, remedy);
    else if (option__is_ambiguous(argument))
        message__write("option '%s' is ambiguous; write more of it, %s", argument, remedy);
    else
        message__write("unknown option or unwanted value '%s'; %s", argument, remedy);
    return -EINVAL;
}

/* Names add up over several options; the text is for the rest of the process. */
static void options__add_disabled(struct options *o, const char *names)
{
    char *joined;

    if (!o->disable_hooks)
        o->disable_hooks = names;
    else if (asprintf(&joined, "%s,%s", o->disable_hooks, names) >= 0)
        o->disable_hooks = joined;
}

/* A whole number from `min` to `max`; false after a message when the text is another one. */
static bool number__parse(const char *option, const char *text, long min, long max, long *ret_number)
{
    char *end;

    errno = 0;
    long number = strtol(text, &end, 10);

    if (errno || end == text || *end || number < min || number > max) {
        message__write("option '--%s' wants a whole number from %ld to %ld, not '%s'; EventsTrace --help tells more",
                       option, min, max, text);
        return false;
    }
    *ret_number = number;
    return true;
}

static const char *option__name(int value)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].value == value)
            return rows[i].name;
    return "";
}

static bool value__is_condition(int value)
{
    return value >= INCLUDE(PID) && value <= EXCLUDE(PATH);
}

/* A condition of the selection. What its text has to be is for the library to know. */
static bool options__select(struct options *o, int value, const char *text)
{
    struct ebpf_condition c = {.kind = (enum ebpf_select_kind)((value - FIRST_CONDITION_VALUE) / 2),
                               .exclude = (value - FIRST_CONDITION_VALUE) % 2,
                               .text = text};
    bool is_uid = c.kind == EBPF_SELECT_UID;
    long number = 0;

    if ((is_uid || c.kind == EBPF_SELECT_PID || c.kind == EBPF_SELECT_TREE) &&
        !number__parse(option__name(value), text, is_uid ? 0 : 1, is_uid ? UINT32_MAX - 1L : INT32_MAX, &number))
        return false;
    if (o->condition_count == CONDITIONS_MAX) {
        message__write("there are more than %d conditions of what to trace; leave some out", CONDITIONS_MAX);
        return false;
    }
    c.id = (uint32_t)number;
    o->conditions[o->condition_count++] = c;
    return true;
}

/* An option with a value. False after a message when it makes no sense. */
static bool option__take_value(struct options *o, int value, const char *text)
{
    long number;

    switch (value) {
    case VALUE_COALESCE:
        if (!number__parse("coalesce", text, 1, EBPF_COALESCE_MS_MAX, &number))
            return false;
        o->coalesce_ms = (uint32_t)number;
        break;
    case VALUE_DISABLE_HOOK:
        options__add_disabled(o, text);
        break;
    }
    return true;
}

static void option__take(struct options *o, int value)
{
    if (value >= FIRST_EVENT_VALUE) {
        ebpf_event_set__add(&o->events, value - FIRST_EVENT_VALUE);
        return;
    }
    switch (value) {
    case 'a':
        o->events = ebpf_event_set__all();
        break;
    case 'i':
        o->features_line = true;
        break;
    case 'u':
        o->unbuffered = true;
        break;
    case 's':
        o->stats = true;
        break;
    case 'v':
        o->libbpf_verbose = true;
        break;
    case 'h':
        o->action = ACTION_HELP;
        break;
    case VALUE_ENV:
        o->env = true;
        break;
    case VALUE_SCHEMA:
        o->action = ACTION_SCHEMA;
        break;
    case VALUE_VERSION:
        o->action = ACTION_VERSION;
        break;
    }
}

/* What is behind "--" is a command. False after a message when nothing is. */
static bool options__split(struct options *o, int *argc, char **argv)
{
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], "--"))
            continue;
        if (i + 1 == *argc) {
            message__write("'--' wants a command behind it; leave it out to trace what runs already");
            return false;
        }
        o->command = argv + i + 1;
        *argc = i; /* which ends the loop */
    }
    return true;
}

int options__parse(struct options *ret_options, int argc, char **argv)
{
    struct options options = {0};
    int value;

    options__build();
    if (!options__split(&options, &argc, argv))
        return -EINVAL;
    opterr = 0;
    for (;;) {
        value = getopt_long(argc, argv, short_options, long_options, NULL);
        if (value < 0)
            break;
        if (value == '?')
            return option__refuse(argv[optind - 1], optopt);
        if (value == ':') {
            message__write("option '%s' wants a value; EventsTrace --help tells which", argv[optind - 1]);
            return -EINVAL;
        }
        if (value__is_condition(value) ? !options__select(&options, value, optarg)
                                       : optarg && !option__take_value(&options, value, optarg))
            return -EINVAL;
        option__take(&options, value);
    }
    if (optind < argc) {
        message__write("unexpected argument '%s'; EventsTrace --help lists the options", argv[optind]);
        return -EINVAL;
    }
    *ret_options = options;
    return 0;
}

void options__help(void)
{
    printf("Usage: EventsTrace [OPTION]... [-- COMMAND...]\n"
           "Trace what processes do and print it as newline-delimited JSON.\n"
           "With a COMMAND, start it, trace it and its descendants, end with it, with its exit status.\n\n"
           "Events:\n");
    for (int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++)
        if (ebpf_event_type__option(type))
            printf("      --%-24s %s\n", ebpf_event_type__option(type), ebpf_event_type__doc(type));
    printf("\nOptions:\n");
    for (size_t i = 0; i < ROW_COUNT; i++) {
        char name[64];

        snprintf(name, sizeof(name), "%s%s%s", rows[i].name, rows[i].argument ? " " : "",
                 rows[i].argument ? rows[i].argument : "");
        if (rows[i].value < VALUE_VERSION)
            printf("  -%c, --%-24s %s\n", rows[i].value, name, rows[i].doc);
        else
            printf("      --%-24s %s\n", name, rows[i].doc);
    }
    printf("\nLong options may be shortened while unambiguous. See EventsTrace(8).\n");
}
