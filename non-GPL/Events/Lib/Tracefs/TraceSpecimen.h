/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceSpecimen.h - children of this process whose task_structs have what no other structure has, to be searched for.
 */
#ifndef EBPF_TRACE_SPECIMEN_H
#define EBPF_TRACE_SPECIMEN_H

#include <stdint.h>
#include <sys/types.h>

#include "TracePeek.h"

#define TASK_BYTES 12288    /* a task_struct without its thread_struct; what is behind it is not read as part of it */
#define TASK_BYTES_MIN 1024 /* that a task_struct has at least */
#define TASK_WORDS (TASK_BYTES / 8)
#define SPECIMENS 2
#define SPECIMEN_DIR "/proc/self/fdinfo" /* where the second one is: a directory that is always there, with a parent */
#define SPECIMEN_DIR_NAME "fdinfo"

/* The size of the first one's terminal, a struct winsize: rows, columns, pixels. */
#define SPECIMEN_WINDOW UINT64_C(0x1f391e2a1c4d1a5b)

/* A child that waits, and what is known of it. */
struct specimen {
    pid_t pid;
    pid_t pgid, sid;
    int socket; /* to it: a byte, or the end, ends it */
    char name[16];
    uint32_t ids[6];        /* uid, gid, suid, sgid, euid, egid, in the order of struct cred */
    uint64_t started, seen; /* between these two it was created, CLOCK_MONOTONIC */
    uint64_t arg_start;
    uint64_t bounding;             /* set of capabilities */
    uint32_t tty_major, tty_minor; /* its controlling terminal; 0: it has none */
    uint32_t status;               /* with which it has ended, as wait has it */
    uint64_t task;                 /* its address */
    uint64_t words[TASK_WORDS];    /* of its task_struct */
};

/*
 * Create the first or second child, wait until it is as it is to be, and read its task_struct. The first one leads a
 * session, has a terminal and is in the root directory, the second one leads a group and is in SPECIMEN_DIR.
 * 0 or -errno; either way it has to be ended.
 */
int specimen__create(struct trace_peek *peek, struct specimen *child, int number);

/* End a child in its way, the first one by itself, the second one by a signal, and read its task_struct again. */
bool specimen__finish(struct trace_peek *peek, struct specimen *child, int number);

void specimen__end(struct specimen *child);

#endif
