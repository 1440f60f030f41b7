/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TracePeek.h - reads the kernel's memory through a probe, to find where its structures have their members.
 *
 * A probe at the function of a harmless system call, getsid, fetches words from the address that the first argument of
 * the call holds. So one definition of 128 words reads any memory, 1 KiB a call. The address is that of the caller's
 * registers, which the function gets by pointer (4.17 and later).
 *
 * The probe is for the calling thread alone (set_event_pid), or any process could have the kernel read any one. That
 * thread has only addresses read near one that the kernel itself has given: those of its linear mapping of memory. An
 * address that is not canonical makes 5.10 warn in its log, and one of a device could act.
 */
#ifndef EBPF_TRACE_PEEK_H
#define EBPF_TRACE_PEEK_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "TraceInstance.h"

#define PEEK_WORDS 128
#define PEEK_IMAGE_WORDS 40
#define PEEK_WATCHES 8
#define PEEK_WATCH_WORDS 8

struct trace_peek {
    struct trace_instance *in;
    cpu_set_t cpus; /* where the calling thread may run afterwards */
    int cpu_fd;     /* the calling thread is bound to the CPU of this buffer */
    uint16_t event; /* id of the probe's event */
    uint16_t fork;  /* of the probe that has the address of a new task */
    uint16_t image; /* of the probe that has the beginning of a struct linux_binprm; 0: it is not there */
    uint16_t stat;  /* of the probe that has the path of a file whose status is read */
    uint16_t xattr; /* of the probe that has the arguments of a function */
    bool has_stat, has_xattr;
    uint64_t near; /* an address in the linear mapping; 0: none is known yet */
    int watches;
    uint16_t watch_events[PEEK_WATCHES];
    bool watch_words[PEEK_WATCHES];
};

/* Define and enable the probes. 0 or -errno; end with trace_peek__end. */
int trace_peek__begin(struct trace_peek *peek, struct trace_instance *in);
void trace_peek__end(struct trace_peek *peek);

/* Return the address of the task that this thread has created last; 0 if it was not seen. */
uint64_t trace_peek__new_task(struct trace_peek *peek);

/*
 * Try to execute an open file, which is no program, and return what the kernel had of that, a struct linux_binprm.
 * False if it was not seen.
 */
bool trace_peek__image(struct trace_peek *peek, int fd, uint64_t ret_words[PEEK_IMAGE_WORDS]);

/* What was seen of a call that is watched. */
struct trace_watched {
    uint64_t arguments[2];
    uint64_t words[PEEK_WATCH_WORDS]; /* to which the second one points; 0 if they are not watched */
};

/*
 * Watch this thread's calls of a kernel function. With `words`, its second argument is a pointer. Returns a number of
 * the watch; -errno, also if there is no such function.
 */
int trace_peek__watch(struct trace_peek *peek, const char *function, bool words);

/* Return whether such a call was seen, and the last one. */
bool trace_peek__watched(struct trace_peek *peek, int watch, struct trace_watched *ret_watched);

/*
 * Return the addresses of an open file's struct path and of its dentry, or those of the file at a path, a symbolic link
 * not followed; the struct path of that one is gone. False if it was not seen.
 */
bool trace_peek__file(struct trace_peek *peek, int fd, uint64_t *ret_path, uint64_t *ret_dentry);
bool trace_peek__link(struct trace_peek *peek, const char *path, uint64_t *ret_dentry);

/* Return the first two arguments with which the kernel sets an attribute of an open file, which may fail. */
bool trace_peek__xattr(struct trace_peek *peek, int fd, uint64_t ret_arguments[2]);

/* Read PEEK_WORDS words. False if the address is not one to read. What cannot be read is 0. */
bool trace_peek__read(struct trace_peek *peek, uint64_t address, uint64_t ret_words[PEEK_WORDS]);

#endif
