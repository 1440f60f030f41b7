/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SearchConnections.h - TCP connections of this process with itself, whose sockets are read at each stage; for the
 * search of TraceSearch.h.
 */
#ifndef EBPF_SEARCH_CONNECTIONS_H
#define EBPF_SEARCH_CONNECTIONS_H

#include <linux/tcp.h>

#include "TraceSearch.h"

#define SOCK_WORDS (4 * PEEK_WORDS)
#define SOCK_BYTES (SOCK_WORDS * 8)
#define CONNECTIONS 2
#define CORKED_BYTES 77
#define DROPPED_BYTES 501
#define WAITING_BYTES 333
#define RETRANSMIT_MS 600

/* What has happened to a connection when its socket is read. */
enum stage {
    STAGE_NEW,     /* connected */
    STAGE_USED,    /* both ends have sent something, and all was acknowledged */
    STAGE_CORKED,  /* data waits to be sent */
    STAGE_DROPPED, /* data was sent and not acknowledged, more waits */
    STAGE_AGAIN,   /* the kernel has sent it again */
    STAGE_ENDED,   /* the peer has sent its end */
    STAGES
};

struct connection {
    int client, server;
    uint64_t sk; /* of the client */
    uint32_t saddr, daddr;
    uint16_t sport, dport; /* network byte order, like the addresses */
    struct tcp_info used, again;
    uint64_t words[STAGES][SOCK_WORDS];
};

struct connections {
    struct search *s;
    int listener, deaf; /* that one does not listen */
    int watch;
    struct connection of[CONNECTIONS];
};

/* Make the connections, and read their sockets. False if that fails. */
bool connections__open(struct connections *k, struct search *s);
void connections__close(const struct connections *k);

/* Return the address of the socket that connected last; 0 if that was not seen. */
uint64_t connections__last(const struct connections *k);

#endif
