/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceEvents.h - makes events of what the probes have recorded, in the order in which it happened.
 */
#ifndef EBPF_TRACE_EVENTS_H
#define EBPF_TRACE_EVENTS_H

#include "../Processes.h"
#include "../Threads.h"
#include "TraceArgs.h"
#include "TraceFlows.h"
#include "TraceIds.h"
#include "TraceMounts.h"
#include "TraceRing.h"
#include "TraceSelect.h"
#include "TraceSockets.h"

struct trace_files;

struct trace_events {
    struct trace_ring rings[EBPF_RING_COUNT];
    struct processes processes;
    struct threads threads;
    struct trace_mounts mounts;
    struct trace_selection selection;
    struct trace_args args;
    struct trace_ids ids;
    struct trace_sockets sockets;
    struct trace_flows flows;
    struct trace_closing closings[TRACE_CLOSINGS];
    struct trace_backlog backlogs[TRACE_BACKLOGS];
    struct trace_attempt attempts[TRACE_ATTEMPTS];
    struct trace_files *files;
    uint64_t root_mount, root_dentry; /* of the host */
    uint32_t host_mnt_ns;
    uint64_t shm_distance; /* of a namespace's table of shared memory segments behind the namespace; 0: not known yet */
    uint32_t shm_teacher;  /* the thread whose call shows it */
    uint64_t mptcp_ulp;    /* of TCP sockets below those of MPTCP */
    struct ebpf_event_set wanted;
    uint32_t self; /* id of this process */
    bool env;      /* environments are asked for */
    void *spare;   /* for events without room in their ring: they count as missed */
    uint64_t seqs[EBPF_RING_COUNT];
    uint64_t delivered[EBPF_EVENT_TYPE_COUNT];
    uint64_t filtered[EBPF_EVENT_TYPE_COUNT];
    uint64_t missed[EBPF_EVENT_TYPE_COUNT]; /* by unknown threads, without a return, or without memory */
};

/* Prepare; the tables of processes and threads are read later, when the probes are on. 0 or -errno. */
int trace_events__init(struct trace_events *events, const struct ebpf_source_opts *opts,
                       struct ebpf_ringbuf *ret_rings);
void trace_events__fini(struct trace_events *events);

/* Return whether there is room for the event of any record. */
bool trace_events__have_room(const struct trace_events *events);

/* Make the event of a record, if it is one. There has to be room. */
void trace_events__take(struct trace_events *events, const struct trace_values *values);

/* Return whether an event of a process is to be made; it is counted if it is not. */
bool trace_event__is_wanted(struct trace_events *events, enum ebpf_event_type type, const struct trace_actor *actor,
                            uint32_t tgid);

/*
 * Begin an event whose fixed part has `size` bytes, and end it. A record makes one event mostly; the room that
 * trace_events__have_room looks for is enough for some more.
 */
void *trace_event__begin(struct trace_events *events, enum ebpf_ring ring, enum ebpf_event_type type, size_t size,
                         const struct trace_values *v);
void trace_event__end(struct trace_events *events, enum ebpf_ring ring, const struct ebpf_event_header *hdr);

/* Leave out an event that was begun, as filtered. */
void trace_event__drop(struct trace_events *events, enum ebpf_ring ring, const struct ebpf_event_header *hdr);

/* A process was moved to another cgroup. */
void trace_events__move(struct trace_events *events, uint32_t tgid, struct slice cgroup);

#endif
