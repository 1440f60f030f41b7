/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output.h - whole lines to a file descriptor.
 *
 * Lines are gathered and written together. A file that is full is tried again later: meanwhile lines are refused, and
 * those that were accepted stay; half a line is never left behind in a file. A reader that is slow is waited for, but
 * no write blocks, so that signals, which the caller keeps blocked, come through where it is waited.
 */
#ifndef EVENTS_TRACE_OUTPUT_H
#define EVENTS_TRACE_OUTPUT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define OUTPUT_BUFFER (2u << 20)
#define OUTPUT_BATCH (64u << 10)      /* from here on lines are written at once, if that is possible without waiting */
#define OUTPUT_WAIT (256u << 10)      /* from here on who reads is waited for */
#define OUTPUT_LINE_MAX (1u << 20)    /* more than the longest record makes: each byte can become six */
#define OUTPUT_NOTICE_MAX (64u << 10) /* room that is kept for notices of loss, of which a full output makes some */

struct output {
    int fd;
    bool regular;  /* a file */
    bool slow;     /* a pipe, socket or terminal: who reads it may have to be waited for */
    bool own_pipe; /* a pipe that standard error does not go to */
    char *buffer;
    size_t begin, end; /* of what is not written yet, in the buffer */
    size_t next_try;   /* the end from which on to write without waiting */
    size_t partial;    /* bytes of the first line in the buffer that are in the file already */
    char start[64];    /* what that line begins with, as much as is in the file */
    bool interrupted;  /* by a signal, which its handler has noted: to be looked at before anything is waited for */
    bool full;         /* the last write failed for lack of room */
    bool closed;       /* nobody reads any more */
    int error;         /* errno of a failure that will not pass */
    bool hurry;
    struct timespec deadline; /* monotonic, with hurry */
    sigset_t signals;         /* mask while waiting for the reader */
};

/* 0 or a negative errno; free with output__fini. `signals` is the mask while waiting. */
int output__init(struct output *output, int fd, const sigset_t *signals);

/*
 * Room for a line of up to `size` bytes and its newline, or NULL when there is none: then the line is to be given up.
 * A notice may use the room that is kept for it.
 */
char *output__reserve(struct output *output, size_t size);
char *output__reserve_notice(struct output *output, size_t size);

/* The line in the reserved room has `len` bytes; a newline is added. */
void output__commit(struct output *output, size_t len);

/*
 * Write what is there. Returns false when nothing can be written any more. What is left after true is for later: the
 * file is full, or a signal came.
 */
bool output__flush(struct output *output);

/* From now on do not wait for the reader for longer than `ms` in all. */
void output__hurry(struct output *output, int ms);

/*
 * Lines that are not in the file, or not whole, one a call, from the first on (*pos = 0). False when there is none. Of
 * one that is partly in the file it is the beginning.
 */
bool output__left(const struct output *output, size_t *pos, const char **ret_line, size_t *ret_len);

/* Take half a line back from a regular file; free. */
void output__fini(struct output *output);

#endif
