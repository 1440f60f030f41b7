/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output.h - whole lines to a file descriptor.
 *
 * Lines are buffered and written together. If a file is full, it is tried again later: meanwhile lines are refused, and
 * those that were accepted stay; half a line is never left in a file. If somebody truncates a file, writing goes on at
 * its new end. A slow reader is waited for, but no write blocks, so that signals are seen: a pipe or terminal is opened
 * again for that, because the flags of its description belong to others, too. If it cannot be opened again (no /proc,
 * the terminal of another user, the master of a terminal), and for other devices, a timer interrupts each write that
 * blocks. Another process writes files, because only a file system can block that.
 */
#ifndef EVENTS_TRACE_OUTPUT_H
#define EVENTS_TRACE_OUTPUT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "Writer.h"

#define OUTPUT_BUFFER (2u << 20)
#define OUTPUT_BATCH (64u << 10)      /* from so many bytes on lines are written, if that is possible without waiting */
#define OUTPUT_WAIT (256u << 10)      /* from so many bytes on the reader is waited for */
#define OUTPUT_LINE_MAX (1u << 20)    /* longer than any line: each byte of a record can become six */
#define OUTPUT_NOTICE_MAX (64u << 10) /* room for notices of loss, which a full output causes */

/* A line that is not yet written, or not as a whole. */
struct output_line {
    size_t len;      /* with its newline */
    int type;        /* of the events that it stands for; 0: none */
    uint64_t events; /* how many those are */
};

struct output {
    int fd;
    int given_fd; /* of the caller; fd is another one if it was opened again, or is that of a writer */
    int given_flags;
    struct writer writer; /* to a file, unless no process can be started */
    bool regular;         /* a file */
    bool socket;
    bool blocks; /* a write to it may block: the timer interrupts it */
    timer_t timer;
    bool slow;     /* a pipe, socket, terminal or writer: it may have to be waited for */
    bool own_pipe; /* a pipe that standard error does not go to */
    char *buffer;
    size_t size;
    size_t begin, end; /* of what is not written yet, in the buffer */
    size_t next_try;   /* when `end` is beyond this, to write without waiting */
    struct output_line *lines;
    size_t first_line, line_end, line_room;
    size_t partial;   /* bytes of the first line that are in the file already */
    int wake_fd;      /* readable when a wait is to end, for a signal; -1: none */
    bool patient;     /* the reader is waited for */
    bool interrupted; /* wake_fd is readable: to be read before the next wait */
    bool stuck;       /* poll reports room, but a write takes nothing */
    int full;         /* errno of the last write, if it failed for lack of room */
    bool closed;      /* nobody reads any more */
    int error;        /* errno of a failure that will not pass */
    bool has_deadline;
    int64_t deadline_ms; /* monotonic */
    int grace_ms;        /* for which a writer is waited for after that, in all */
};

/*
 * Begin with room for `size` bytes. One that is not `patient` never waits. 0 or a negative errno; end with
 * output__fini.
 */
int output__init(struct output *output, int fd, size_t size, bool patient, int wake_fd);

/* Return what to poll to learn that the reader is gone, and take what poll has found. */
struct pollfd output__watch(const struct output *output);
void output__look(struct output *output, const struct pollfd *watched);

/*
 * Reserve room for a line of up to `size` bytes and its newline. NULL if there is none: then the line is to be dropped.
 * A notice may use the room for notices.
 */
static inline char *output__reserve(struct output *output, size_t size);
char *output__reserve_notice(struct output *output, size_t size);

/* Commit a line of `len` bytes in the reserved room; a newline is added. It stands for so many events, or none. */
void output__commit(struct output *output, size_t len);
static inline void output__commit_events(struct output *output, size_t len, int type, uint64_t events);

/*
 * Write what is buffered. Returns false if nothing can be written any more. What is left after true is for later: the
 * file is full, the wait was interrupted, or the reader is not waited for.
 */
bool output__flush(struct output *output);

/*
 * Do not wait for the reader for longer than `ms` in all from now on, nor for a writer for longer than half as long
 * after that: most answer at once, and then everything is written.
 */
void output__set_deadline(struct output *output, int ms);

/* Return the lines that are left; how many there are. */
size_t output__left(const struct output *output, const struct output_line **ret_lines);

/* Close the descriptor in a child that writes nothing: the reader would wait for the end of the child, too. */
void output__abandon(const struct output *output);

/* Remove half a line from a regular file, free the buffer, and leave the descriptor as it was. */
void output__fini(struct output *output);

/* Make room for a line, and write a batch: the slow paths of the two functions below. */
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
