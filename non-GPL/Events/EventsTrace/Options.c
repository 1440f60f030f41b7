/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options.c - the command line. getopt_long does the parsing, abbreviations included; its messages are ours, so that
 * each is one line with cause and remedy. What the options are is in OptionRows.c.
 */
#include "Options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "Message.h"
#include "OptionRows.h"
#include "Suggest.h"

#define WORD_VALUE 1        /* getopt's, of an argument that is no option */
#define FIRST_ROW_VALUE 256 /* of an option: this plus the index of its row, or its letter */
#define LETTERS_MAX 64

/* The rows, and as getopt_long wants them. */
struct table {
    const struct option_row *rows;
    size_t count;
    struct option *long_options;
    char letters[LETTERS_MAX];
};

/* Fill the table. The letters begin with '-', so that arguments that are no options come in their place. */
static int table__init(struct table *table)
{
    size_t n = 0;

    table->count = option_rows(&table->rows);
    table->long_options = calloc(table->count + 1, sizeof(*table->long_options));
    if (!table->long_options) {
        message__write("cannot begin: %s; free memory", strerror(ENOMEM));
        return -ENOMEM;
    }
    table->letters[n++] = '-';
    table->letters[n++] = ':';
    for (size_t i = 0; i < table->count; i++) {
        const struct option_row *row = &table->rows[i];

        table->long_options[i] =
            (struct option){row->name, row->argument ? required_argument : no_argument, NULL, FIRST_ROW_VALUE + (int)i};
        if (!row->letter || n + 3 > sizeof(table->letters))
            continue;
        table->letters[n++] = row->letter;
        if (row->argument)
            table->letters[n++] = ':';
    }
    table->letters[n] = '\0';
    return 0;
}

/* Find the row of a value that getopt has returned. */
static const struct option_row *table__row(const struct table *table, int value)
{
    if (value >= FIRST_ROW_VALUE)
        return &table->rows[value - FIRST_ROW_VALUE];
    for (size_t i = 0; i < table->count; i++) {
        if (table->rows[i].letter == value)
            return &table->rows[i];
    }
    return NULL;
}

/* Length of the name in an argument that looks like a long option, without what follows '='; 0: it does not. */
static size_t argument__name_len(const char *argument)
{
    return strncmp(argument, "--", 2) ? 0 : strcspn(argument + 2, "=");
}

/* Count the options that an argument may stand for: those that it begins, or the one that it is in full. */
static int argument__matches(const struct table *table, const char *argument)
{
    size_t len = argument__name_len(argument);
    int matches = 0;

    for (size_t i = 0; len && i < table->count; i++) {
        const char *name = table->rows[i].name;

        if (strncmp(name, argument + 2, len))
            continue;
        if (!name[len])
            return 1;
        matches++;
    }
    return matches;
}

/*
 * Refuse an option. getopt has put a letter that is no option into `letter`, and has gone past any other argument that
 * it does not like. A word before it may be a command that the option was meant for.
 */
static int option__refuse(const struct table *table, const char *argument, int letter, const char *word)
{
    char hint[128] = "EventsTrace --help lists the options";
    int matches = argument__matches(table, argument);

    if (word)
        snprintf(hint, sizeof(hint), "to trace a command, put '--' before it: -- %.64s", word);
    if (letter > 0 && letter < FIRST_ROW_VALUE && !strchr(table->letters, letter)) {
        message__write("unknown option '-%c'; %s", letter, hint);
    } else if (matches > 1) {
        message__write("option '%s' is ambiguous; write more of it, %s", argument, hint);
    } else if (matches) {
        message__write("option '%s' takes no value; %s", argument, hint);
    } else {
        const char *nearest = suggest__option(table->rows, table->count, argument + 2, argument__name_len(argument));

        if (nearest)
            message__write("unknown option '%s'; did you mean '--%s'? %s", argument, nearest, hint);
        else
            message__write("unknown option '%s'; %s", argument, hint);
    }
    return -EINVAL;
}

static int word__refuse(const struct table *table, const char *word)
{
    for (size_t i = 0; i < table->count; i++) {
        if (!strcmp(table->rows[i].name, word)) {
            message__write("unexpected argument '%s'; did you mean '--%s'?", word, word);
            return -EINVAL;
        }
    }
    message__write("unexpected argument '%s'; to trace a command, put '--' before it: -- %s", word, word);
    return -EINVAL;
}

/* Select what the elastic lines of the chosen events are made from, and drop what Elastic's program does not source. */
static void options__complete_elastic(struct options *o)
{
    struct ebpf_event_set *events = &o->events;

    events->bits &= ebpf_event_set__elastic().bits;
    if (ebpf_event_set__has(*events, EBPF_EVENT_NETWORK_CONNECTION_CLOSED))
        ebpf_event_set__add(events, EBPF_EVENT_NETWORK_CONNECTION_FAILED);
    o->env = true;
}

/* Take what follows "--" as a command. False after a message if nothing does. */
static bool options__split(struct options *o, int *argc, char **argv)
{
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], "--"))
            continue;
        if (i + 1 == *argc) {
            message__write("'--' requires a command after it; leave it out to trace the running system");
            return false;
        }
        o->command = argv + i + 1;
        *argc = i; /* which ends the loop */
    }
    return true;
}

/* Take what getopt_long has returned. 0, or -EINVAL after a message. `*word`: the first argument that is no option. */
static int options__take(struct options *o, const struct table *table, int value, char **argv, const char **word)
{
    if (value == WORD_VALUE) {
        *word = *word ? *word : optarg;
        return 0;
    }
    if (value == ':') {
        message__write("option '%s' requires a value; see EventsTrace --help", argv[optind - 1]);
        return -EINVAL;
    }
    if (value == '?' && optopt == '?') { /* -? */
        o->action = ACTION_HELP;
        return 0;
    }
    if (value == '?')
        return option__refuse(table, argv[optind - 1], optopt, *word);
    const struct option_row *row = table__row(table, value);

    return row->take(row, optarg, o) ? 0 : -EINVAL;
}

static int options__parse_with(const struct table *table, int argc, char **argv, struct options *o)
{
    const char *word = NULL;
    int value;

    if (!options__split(o, &argc, argv))
        return -EINVAL;
    opterr = 0;
    while ((value = getopt_long(argc, argv, table->letters, table->long_options, NULL)) >= 0) {
        int err = options__take(o, table, value, argv, &word);

        if (err)
            return err;
    }
    if (word)
        return word__refuse(table, word);
    if (o->user.name && !o->command) {
        message__write("option '--user' is about a command; put one behind '--', or select with --uid");
        return -EINVAL;
    }
    if (o->json && o->action == ACTION_TRACE) {
        message__write("option '--json' is about the report of --doctor; events are written as JSON without it");
        return -EINVAL;
    }
    if (o->format == FORMAT_ELASTIC)
        options__complete_elastic(o);
    return 0;
}

int options__parse(struct options *ret_options, int argc, char **argv)
{
    struct options options = {0};
    struct table table;
    int err = table__init(&table);

    if (err)
        return err;
    err = options__parse_with(&table, argc, argv, &options);
    free(table.long_options);
    if (!err)
        *ret_options = options;
    return err;
}
