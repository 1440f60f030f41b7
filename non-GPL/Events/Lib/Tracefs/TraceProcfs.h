/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceProcfs.h - reads what /proc has of other processes' memory, without waiting for them.
 *
 * A read of /proc/PID/cmdline or environ needs the process' lock of its memory, which somebody can hold for as long as
 * they like: a page fault of a file in FUSE does. So a thread reads, and is given up if it takes too long. It is freed
 * when its read ends. So many may be stuck at a time, and so long is waited a second; beyond that nothing is read.
 */
#ifndef EBPF_TRACE_PROCFS_H
#define EBPF_TRACE_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_PROCFS_STUCK_MAX 4

struct procfs_reader;

struct trace_procfs {
    struct procfs_reader *reader; /* NULL: none yet, or it is stuck */
    uint64_t second, waited_ns;   /* how long was waited in this second, CLOCK_MONOTONIC */
};

void trace_procfs__fini(struct trace_procfs *procfs);

/* Read a file of a process, up to `size` bytes. Returns how many there are; 0 if it cannot be read in time. */
size_t trace_procfs__read(struct trace_procfs *procfs, uint32_t tgid, const char *file, char *ret_data, size_t size);

/*
 * Return whether a process is still the one, and has the program, of a record.
 * @param args_begin where that has its arguments, which differs from program to program; 0: whichever program
 * @param time_ns when it was made (boot clock)
 */
bool trace_procfs__is_program(uint32_t tgid, uint64_t args_begin, uint64_t time_ns);

#endif
