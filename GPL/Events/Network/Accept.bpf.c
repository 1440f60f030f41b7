// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * NETWORK_CONNECTION_ACCEPTED: a process took a connection from a listening socket.
 * NETWORK_LISTEN: a process began to listen.
 *
 * Accepted: the end of inet_csk_accept, which accept, accept4, io_uring and MPTCP come to, and whose value is the new
 * socket. What is told of a connection before (SYN_RECV to ESTABLISHED) happens in an interrupt, in no process.
 *
 * Listen: the end of inet_csk_listen_start, which the socket of each address comes to once; a second listen() with
 * another backlog does not. inet_listen is passed by by MPTCP on 7.x.
 *
 * Misses: nothing known.
 */
#include "Network.h"

struct spare_body_map accept_body SEC(".maps");

SEC("ebpf.fexit/inet_csk_accept")
int BPF_PROG(fexit__inet_csk_accept)
{
    struct sock *sk = compat__accepted_sock(ctx);
    SPARE_BODY(ctx, accept_body);
    struct tcp_sock *tp = emit_runtime.live && sk ? bpf_skc_to_tcp_sock(sk) : NULL;

    if (!tp || current__is_kernel_thread() || NETWORK_IS_DONE(sk, SPARE_ACCEPT, 2))
        return 0;
    u16 sport = tcp__sport(tp);
    struct socket_entry *e =
        connections__are_kept() ? socket__keep(sk, socket__ends(sk, sport), SOCKET_ACCEPTED) : NULL;

    if (e && sk->__sk_common.skc_state == TCP_CLOSE) { /* reset while nobody had accepted it */
        e->ended_in = TCP_ESTABLISHED;
        e->error = sk->sk_err;
    }
    struct scratch *s = event__is_wanted(EBPF_EVENT_NETWORK_CONNECTION_ACCEPTED)
                            ? EMIT_BEGIN(NETWORK_CONNECTION_ACCEPTED, network_connection_accepted)
                            : NULL;

    if (!s)
        return 0;
    struct ebpf_network_connection_accepted_event *event = (void *)s->data;

    if (e)
        owner__copy(&event->hdr, &event->pids, e);
    else
        current__fill(s, &event->pids);
    event->hdr.flags =
        (tcp__is_mptcp(tp) ? EBPF_ACCEPT_F_MPTCP : 0) | (e || !connections__are_kept() ? 0 : EBPF_ACCEPT_F_UNTRACKED);
    net_info__fill(&event->net, sk, sport);
    EMIT_SUBMIT(s, NETWORK_CONNECTION_ACCEPTED);
    return 0;
}

#define ACCEPT_SPARE(n, place)                                                                                         \
    SEC("ebpf.fexit/inet_csk_accept")                                                                                  \
    int BPF_PROG(fexit__inet_csk_accept_spare##n)                                                                      \
    {                                                                                                                  \
        struct sock *sk = compat__accepted_sock(ctx);                                                                  \
                                                                                                                       \
        return sk ? NETWORK_RUN_SPARE(ctx, &accept_body, sk, SPARE_ACCEPT, place) : 0;                                 \
    }

ACCEPT_SPARE(1, 1)
ACCEPT_SPARE(2, 0)

SEC("ebpf.fexit/inet_csk_listen_start")
int BPF_PROG(fexit__inet_csk_listen_start, struct sock *sk)
{
    if ((int)compat__func_ret(ctx, 2) || sk->sk_protocol != IPPROTO_TCP || current__is_kernel_thread())
        return 0;
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
    struct scratch *s = tp ? EMIT_BEGIN(NETWORK_LISTEN, network_listen) : NULL;

    if (!s)
        return 0;
    struct ebpf_network_listen_event *event = (void *)s->data;

    current__fill(s, &event->pids);
    net_info__fill(&event->net, sk, tcp__sport(tp));
    /* the destination is what the socket was last connected to, if it was */
    __builtin_memset(&event->net.destination, 0, sizeof(event->net.destination));
    event->net.destination_port = 0;
    net_info__set_family(&event->net, &event->net.source);
    if (event->net.family == EBPF_FAMILY_INET)
        ip__set_v4(&event->net.destination, 0);
    event->backlog = sk->sk_max_ack_backlog;
    event->reserved = 0;
    event->hdr.flags = tcp__is_mptcp(tp) ? EBPF_LISTEN_F_MPTCP : 0;
    EMIT_SUBMIT(s, NETWORK_LISTEN);
    return 0;
}
