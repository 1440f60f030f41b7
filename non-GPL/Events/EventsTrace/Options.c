/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options.c - one row an option: the events' rows come from the schema, the others from the table below. getopt_long
 * does the parsing, abbreviations included; its messages are ours, so that each is one line with cause and remedy.
 */
#include "Options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "Message.h"
#include "Suggest.h"

#define OPTIONS_MAX 96
#define FIRST_EVENT_VALUE 1000 /* getopt value of an event: this plus its type */

#define FIRST_CONDITION_VALUE 500 /* of a condition: this plus twice its kind, and one if it excludes */
#define INCLUDE(KIND) (FIRST_CONDITION_VALUE + 2 * EBPF_SELECT_##KIND)
#define EXCLUDE(KIND) (INCLUDE(KIND) + 1)

#define RING_BYTES_MAX (1 << 30) /* more than this is memory by mistake */

#define BUDGET_MAX 1000000 /* events a second: more than a process can make */

#define ARGUMENT_VALUE 1 /* of an argument that is no option */

enum {
    VALUE_VERSION = 256,
    VALUE_SCHEMA,
    VALUE_ENV,
    VALUE_COALESCE,
    VALUE_RING_SIZE,
    VALUE_BUDGET,
    VALUE_DISABLE_HOOK,
    VALUE_USAGE,
    VALUE_USER,
    VALUE_PROCESS,
    VALUE_FILE,
    VALUE_NET,
    VALUE_FORMAT,
};

struct option_row {
    const char *name;
    int value; /* a short option when it is a letter */
    const char *argument;
    const char *doc;
};

static const struct option_row rows[] = {
    {"all", 'a', NULL, "every event"},
    {"process", VALUE_PROCESS, NULL, "every event of processes"},
    {"file", VALUE_FILE, NULL, "every event of files"},
    {"net", VALUE_NET, NULL, "every event of the network"},
    {"print-features-on-init", 'i', NULL,
     "first write a line that tells what the kernel offers, once the probes are attached"},
    {"unbuffer-stdout", 'u', NULL, "write each event as soon as it is read"},
    {"stats", 's', NULL, "write statistics to standard error every second"},
    {"libbpf-verbose", 'v', NULL, "write libbpf's log to standard error"},
    {"env", VALUE_ENV, NULL, "environment of executed programs, in PROCESS_EXEC; may hold secrets"},
    {"format", VALUE_FORMAT, "FORMAT", "json, the default, or elastic: lines as Elastic's EventsTrace has them"},
    {"coalesce", VALUE_COALESCE, "MS",
     "tell content changes of one file by one process within so many milliseconds as one, after the first"},
    {"ring-size", VALUE_RING_SIZE, "SIZE",
     "size of each of the two rings that events wait in: a power of two, in bytes or with K or M behind; default 4M"},
    {"budget", VALUE_BUDGET, "N",
     "report at most so many events of a process in a second, of those that any user can make at will; more are lost"},
    {"pid", INCLUDE(PID), "PID", "only what this process does; this and the next ones may be given again"},
    {"exclude-pid", EXCLUDE(PID), "PID", "leave out what this process does"},
    {"tree", INCLUDE(TREE), "PID", "only what this process and its descendants do"},
    {"exclude-tree", EXCLUDE(TREE), "PID", "leave out what they do"},
    {"uid", INCLUDE(UID), "USER", "only what threads with this real user id do; a name or a number"},
    {"exclude-uid", EXCLUDE(UID), "USER", "leave out what they do"},
    {"comm", INCLUDE(COMM), "NAME", "only what threads of this name do"},
    {"exclude-comm", EXCLUDE(COMM), "NAME", "leave out what they do"},
    {"cgroup", INCLUDE(CGROUP), "PATH", "only what is done in this cgroup (v2) and those below it"},
    {"exclude-cgroup", EXCLUDE(CGROUP), "PATH", "leave out what is done there"},
    {"container-only", INCLUDE(CONTAINER), NULL, "only who has a pid or mount namespace of its own"},
    {"host-only", EXCLUDE(CONTAINER), NULL, "leave them out"},
    {"path", INCLUDE(PATH), "PREFIX", "of file events, only those about this path and what is below it"},
    {"exclude-path", EXCLUDE(PATH), "PREFIX", "leave those out"},
    {"address", INCLUDE(ADDRESS), "ADDRESS",
     "of network events, only those with this address at an end; ADDRESS/BITS for a network"},
    {"exclude-address", EXCLUDE(ADDRESS), "ADDRESS", "leave those out"},
    {"port", INCLUDE(PORT), "PORT", "of network events, only those with this port at an end"},
    {"exclude-port", EXCLUDE(PORT), "PORT", "leave those out"},
    {"user", VALUE_USER, "USER", "execute COMMAND as this user, a name or a number"},
    {"disable-hook", VALUE_DISABLE_HOOK, "NAME",
     "do without a probe of Hooks.def, to see what is then missing; NAME,NAME for several"},
    {"schema", VALUE_SCHEMA, NULL, "print the JSON Schema of the output and exit"},
    {"help", 'h', NULL, "print this help and exit; so does -?"},
    {"usage", VALUE_USAGE, NULL, "print a few lines of it and exit"},
    {"version", VALUE_VERSION, NULL, "print the version and exit"},
};

