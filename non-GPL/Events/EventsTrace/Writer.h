/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writer.h - a process that writes to a file for this one.
 *
 * A file system that does not answer (FUSE, NFS, a disk, one that is frozen) blocks every writer of its files,
 * and often not even SIGKILL ends that. So another process holds the file, and this one waits for it for as long as it
 * wants to. Starting one closes the file, which its file system has to answer still.
 */
#ifndef EVENTS_TRACE_WRITER_H
#define EVENTS_TRACE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define WRITER_ROOM (256u << 10) /* bytes that it takes at once */

/* Zero if there is none. */
struct writer {
    pid_t pid;
    int fd;       /* readable when it has answered, and at its end */
    char *room;   /* memory of both processes, for what is to be written */
    size_t asked; /* bytes that it is writing; 0: it is idle */
};

/*
 * Start one for a file that is opened for appending. It removes half a line from its end when this process has ended or
 * calls writer__end, and sets the flags of the description to `flags`. This process has /dev/null for the file from
 * then on: closing a file, too, waits for its file system. 0 or a negative errno.
 */
int writer__start(struct writer *ret_writer, int file, int flags);

/* Make it write up to WRITER_ROOM bytes, which are copied; it must be idle. False, with errno, for lack of memory. */
bool writer__ask(struct writer *writer, const char *from, size_t len);

/*
 * Return what write has returned, after which it is idle; -1 with errno EINTR while it is writing, ECHILD if it has
 * ended, or that of the write.
 */
ssize_t writer__answer(struct writer *writer);

/* Wait up to `ms` for it to end, and free it. If it does not end in time, it ends once its file system answers. */
void writer__end(struct writer *writer, int ms);

/* Remove the `len` bytes before `end`, half a line, unless somebody else has written to the file since. */
void file__remove_half_line(int file, size_t len, off_t end);

#endif
