/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output.h - whole lines to a file descriptor.
 *
 * Lines are gathered and written together. A file that is full is tried again later: meanwhile lines are refused, and
 * those that were accepted stay; half a line is never left behind in a file. A file that somebody truncates goes on at
 * its new end. A reader that is slow is waited for, but no write blocks: a pipe or terminal is opened anew for that,
 * because what its description is set to belongs to others too. So signals come through where it is waited. Where it
 * cannot be opened anew (no /proc, the terminal of another user, the master of a terminal), and for other devices, a
 * timer interrupts each write that blocks. Only a file whose file system does not answer is waited for.
 */
#ifndef EVENTS_TRACE_OUTPUT_H
#define EVENTS_TRACE_OUTPUT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define OUTPUT_BUFFER (2u << 20)
#define OUTPUT_BATCH (64u << 10)      /* from here on lines are written at once, if that is possible without waiting */
#define OUTPUT_WAIT (256u << 10)      /* from here on who reads is waited for */
#define OUTPUT_LINE_MAX (1u << 20)    /* more than the longest record makes: each byte can become six */
#define OUTPUT_NOTICE_MAX (64u << 10) /* room that is kept for notices of loss, of which a full output makes some */

/* A line that is not in the file, or not whole. */
struct output_line {
    size_t len;      /* with its newline */
    int type;        /* of the events that it stands for; 0: none */
    uint64_t events; /* how many those are */
};

struct output {
    int fd;
    int given_fd; /* of the caller; the same, unless it was opened anew */
    int given_flags;
    bool regular; /* a file */
    bool socket;
    bool blocks; /* a write to it may block: the timer interrupts it */
    timer_t timer;
    bool slow;     /* a pipe, socket or terminal: who reads it may have to be waited for */
    bool own_pipe; /* a pipe that standard error does not go to */
    char *buffer;
    size_t size;
    size_t begin, end; /* of what is not written yet, in the buffer */
    size_t next_try;   /* the end from which on to write without waiting */
    struct output_line *lines;
    size_t first_line, line_end, line_room;
    size_t partial;   /* bytes of the first line that are in the file already */
    int wake_fd;      /* readable when a wait is to end, as for a signal; -1: none */
    bool patient;     /* who reads is waited for */
    bool interrupted; /* wake_fd is readable: to be looked at before anything is waited for */
    bool stuck;       /* there is room, they say, but it takes nothing */
    int full;         /* errno of the last write, if it failed for lack of room */
    bool closed;      /* nobody reads any more */
    int error;        /* errno of a failure that will not pass */
    bool hurry;
    struct timespec deadline; /* monotonic, with hurry */
};

/* 0 or a negative errno; free with output__fini. Keeps `size` bytes of lines. One that is not `patient` never waits. */
int output__init(struct output *output, int fd, size_t size, bool patient, int wake_fd);

/* What to poll to learn that nobody reads any more, and to say what poll has found. */
struct pollfd output__watch(const struct output *output);
void output__look(struct output *output, const struct pollfd *watched);

/*
 * Room for a line of up to `size` bytes and its newline, or NULL when there is none: then the line is to be given up.
 * A notice may use the room that is kept for it.
 */
static inline char *output__reserve(struct output *output, size_t size);
char *output__reserve_notice(struct output *output, size_t size);

/* The line in the reserved room has `len` bytes; a newline is added. It stands for so many events, or none. */
void output__commit(struct output *output, size_t len);
static inline void output__commit_events(struct output *output, size_t len, int type, uint64_t events);

/*
 * Write what is there. Returns false when nothing can be written any more. What is left after true is for later: the
 * file is full, the wait was ended, or nobody is waited for.
 */
bool output__flush(struct output *output);

/* From now on do not wait for the reader for longer than `ms` in all. */
void output__hurry(struct output *output, int ms);

/* The lines that are left; returns how many. */
size_t output__left(const struct output *output, const struct output_line **ret_lines);

/* In a child that writes nothing: close the descriptor, or who reads would wait for the child's end as well. */
void output__abandon(const struct output *output);

/* Take half a line back from a regular file; free, and leave the descriptor as it was. */
void output__fini(struct output *output);

/* What these two do when there is no room yet, or enough to be written. */
char *output__make_room(struct output *output, size_t size);
void output__write_batch(struct output *output);

static inline char *output__reserve(struct output *output, size_t size)
{
    size += 1 + OUTPUT_NOTICE_MAX;
    if (output->closed || output->error || output->line_end == output->line_room || output->size - output->end < size)
        return output__make_room(output, size);
    return output->buffer + output->end;
}

static inline void output__commit_events(struct output *output, size_t len, int type, uint64_t events)
{
    output->lines[output->line_end++] = (struct output_line){.len = len + 1, .type = type, .events = events};
    output->buffer[output->end + len] = '\n';
    output->end += len + 1;
    if (output->end >= output->next_try)
        output__write_batch(output);
}

#endif
