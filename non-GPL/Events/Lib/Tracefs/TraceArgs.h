/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceArgs.h - strings of forks, execs and chroots: names of directories and programs, arguments, environment.
 *
 * Strings are fetched by probes of their own, whose records may be too long for the kernel to keep (a page), and are
 * noted for the record of the fork, exec or chroot, which the same thread makes next. Arguments are fetched before a
 * tracer can change them. Those that were not fetched are read from /proc, and compared with their length and first
 * bytes; so is the environment.
 */
#ifndef EBPF_TRACE_ARGS_H
#define EBPF_TRACE_ARGS_H

#include "TracePaths.h"
#include "TraceProbes.h"
#include "TraceProcfs.h"

#define ARGS_BUCKETS 256
#define ARGS_NOTES_MAX 4096 /* of threads; a tracer can stop each of them between the probes for as long as it likes */

struct args_note;

struct trace_args {
    struct args_note *buckets[ARGS_BUCKETS]; /* by thread */
    unsigned int count;
    bool sees_scripts; /* the kernel has the probes that it takes */
    struct trace_procfs procfs;
};

void trace_args__fini(struct trace_args *args);

/* Keep what a record has for that of the fork, exec or chroot, which follows. False if it is none of these probes. */
bool trace_args__note(struct trace_args *args, const struct trace_values *v);

/* The fork, exec or chroot of a thread was reported: drop what was noted for it. */
void trace_args__drop(struct trace_args *args, uint32_t tid);

/*
 * Find names that were noted for a record. They are empty if the kernel did not keep theirs.
 * @param first the value that is the leaf
 */
void trace_args__names(const struct trace_args *args, const struct trace_values *v, enum trace_value first,
                       struct slice ret_names[TRACE_NAMES_MAX]);

/* Keep what a record has of the script that a process is about to execute. False if it is of none of these probes. */
bool trace_script__note(struct trace_args *args, const struct trace_values *v, uint32_t tgid);

/*
 * Find the script that a process has executed. False if it was none; without names it is not known whether it was one,
 * or which.
 */
bool trace_script__find(const struct trace_args *args, uint32_t tgid, struct trace_names *ret_names);

/* The exec was reported. */
void trace_script__drop(struct trace_args *args, uint32_t tgid);

/* Return the number of arguments of an exec. */
uint32_t trace_args__count(const struct trace_args *args, const struct trace_values *v);

/* Add the arguments to an event. */
void trace_args__add(struct trace_args *args, struct ebpf_event_header *hdr, const struct trace_values *v);

/* Add the environment of a process to an event; what is left of it, if the process is gone. */
void trace_env__add(struct trace_args *args, struct ebpf_event_header *hdr, const struct trace_values *v);

#endif
