/* SPDX-License-Identifier: BSD-2-Clause */
/* OptionHelp.c - what --usage and --help print; see Options.h. */
#include <stdio.h>
#include <string.h>

#include "OptionRows.h"

#define COLUMNS 80
#define DOC_COLUMN 33

void options__usage(void)
{
    printf("Usage: EventsTrace [OPTION]... [-- COMMAND...]\n"
           "Trace what processes do and print it as newline-delimited JSON.\n"
           "With a COMMAND, start it, trace it and its descendants, and exit with its status when it ends.\n");
}

static void tasks__print(void)
{
    printf("\nWhat is executed:                      EventsTrace -u --process-exec\n"
           "Changes of files below /etc:           EventsTrace -u --file --path /etc\n"
           "Which process connects to an address:  EventsTrace -u --net --address 192.0.2.7 --port 443\n");
}

/* Print words, the first one at `column`, with further lines that are indented. */
static void words__print(const char *words, int column, int indent)
{
    const char *separator = "";

    while (*words) {
        int len = (int)strcspn(words, " ");

        if (*separator && column + 1 + len > COLUMNS) {
            printf("\n%*s", indent, "");
            column = indent;
            separator = "";
        }
        column += printf("%s%.*s", separator, len, words);
        separator = " ";
        words += len + (words[len] == ' ');
    }
    putchar('\n');
}

static void option__print(const struct option_row *row)
{
    int column = row->letter ? printf("  -%c, --%s", row->letter, row->name) : printf("      --%s", row->name);

    if (row->argument)
        column += printf(" %s", row->argument);
    column += printf("%*s", column < DOC_COLUMN - 1 ? DOC_COLUMN - column : 1, "");
    words__print(row->doc, column, DOC_COLUMN);
}

static void section__print(enum option_section section)
{
    const struct option_section_row *head = &option_sections[section];
    const struct option_row *rows;
    size_t count = option_rows(&rows);

    putchar('\n');
    words__print(head->doc, printf("%s:%s", head->name, *head->doc ? " " : ""), 0);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].section == section)
            option__print(&rows[i]);
    }
}

void options__help(void)
{
    options__usage();
    tasks__print();
    for (enum option_section section = 0; section < SECTION_COUNT; section++)
        section__print(section);
    printf("\nLong options may be shortened while unambiguous. See EventsTrace(8).\n");
}
