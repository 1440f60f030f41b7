/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OptionRows.h - everything that an option of EventsTrace is, one row each.
 *
 * The command line, --help and what else has options (a configuration file, completions of a shell) go through these
 * rows, and know no other option than --user by name.
 */
#ifndef EVENTS_TRACE_OPTION_ROWS_H
#define EVENTS_TRACE_OPTION_ROWS_H

#include "Options.h"

/* The sections of --help and of the manual page. */
enum option_section {
    SECTION_EVENTS,
    SECTION_SELECTION,
    SECTION_OTHER,
    SECTION_COUNT,
};

struct option_row;

/* Put an option and its text, NULL without one, into the options. False after a message if it makes no sense. */
typedef bool (*option_take_fn)(const struct option_row *row, const char *text, struct options *options);

struct option_row {
    const char *name;
    char letter;  /* 0: it has none */
    bool repeats; /* each time it adds something; of others the last one counts */
    enum option_section section;
    const char *argument; /* what its text is called; NULL: it takes none */
    const char *doc;

    option_take_fn take; /* which of the following it uses is said in OptionTake.h */
    size_t member;       /* offset in struct options */
    long min, max;
    int value;
    bool excludes;
    const char *prefix;
    const char *const *choices; /* ended by NULL */
};

/*
 * Set *ret_rows to the rows, in the order of --help: those of the events, by class, then all others. Returns how many
 * there are.
 */
size_t option_rows(const struct option_row **ret_rows);

struct option_section_row {
    const char *name, *doc;
};

extern const struct option_section_row option_sections[SECTION_COUNT];

#endif
