/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceRoot.h - the root directories of processes, and PROCESS_CHROOT. */
#ifndef EBPF_TRACE_ROOT_H
#define EBPF_TRACE_ROOT_H

#include "TraceEvents.h"
#include "TracePaths.h"

/*
 * Find out where the root directory of a process is, if that is not the host's. The table has it if the process or its
 * parent did; else it is read from /proc. False if it is the host's, or not known.
 * @param root what the kernel has as its root directory, a struct path
 * @param mnt_ns its mount namespace: roots of others than the host's are not known
 * @param time_ns when it had that (boot clock)
 */
bool trace_root__find(const struct trace_events *events, struct process *process, const uint64_t root[2],
                      uint32_t mnt_ns, uint64_t time_ns, struct trace_path *ret_root);

/* Cut a path at a root directory, NULL: none; it is marked if it is not below that. */
void trace_root__cut(struct trace_path *path, const struct trace_path *root);

/* Make the event of a record, or keep what it has for a later one. False if it is none of these probes. */
bool trace_chroot__take(struct trace_events *events, const struct trace_values *v);

#endif
