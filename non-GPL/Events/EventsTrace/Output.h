/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output.h - whole lines to a file descriptor.
 *
 * Lines are gathered and written together. A file that is full is tried again later: meanwhile lines are refused, and
 * those that were accepted stay; half a line is never left behind in a file.
 */
#ifndef EVENTS_TRACE_OUTPUT_H
#define EVENTS_TRACE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define OUTPUT_BUFFER (2u << 20)
#define OUTPUT_LINE_MAX (1u << 20) /* more than the longest record makes: each byte can become six */

struct output {
    int fd;
    char *buffer;
    size_t used;
    size_t partial; /* bytes of the first line in the buffer that are in the file already */
    bool full;      /* the last write failed for lack of room */
    bool closed;    /* nobody reads any more */
    int error;      /* errno of a failure that will not pass */
    bool hurry;
    struct timespec deadline; /* monotonic, with hurry */
};

/* 0 or -ENOMEM; free with output__fini. */
int output__init(struct output *output, int fd);

/*
 * Room for a line of up to `size` bytes and its newline, or NULL when there is none: then the line is to be given up.
 */
char *output__reserve(struct output *output, size_t size);

/* The line in the reserved room has `len` bytes; a newline is added. */
void output__commit(struct output *output, size_t len);

/* Write what is there. Returns false when nothing can be written any more, now or ever. */
bool output__flush(struct output *output);

/* From now on do not wait for the reader for longer than `ms` in all. */
void output__hurry(struct output *output, int ms);

/* Last flush; takes half a line back from a regular file. */
void output__fini(struct output *output);

#endif
