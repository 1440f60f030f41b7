/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Network.h - what network events have in common: the two ends, and failed attempts. */
#ifndef EBPF_NETWORK_NETWORK_H
#define EBPF_NETWORK_NETWORK_H

#include <bpf/bpf_endian.h>

#include "../Core/Probe.h"
#include "../Core/Sockets.h"
#include "../Core/Uring.h"

/* Return whether an event that needs stored connections is wanted. */
static __always_inline bool connections__are_tracked(void)
{
    return event__is_wanted(EBPF_EVENT_NETWORK_CONNECTION_CLOSED) ||
           event__is_wanted(EBPF_EVENT_NETWORK_CONNECTION_FAILED);
}

/*
 * Return whether connections may have found no room in the tables. Connections older than the probes are another
 * matter.
 */
static __always_inline bool connections__may_lack_entries(void)
{
    return emit_runtime.sockets_untracked;
}

#define IP_V4_PREFIX bpf_htonl(0xffff)

static __always_inline void ip__set_v4(struct ebpf_ip *ip, u32 address)
{
    ip->words[0] = 0;
    ip->words[1] = 0;
    ip->words[2] = IP_V4_PREFIX;
    ip->words[3] = address;
}

static __always_inline bool ip__is_v4(const struct ebpf_ip *ip)
{
    return !ip->words[0] && !ip->words[1] && ip->words[2] == IP_V4_PREFIX;
}

static __always_inline void net_info__set_family(struct ebpf_net_info *net, const struct ebpf_ip *ip)
{
    net->family = ip__is_v4(ip) ? EBPF_FAMILY_INET : EBPF_FAMILY_INET6;
}

/*
 * Fill in the ends of a TCP socket. Its own port is in `sport`, because the kernel clears its other copy of the port
 * when the connection ends.
 */
static __always_inline void net_info__fill_of(struct ebpf_net_info *net, bool typed, struct sock *sk, u16 sport)
{
    net->transport = EBPF_TRANSPORT_TCP;
    if (KREAD(typed, sk, __sk_common.skc_family) == AF_INET6) {
        kernel__copy(typed, &net->source, &sk->__sk_common.skc_v6_rcv_saddr, sizeof(net->source));
        kernel__copy(typed, &net->destination, &sk->__sk_common.skc_v6_daddr, sizeof(net->destination));
    } else {
        ip__set_v4(&net->source, KREAD(typed, sk, __sk_common.skc_rcv_saddr));
        ip__set_v4(&net->destination, KREAD(typed, sk, __sk_common.skc_daddr));
    }
    net_info__set_family(net, &net->destination);
    net->source_port = bpf_ntohs(sport);
    net->destination_port = bpf_ntohs(KREAD(typed, sk, __sk_common.skc_dport));
    net->network_namespace = sock__net_ns(typed, sk);
    net->reserved = 0;
}

static __always_inline void net_info__fill(struct ebpf_net_info *net, struct sock *sk, u16 sport)
{
    net_info__fill_of(net, true, sk, sport);
}

/* Return the socket that stores the entry of a connection; see socket__more. */
static __always_inline struct sock *tcp__keeper(struct sock *sk, struct tcp_sock *tp)
{
    return compat__is_subflow(tp) ? NULL : sk;
}

/* Return the source port of a socket at an address. */
static __always_inline u16 sock__sport_at(struct sock *sk)
{
    return BPF_CORE_READ((struct inet_sock *)sk, inet_sport);
}

/* Return whether a socket at an address is one of TCP or MPTCP, over IP. */
static __always_inline bool sock__is_stream_at(struct sock *sk)
{
    u32 family = BPF_CORE_READ(sk, __sk_common.skc_family), protocol = BPF_CORE_READ(sk, sk_protocol);

    return (family == AF_INET || family == AF_INET6) && (protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP);
}

/* Return the family of the address with which the current task called connect; a negative number if it did not. */
static __always_inline s32 current__connect_family(void)
{
    struct syscall_begin call;
    u32 address_32 = 0;
    u16 family = AF_UNSPEC;

    syscall__read(&call);
    if (call.is_32 && call.nr == NR_32_socketcall && call.first == SOCKETCALL_CONNECT) {
        bpf_probe_read_user(&address_32, sizeof(address_32), (void *)(call.second + 4));
        call.second = address_32;
    } else if (call.nr != (call.is_32 ? NR_32_connect : NR_connect)) {
        return -1;
    }
    bpf_probe_read_user(&family, sizeof(family), (void *)call.second);
    return family;
}

