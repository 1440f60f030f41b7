/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Points.h - events of kernels that have no kprobes either: from the kernel's own tracepoints and the proc connector,
 * and what /proc has of a process when they are read. What each event lacks is in PointsBackend.c.
 */
#ifndef EBPF_POINTS_H
#define EBPF_POINTS_H

#include "TraceConnector.h"
#include "TraceEvents.h"
#include "TracePaths.h"
#include "TracePoints.h"
#include "TraceProbes.h"
#include "PointsSockets.h"

#define POINTS_UNKNOWN_ID UINT32_MAX /* no user or group has this one */

struct points {
    struct trace_points points;
    struct trace_connector connector;
    struct trace_events events;
    struct points_sockets sockets;
    struct trace_values at; /* of the event that is made, its time alone */
};

/* Read the tables of threads and processes; tracepoints and connector are on. 0 or -errno. */
int points_threads__init(struct points *points);

/* Something was lost: read the tables of threads again, or a process with too many would never end. */
void points_threads__repair(struct points *points);

/* Count a thread that has begun. NULL: no memory. */
struct thread *points_thread__begin(struct points *points, uint32_t tid, struct process *process);

/* A thread has ended, or has another id. */
void points_thread__end(struct points *points, uint32_t tid);

/* Find a process; one that was not seen to begin is read from /proc. NULL if it is gone. */
struct process *points_process__find(struct points *points, uint32_t tgid);

/* The thread that acts. */
struct points_actor {
    struct thread *thread;   /* NULL: not known */
    struct process *process; /* likewise */
    struct ebpf_pid_info pids;
    struct ebpf_cred_info creds;
    struct ebpf_ns_info ns;
    char comm[EBPF_COMM_LEN];
};

void points_actor__find(struct points *points, uint32_t tid, struct points_actor *ret_actor);

/* Return whether an event of a type is to be made; it is counted if it is not. */
bool points_actor__is_wanted(struct points *points, enum ebpf_event_type type, const struct points_actor *actor);

/* Begin an event of an actor, and end it. */
void *points_event__begin(struct points *points, enum ebpf_event_type type, size_t size, uint64_t time_ns,
                          const char comm[EBPF_COMM_LEN]);
void points_event__end(struct points *points, const struct ebpf_event_header *hdr);

/* What /proc has of a thread, and that nothing has changed since. */
struct points_now {
    uint32_t ppid, pgid, sid;
    struct ebpf_tty_dev ctty;
    struct ebpf_cred_info creds;
    uint32_t fsuid, fsgid;
    struct ebpf_ns_info ns;
};

/* Read it. False if it is gone, or something of these kinds (bits) has changed since `time_ns`. */
bool points_now__read(struct points *points, uint32_t tid, uint32_t tgid, uint64_t time_ns, uint32_t kinds,
                      struct points_now *ret_now);

/* Read a link of a process, "exe", "cwd" or "root". False, and a path that is cut, if it is gone. */
bool points_link__read(uint32_t tgid, const char *link, struct trace_path *ret_path);

/* Take what a tracepoint or the connector has. There has to be room in the ring. */
void points_fork__take(struct points *points, const struct trace_hit *hit);
void points_rename__take(struct points *points, const struct trace_hit *hit);
void points_program__take(struct points *points, const struct trace_hit *hit);
void points_exec__take(struct points *points, uint32_t tid, uint64_t time_ns);
void points_ending__take(struct points *points, const struct trace_hit *hit);
void points_exit__take(struct points *points, const struct trace_notice *notice);
void points_notice__take(struct points *points, const struct trace_notice *notice);
void points_state__take(struct points *points, const struct trace_hit *hit);
void points_reset__take(struct points *points, const struct trace_hit *hit);

#endif
