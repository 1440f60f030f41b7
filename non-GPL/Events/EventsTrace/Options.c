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

enum { VALUE_VERSION = 256, VALUE_SCHEMA, VALUE_ENV, VALUE_COALESCE, VALUE_EXCLUDE_PID, VALUE_DISABLE_HOOK };

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
    {"exclude-pid", VALUE_EXCLUDE_PID, "PID", "leave out what this process does; may be given again"},
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

/* A whole number from 1 to `max`; false after a message when the text is another one. */
static bool number__parse(const char *option, const char *text, long max, long *ret_number)
{
    char *end;

    errno = 0;
    long number = strtol(text, &end, 10);

    if (errno || end == text || *end || number < 1 || number > max) {
        message__write("option '--%s' wants a whole number from 1 to %ld, not '%s'; EventsTrace --help tells more",
                       option, max, text);
        return false;
    }
    *ret_number = number;
    return true;
}

static bool options__exclude(struct options *o, const char *text)
{
    long pid;

    if (!number__parse("exclude-pid", text, INT32_MAX, &pid))
        return false;
    if (o->exclude_count == EBPF_EXCLUDE_MAX) {
        message__write("option '--exclude-pid' can be given %d times; leave some out", EBPF_EXCLUDE_MAX);
        return false;
    }
    o->exclude_pids[o->exclude_count++] = (int32_t)pid;
    return true;
}

/* An option with a value. False after a message when it makes no sense. */
static bool option__take_value(struct options *o, int value, const char *text)
{
    long number;

    switch (value) {
    case VALUE_COALESCE:
        if (!number__parse("coalesce", text, EBPF_COALESCE_MS_MAX, &number))
            return false;
        o->coalesce_ms = (uint32_t)number;
        break;
    case VALUE_EXCLUDE_PID:
        return options__exclude(o, text);
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

int options__parse(struct options *ret_options, int argc, char **argv)
{
    struct options options = {0};
    int value;

    options__build();
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
        if (optarg && !option__take_value(&options, value, optarg))
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
    printf("Usage: EventsTrace [OPTION]...\n"
           "Trace what processes do and print it as newline-delimited JSON.\n\n"
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