/*
 * Note that the current task's call has changed a socket, for the program at its end. Return false if there is no
 * memory for that.
 */
static __always_inline bool current__note_socket(struct sock *sk)
{
    struct task_state *state = task_state__get();

    if (state)
        STORE_POINTER(state->socket, sk);
    return state;
}

/* Return whether the current call has changed one of two sockets, and forget it. */
static __always_inline bool current__take_socket(struct sock *sk, struct sock *other)
{
    struct task_state *state = task_state__find();
    u64 noted = state ? state->socket : 0;

    if (noted)
        state->socket = 0;
    return noted && (noted == (u64)sk || noted == (u64)other);
}

static __always_inline u16 tcp__sport(struct tcp_sock *tp)
{
    return tp->inet_conn.icsk_inet.inet_sport;
}

static __always_inline void owner__copy(struct ebpf_event_header *hdr, struct ebpf_pid_info *pids,
                                        const struct socket_entry *e)
{
    *pids = e->owner;
    __builtin_memcpy(hdr->comm, e->comm, EBPF_COMM_LEN);
}

/*
 * Fill in the process of an event: that of the entry; without one the current process if that is known to be it, else
 * zeros.
 */
static __always_inline void owner__fill(struct scratch *s, struct ebpf_pid_info *pids, const struct socket_entry *e,
                                        bool is_current)
{
    struct ebpf_event_header *hdr = (void *)s->data;

    if (e) {
        owner__copy(hdr, pids, e);
    } else if (is_current) {
        current__fill(s, pids);
    } else {
        __builtin_memset(pids, 0, sizeof(*pids));
        __builtin_memset(hdr->comm, 0, EBPF_COMM_LEN);
    }
}

/*
 * Report an attempt that has failed, whose entry has been taken if it has one. This may run in an interrupt: the event
 * has the process that made the attempt. Without an entry that process is not known, unless it is the current one.
 */
static __always_inline void connection__failed(struct socket_entry *e, struct sock *sk, u16 sport, bool is_mptcp,
                                               u32 error, bool is_current)
{
    enum fate fate = e ? e->fate : is_current ? CURRENT_FATE(network_connection_attempted) : FATE_MADE;

    EMIT_WANTED(NETWORK_CONNECTION_FAILED, event, s, fate) {
        owner__fill(s, &event->pids, e, is_current);
        net_info__fill(&event->net, sk, sport);
        event->error = event->error_number = error;
        event->hdr.flags = (is_mptcp ? EBPF_FAILED_F_MPTCP : 0) | (e ? 0 : EBPF_FAILED_F_UNTRACKED);
    }
    if (e)
        socket__forget(e);
}

/*
 * Handle the end of a connection in a state, usually after the last close. If a process still holds the socket, store
 * how the connection ended for its close event.
 */
static __always_inline int connection__ended(struct sock *sk, u32 state)
{
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

    if (!tp || state == TCP_CLOSE || state == TCP_LISTEN)
        return 0;
    u16 sport = tcp__sport(tp);
    u64 ends = socket__ends(sk, sport);
    struct socket_entry *e = socket__find_entry(sk, tcp__keeper(sk, tp), ends);

    if (state == TCP_SYN_SENT || (state == TCP_SYN_RECV && e && e->role == SOCKET_OPENED)) {
        if (e ? socket__take(e, sk, ends) : connections__may_lack_entries())
            connection__failed(e, sk, sport, compat__is_subflow(tp), sk->sk_err ?: ECONNABORTED, false);
        return 0;
    }
    if (!event__is_wanted(EBPF_EVENT_NETWORK_CONNECTION_CLOSED))
        return 0;
    if (!e && compat__is_subflow(tp))
        return 0; /* a further subflow, or one whose end has been reported */
    if (!e)
        e = socket__track_found(sk, ends);
    if (e) {
        e->ended_in = state;
        e->error = sk->sk_err;
    }
    return 0;
}

#endif
