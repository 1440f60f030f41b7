/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceInstance.h - a private instance of tracefs, and a group of probes of the same name.
 *
 * Probes are defined for the whole machine, but enabled in the instance alone, so nothing of theirs gets into the
 * buffers of others. The name has the process and its start time: what a killed process has left behind is found by it
 * and removed by the next one. An instance whose buffers are open cannot be removed (EBUSY), which protects those of
 * processes that are not visible here.
 */
#ifndef EBPF_TRACE_INSTANCE_H
#define EBPF_TRACE_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "Log.h"

#define TRACE_NAME_LEN 48
#define TRACE_NAME_PREFIX "ebpfev_" /* of instances: then the process, its start and a number, each behind a _ */

struct trace_instance {
    int root;                  /* descriptor of the directory of tracefs */
    int dir;                   /* of the instance */
    int enable;                /* of its file events/enable */
    int profile;               /* of the file kprobe_profile; -1: the kernel has no kprobes */
    char name[TRACE_NAME_LEN]; /* of the instance and the group */
    struct ebpf_log log;
};

#define TRACE_INSTANCE_NONE ((struct trace_instance){.root = -1, .dir = -1, .enable = -1, .profile = -1})

/*
 * Create an instance with the clock of boot, overwriting what is oldest, and buffers of `kib` KiB for each CPU. 0 or
 * -errno, logged, with nothing left behind.
 */
int trace_instance__open(struct trace_instance *in, const struct ebpf_log *log, unsigned int kib);

/* Return whether probes can be defined; there are the kernel's own tracepoints else. */
static inline bool trace_instance__has_kprobes(const struct trace_instance *in)
{
    return in->profile >= 0;
}

/* Remove the probes and the instance. Everything that was opened in it has to be closed. */
void trace_instance__close(struct trace_instance *in);

/* Define probes, a line each, of the group. 0 or -errno. */
int trace_instance__define(const struct trace_instance *in, const char *lines);

/* Remove a probe, which has to be disabled. */
void trace_instance__undefine(const struct trace_instance *in, const char *event);

/* Enable or disable a probe. 0 or -errno. */
int trace_instance__enable(const struct trace_instance *in, const char *event, bool enable);

/* Disable all probes. It needs neither a free descriptor nor the privileges of the start. */
void trace_instance__disable(const struct trace_instance *in);

/*
 * Read how often each probe of the machine was hit, a line each. It needs neither a free descriptor nor the privileges
 * of the start. The text belongs to the caller. NULL with errno if that fails.
 */
char *trace_instance__profile(const struct trace_instance *in);

/* Write to a file of the instance. 0 or -errno. */
int trace_instance__write(const struct trace_instance *in, const char *file, const char *text);

/* Open the raw buffer of a CPU without blocking. A descriptor or -errno. */
int trace_instance__open_cpu(const struct trace_instance *in, int cpu);

/*
 * Open the raw buffers of all CPUs without blocking, also of those that are not online yet. Returns their number, with
 * `ret_fds`, which belong to the caller, as does the array; or -errno.
 */
int trace_instance__open_cpus(const struct trace_instance *in, int **ret_fds);

/* Return when a process started, in ticks since boot; 0 if there is none. */
uint64_t trace_process__start(unsigned long pid);

/* Read a file of a directory whole, and end it with a NUL. It belongs to the caller. NULL with errno if that fails. */
char *trace_file__read(int dir, const char *file, size_t *ret_size);

/* Likewise, but little more than `most` bytes of it. */
char *trace_file__read_some(int dir, const char *file, size_t most);

#endif
