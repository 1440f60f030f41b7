/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceConnector.h - the kernel's proc connector: messages about processes (linux/cn_proc.h), by netlink.
 *
 * A message is in the socket as soon as what it is about has happened, and each processor numbers its own, so what was
 * lost is known exactly, but not what it was about. The kernel has no filter for them before 6.6.
 */
#ifndef EBPF_TRACE_CONNECTOR_H
#define EBPF_TRACE_CONNECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "EbpfEvents.h"

/* A message. */
struct trace_notice {
    uint64_t time_ns; /* since boot */
    uint32_t what;    /* PROC_EVENT_… of linux/cn_proc.h */
    uint32_t tid, tgid;
    union {
        uint32_t exit_status; /* as wait has it */
        struct {
            uint32_t real, effective;
        } id; /* new user or group ids */
        struct {
            uint32_t tid, tgid;
        } tracer; /* 0: none any more */
    };
    char comm[EBPF_COMM_LEN];
};

#define TRACE_NOTICES_MAX 16384 /* that are read ahead; more stay in the socket */
#define TRACE_CHANGES 4096

/* What can change of a process so that /proc has something else. All of it does if its id is used again. */
enum trace_change_kind { TRACE_CHANGE_IMAGE, TRACE_CHANGE_UID, TRACE_CHANGE_GID, TRACE_CHANGE_KINDS };

#define TRACE_CHANGE_ANY ((1u << TRACE_CHANGE_KINDS) - 1)

/* When that last happened, to a process or another one whose id leads here. */
struct trace_change {
    uint64_t time_ns[TRACE_CHANGE_KINDS];
};

/* The messages of a processor. */
struct trace_numbers {
    uint32_t first, next; /* of the lowest number, behind the highest */
    uint64_t read;        /* 0: none so far */
};

struct trace_connector {
    int fd;                       /* -1: closed */
    struct trace_notice *notices; /* a ring, by time */
    uint32_t begin, count;
    bool has_more; /* the socket had more than there was room for */
    struct trace_change changes[TRACE_CHANGES];
    struct trace_numbers *numbers;
    uint32_t cpu_count;
    int64_t boot_offset_ns; /* from the monotonic clock to that of boot */
    uint64_t missing;       /* messages at the last count, which may still have come */
    uint64_t lost;
};

/* Open it, and ask for messages. 0 or -errno, with it closed. */
int trace_connector__open(struct trace_connector *connector);
void trace_connector__close(struct trace_connector *connector);

/* Ask for no more messages. Those that were sent can still be read. */
void trace_connector__stop(const struct trace_connector *connector);

/* Read what is in the socket, as far as there is room. */
void trace_connector__read(struct trace_connector *connector);

/* Count what was lost: what was missing at the last count already; or, if `all`, what is missing now. */
void trace_connector__count(struct trace_connector *connector, bool all);

/* Return the oldest message that was read; NULL if there is none. */
const struct trace_notice *trace_connector__first(const struct trace_connector *connector);

/* Drop that one. If the socket had more than there was room for, go on reading. */
void trace_connector__drop(struct trace_connector *connector);

/*
 * Read, and return whether nothing of these kinds (bits) has happened to a process since a time. So what /proc had of
 * it before this call is what it was at that time. False also if that is not known.
 */
bool trace_connector__is_latest(struct trace_connector *connector, uint32_t tgid, uint64_t time_ns, uint32_t kinds);

#endif
