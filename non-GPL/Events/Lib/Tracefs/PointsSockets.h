/* SPDX-License-Identifier: BSD-2-Clause */
/* PointsSockets.h - a table of connections that were seen to begin: whose they are, and how they end. */
#ifndef EBPF_POINTS_SOCKETS_H
#define EBPF_POINTS_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "EbpfEvents.h"

/* A process that has done something to a connection. */
struct points_party {
    struct ebpf_pid_info pids; /* tid 0: not known */
    struct ebpf_ns_info ns;
    uint32_t uid;
    char comm[EBPF_COMM_LEN];
};

struct points_socket {
    uint64_t sk;   /* address of the kernel's struct sock; 0: this entry is free */
    uint32_t next; /* in its bucket, or of the free ones; 0: none */
    bool is_reset; /* by the peer */
    uint32_t close_reason;
    uint64_t since_ns; /* of the attempt */
    struct points_party owner, closer;
};

#define POINTS_SOCKETS_MAX 16384
#define POINTS_SOCKETS_BUCKETS 4096

struct points_sockets {
    struct points_socket *all; /* from 1 */
    uint32_t used, free;
    uint32_t buckets[POINTS_SOCKETS_BUCKETS];
};

/* Make an empty table. 0 or -ENOMEM. */
int points_sockets__init(struct points_sockets *sockets);
void points_sockets__fini(struct points_sockets *sockets);

/* Find a connection; NULL if it is not in the table. */
struct points_socket *points_sockets__find(struct points_sockets *sockets, uint64_t sk);

/* Find it, or add it; NULL if there is no room. */
struct points_socket *points_sockets__get(struct points_sockets *sockets, uint64_t sk);

/* It has ended. */
void points_sockets__drop(struct points_sockets *sockets, uint64_t sk);

/* Forget all: ends were lost. */
void points_sockets__clear(struct points_sockets *sockets);

#endif
