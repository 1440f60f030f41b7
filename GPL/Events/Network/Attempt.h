/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Attempt.h - the records of attempts to connect, and of those that fail in the process. */
#ifndef EBPF_NETWORK_ATTEMPT_H
#define EBPF_NETWORK_ATTEMPT_H

#include "Network.h"

/* Fill in an attempt of the current task, which the entry `e` has, if there is one. */
static __always_inline void attempted__fill(struct scratch *s, struct ebpf_network_connection_attempted_event *event,
                                            struct socket_entry *e, bool is_mptcp)
{
    if (e)
        owner__copy(&event->hdr, &event->pids, e);
    else
        current__fill(s, &event->pids);
    event->hdr.flags =
        (is_mptcp ? EBPF_ATTEMPT_F_MPTCP : 0) | (e || !connections__are_tracked() ? 0 : EBPF_ATTEMPT_F_UNTRACKED);
}

/* An address given to connect, in the kernel's copy. */
struct connect_address {
    u16 family, port;
    u32 v4_or_flow;
    struct ebpf_ip v6;
};

/* The minimum lengths of addresses that the kernel accepts: that of struct sockaddr_in, and that of RFC 2133. */
#define ADDRESS_V4_MIN 16
#define ADDRESS_V6_MIN 24

/* Set the destination. If it is an IPv4 address and there is no source yet, make that an empty IPv4 address too. */
static __always_inline void net_info__set_destination(struct ebpf_net_info *net, const struct connect_address *to)
{
    net->destination = to->v6;
    net->destination_port = bpf_ntohs(to->port);
    net_info__set_family(net, &to->v6);
    if (net->family == EBPF_FAMILY_INET && !net->source.words[2] && !net->source.words[3])
        ip__set_v4(&net->source, 0);
}

/* The socket of an attempt that fails in the process, before it is under way. */
struct attempt {
    struct sock *sk;
    u16 sport;
    bool is_mptcp, typed;
};

/*
 * Report an attempt and its failure; only the failure if there is an entry `e`, because the attempt was reported
 * before.
 */
static __always_inline void attempt__failed(const struct attempt *a, const struct connect_address *to,
                                            struct socket_entry *e, u32 error)
{
    enum fate fate = e ? e->fate : CURRENT_FATE(network_connection_attempted); /* one decision for both */

    if (!e) {
        EMIT_WANTED(NETWORK_CONNECTION_ATTEMPTED, event, s, fate) {
            attempted__fill(s, event, NULL, a->is_mptcp);
            event->hdr.flags &= ~EBPF_ATTEMPT_F_UNTRACKED;
            net_info__fill_of(&event->net, a->typed, a->sk, a->sport);
            net_info__set_destination(&event->net, to);
        }
    }
    EMIT_WANTED(NETWORK_CONNECTION_FAILED, event, s, fate) {
        current__fill(s, &event->pids);
        net_info__fill_of(&event->net, a->typed, a->sk, a->sport);
        net_info__set_destination(&event->net, to);
        event->error = event->error_number = error;
        event->hdr.flags = a->is_mptcp ? EBPF_FAILED_F_MPTCP : 0;
    }
}

#endif
