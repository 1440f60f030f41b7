/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceSockets.h - the TCP connections that processes have, by the address of their sockets: who opened or accepted
 * one, and how it has ended.
 *
 * An entry stays until its connection is closed or fails. The address may then be that of another socket, which begins
 * with an entry of its own.
 */
#ifndef EBPF_TRACE_SOCKETS_H
#define EBPF_TRACE_SOCKETS_H

#include "../Processes.h"

#define TRACE_SOCKETS_MAX 65536

enum trace_role {
    TRACE_ROLE_OPENED = 1,
    TRACE_ROLE_ACCEPTED,
    TRACE_ROLE_FOUND, /* established before the probes were on: only its end is known */
};

struct trace_socket {
    struct trace_socket *next; /* in its bucket */
    uint64_t sk;               /* its address */
    uint64_t since;            /* boot time, ns */
    enum trace_role role;
    unsigned int ended_in; /* TCP state in which the connection ended; 0: it has not */
    uint32_t error;        /* of the socket, at that time */
    bool passes;           /* the selection, as its owner did */
    bool is_mptcp;
    struct ebpf_net_info net;
    struct ebpf_pid_info owner;
    char comm[EBPF_COMM_LEN];
};

struct trace_sockets {
    struct trace_socket **buckets;
    uint32_t count;
    uint64_t untracked; /* connections for which there was no room */
};

#define TRACE_CLOSINGS 256 /* notes, by thread */
#define TRACE_BACKLOGS 256
#define TRACE_ATTEMPTS 256

/* The socket that a thread was seen to close last. */
struct trace_closing {
    uint32_t tid;
    uint64_t sk;
};

/* What a thread was seen to call listen with last. */
struct trace_backlog {
    uint32_t tid;
    uint32_t backlog;
};

/* How a thread was seen to connect last. */
struct trace_attempt {
    uint32_t tid;
    uint64_t sk; /* 0: the call has returned */
    bool was_sent;
    struct ebpf_net_info net;
};

/* Make room for the table. 0 or -ENOMEM. */
int trace_sockets__init(struct trace_sockets *sockets);
void trace_sockets__fini(struct trace_sockets *sockets);

/* Find the entry of a socket; NULL if it has none. */
struct trace_socket *trace_sockets__find(const struct trace_sockets *sockets, uint64_t sk);

/*
 * Begin an empty entry for a connection, in place of what an earlier one at this address has left. If the table is
 * full, those make room whose process has ended. NULL: there is no room.
 */
struct trace_socket *trace_sockets__put(struct trace_sockets *sockets, const struct processes *processes, uint64_t sk);

void trace_sockets__remove(struct trace_sockets *sockets, uint64_t sk);

#endif