#define ROW_COUNT (sizeof(rows) / sizeof(*rows))

static struct option long_options[OPTIONS_MAX + 1];
static char short_options[2 * ROW_COUNT + 3];

/* The letters begin with '-': arguments that are no options are told in their place. */
static void options__build(void)
{
    size_t n = 0, letters = 0;

    short_options[letters++] = '-';
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

/* Bytes of the name in an argument that looks like a long option, without what it says behind '='; 0: it does not. */
static size_t argument__name_len(const char *argument)
{
    return strncmp(argument, "--", 2) ? 0 : strcspn(argument + 2, "=");
}

/* How many options an argument may stand for: those that it begins, or the one that it is in full. */
static int argument__matches(const char *argument)
{
    size_t len = argument__name_len(argument);
    int matches = 0;

    for (const struct option *o = long_options; len && o->name; o++) {
        if (strncmp(o->name, argument + 2, len))
            continue;
        if (!o->name[len])
            return 1;
        matches++;
    }
    return matches;
}

/* What is like a name, for a message: " did you mean '--x'?", or nothing. */
static const char *name__suggestion(const char *name, size_t len)
{
    static char text[96];
    const char *nearest = suggest__option(long_options, name, len);

    if (!nearest)
        return "";
    snprintf(text, sizeof(text), " did you mean '--%s'?", nearest);
    return text;
}

/*
 * getopt tells a letter that is no option by itself, and has gone past any other argument that it does not like. A word
 * before it may be a command that the option was meant for.
 */
static int option__refuse(const char *argument, int letter, const char *word)
{
    char hint[128] = "EventsTrace --help lists the options";
    int matches = argument__matches(argument);

    if (word)
        snprintf(hint, sizeof(hint), "to trace a command, put '--' before it: -- %.64s", word);
    if (letter > 0 && letter < VALUE_VERSION && !strchr(short_options, letter))
        message__write("unknown option '-%c'; %s", letter, hint);
    else if (matches > 1)
        message__write("option '%s' is ambiguous; write more of it, %s", argument, hint);
    else if (matches)
        message__write("option '%s' takes no value; %s", argument, hint);
    else
        message__write("unknown option '%s';%s %s", argument,
                       name__suggestion(argument + 2, argument__name_len(argument)), hint);
    return -EINVAL;
}

static int word__refuse(const char *word)
{
    for (const struct option *o = long_options; o->name; o++) {
        if (!strcmp(o->name, word)) {
            message__write("unexpected argument '%s'; did you mean '--%s'?", word, word);
            return -EINVAL;
        }
    }
    message__write("unexpected argument '%s'; to trace a command, put '--' before it: -- %s", word, word);
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

/* A size in bytes, or with K or M behind: a power of two of at least a page. False after a message. */
static bool ring_size__parse(const char *text, uint32_t *ret_bytes)
{
    char *end;

    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    unsigned int shift = *end == 'K' ? 10 : *end == 'M' ? 20 : 0;
    bool is_number = !errno && isdigit((unsigned char)*text) && !end[shift ? 1 : 0] && number <= RING_BYTES_MAX;
    unsigned long long bytes = is_number ? number << shift : 0;

    if (bytes & (bytes - 1) || bytes < (unsigned long long)getpagesize() || bytes > RING_BYTES_MAX) {
        message__write("option '--ring-size' wants a power of two from %dK to %dM, such as 512K or 16M, not '%s'",
                       getpagesize() >> 10, RING_BYTES_MAX >> 20, text);
        return false;
    }
    *ret_bytes = (uint32_t)bytes;
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
    return value >= INCLUDE(PID) && value <= EXCLUDE(PORT);
}

/* Whether a text is the number of a user, who need not have an entry among the users. */
static bool text__is_uid(const char *text, long *ret_number)
{
    char *end;

    errno = 0;
    *ret_number = strtol(text, &end, 10);
    return !errno && end != text && !*end && *ret_number >= 0 && *ret_number < UINT32_MAX;
}

/* The entry of a user, given by name or number; NULL after a message without one. */
static const struct passwd *user__find(const char *option, const char *text)
{
    long number;
    const struct passwd *user = getpwnam(text);

    if (!user && text__is_uid(text, &number))
        user = getpwuid((uid_t)number);
    if (!user)
        message__write("option '--%s' wants the name or the number of a user, and there is no '%s'; see getent passwd",
                       option, text);
    return user;
}

static bool uid__parse(const char *option, const char *text, long *ret_number)
{
    if (text__is_uid(text, ret_number))
        return true;
    const struct passwd *user = user__find(option, text);

    if (user)
        *ret_number = user->pw_uid;
    return user;
}

/* The text is for the rest of the process. */
static bool options__set_user(struct options *o, const char *text)
{
    const struct passwd *user = user__find("user", text);

    if (!user)
        return false;
    o->user = (struct command_user){.name = strdup(user->pw_name), .uid = user->pw_uid, .gid = user->pw_gid};
    return o->user.name;
}

static bool condition__parse_id(const char *option, enum ebpf_select_kind kind, const char *text, long *ret_number)
{
    switch (kind) {
    case EBPF_SELECT_PID:
    case EBPF_SELECT_TREE:
        return number__parse(option, text, 1, INT32_MAX, ret_number);
    case EBPF_SELECT_UID:
        return uid__parse(option, text, ret_number);
    case EBPF_SELECT_PORT:
        return number__parse(option, text, 1, UINT16_MAX, ret_number);
    default:
        return true;
    }
}

/* A condition of the selection. What its text has to be is for the library to know. */
static bool options__select(struct options *o, int value, const char *text)
{
    struct ebpf_condition c = {.kind = (enum ebpf_select_kind)((value - FIRST_CONDITION_VALUE) / 2),
                               .exclude = (value - FIRST_CONDITION_VALUE) % 2,
                               .text = text};
    long number = 0;

    if (!condition__parse_id(option__name(value), c.kind, text, &number))
        return false;
    if (o->condition_count == CONDITIONS_MAX) {
        message__write("there are more than %d conditions of what to trace; leave some out", CONDITIONS_MAX);
        return false;
    }
    c.id = (uint32_t)number;
    o->conditions[o->condition_count++] = c;
    return true;
}

static bool options__set_format(struct options *o, const char *text)
{
    o->elastic = !strcmp(text, "elastic");
    if (!o->elastic && strcmp(text, "json")) {
        message__write("option '--format' wants json or elastic, not '%s'", text);
        return false;
    }
    return true;
}

/* What the events that are asked for are made of; what Elastic's program has not is not sourced. */
static void options__complete_elastic(struct options *o)
{
    static const enum ebpf_event_type others[] = {EBPF_EVENT_FILE_LINK, EBPF_EVENT_NETWORK_CONNECTION_FAILED,
                                                  EBPF_EVENT_NETWORK_LISTEN, EBPF_EVENT_NETWORK_DATAGRAM_FLOW};
    struct ebpf_event_set *events = &o->events;

    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        events->bits &= ~(UINT64_C(1) << others[i]);
    if (ebpf_event_set__has(*events, EBPF_EVENT_NETWORK_CONNECTION_CLOSED))
        ebpf_event_set__add(events, EBPF_EVENT_NETWORK_CONNECTION_FAILED);
    o->env = true;
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
    case VALUE_RING_SIZE:
        return ring_size__parse(text, &o->ring_bytes);
    case VALUE_BUDGET:
        if (!number__parse("budget", text, 1, BUDGET_MAX, &number))
            return false;
        o->budget = (uint32_t)number;
        break;
    case VALUE_DISABLE_HOOK:
        options__add_disabled(o, text);
        break;
    case VALUE_USER:
        return options__set_user(o, text);
    case VALUE_FORMAT:
        return options__set_format(o, text);
    }
    return true;
}

/* Add the events whose options begin so. */
static void options__add_class(struct options *o, const char *prefix)
{
    for (int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
        const char *option = ebpf_event_type__option(type);

        if (option && !strncmp(option, prefix, strlen(prefix)))
            ebpf_event_set__add(&o->events, type);
    }
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
    case VALUE_PROCESS:
        options__add_class(o, "process-");
        break;
    case VALUE_FILE:
        options__add_class(o, "file-");
        break;
    case VALUE_NET:
        options__add_class(o, "net-");
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
    case VALUE_USAGE:
        o->action = ACTION_USAGE;
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

/* What getopt_long has found. 0, or -EINVAL after a message. `*word`: the first argument that is no option. */
static int option__parse(struct options *o, int value, char **argv, const char **word)
{
    bool is_asked_for = value == '?' && optopt == '?'; /* -? */

    if (value == ARGUMENT_VALUE) {
        *word = *word ? *word : optarg;
        return 0;
    }
    if (value == '?' && !is_asked_for)
        return option__refuse(argv[optind - 1], optopt, *word);
    if (value == ':') {
        message__write("option '%s' wants a value; EventsTrace --help tells which", argv[optind - 1]);
        return -EINVAL;
    }
    if (value__is_condition(value) ? !options__select(o, value, optarg)
                                   : optarg && !option__take_value(o, value, optarg))
        return -EINVAL;
    option__take(o, is_asked_for ? 'h' : value);
    return 0;
}

int options__parse(struct options *ret_options, int argc, char **argv)
{
    struct options options = {0};
    const char *word = NULL;
    int value;

    options__build();
    if (!options__split(&options, &argc, argv))
        return -EINVAL;
    opterr = 0;
    while ((value = getopt_long(argc, argv, short_options, long_options, NULL)) >= 0) {
        int err = option__parse(&options, value, argv, &word);

        if (err)
            return err;
    }
    if (word)
        return word__refuse(word);
    if (options.user.name && !options.command) {
        message__write("option '--user' is about a command; put one behind '--', or select with --uid");
        return -EINVAL;
    }
    if (options.elastic)
        options__complete_elastic(&options);
    *ret_options = options;
    return 0;
}

void options__usage(void)
{
    printf("Usage: EventsTrace [OPTION]... [-- COMMAND...]\n"
           "Trace what processes do and print it as newline-delimited JSON.\n"
           "With a COMMAND, start it, trace it and its descendants, end with it, with its exit status.\n");
}

static void options__tasks(void)
{
    printf("\nWhat is executed:                      EventsTrace -u --process-exec\n"
           "Who changes files below /etc:          EventsTrace -u --file --path /etc\n"
           "Which process connects to an address:  EventsTrace -u --net --address 192.0.2.7 --port 443\n");
}

void options__help(void)
{
    options__usage();
    options__tasks();
    printf("\nEvents:\n");
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
