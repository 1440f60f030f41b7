/* SPDX-License-Identifier: BSD-2-Clause */
/* Suggest.c - names that differ by a typing error or two, or that have the given one as a word; see Suggest.h. */
#include "Suggest.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#define NAME_LEN_MAX 40
#define LETTERS_PER_ERROR 4

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
    unsigned int ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* Count the letters to insert, drop, replace or swap with their neighbour to turn one name into the other. */
static unsigned int names__distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned int rows[3][NAME_LEN_MAX + 1];
    unsigned int *before = rows[0], *above = rows[1], *row = rows[2];

    if (a_len > NAME_LEN_MAX || b_len > NAME_LEN_MAX)
        return UINT_MAX;
    for (size_t j = 0; j <= b_len; j++)
        above[j] = (unsigned int)j;
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = (unsigned int)i;
        for (size_t j = 1; j <= b_len; j++) {
            row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        unsigned int *oldest = before;

        before = above;
        above = row;
        row = oldest;
    }
    return above[b_len];
}

/* Return whether a name, of words with dashes between them, contains these words. */
static bool name__has_words(const char *name, const char *words, size_t len)
{
    size_t name_len = strlen(name);

    for (size_t at = 0; len && at + len <= name_len; at++) {
        bool begins = !at || name[at - 1] == '-', ends = at + len == name_len || name[at + len] == '-';

        if (begins && ends && !strncmp(name + at, words, len))
            return true;
    }
    return false;
}

const char *suggest__option(const struct option_row *rows, size_t count, const char *name, size_t len)
{
    unsigned int least = (unsigned int)(len + LETTERS_PER_ERROR - 1) / LETTERS_PER_ERROR + 1;
    const char *nearest = NULL, *with_words = NULL;

    for (size_t i = 0; i < count; i++) {
        const char *option = rows[i].name;
        unsigned int distance = names__distance(name, len, option, strlen(option));

        if (distance < least) {
            least = distance;
            nearest = option;
        }
        if (name__has_words(option, name, len) && (!with_words || strlen(option) < strlen(with_words)))
            with_words = option;
    }
    return with_words ? with_words : nearest;
}
