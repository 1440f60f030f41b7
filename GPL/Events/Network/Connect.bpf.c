// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * NETWORK_CONNECTION_ATTEMPTED: a process began to connect. NETWORK_CONNECTION_FAILED: nothing came of it.
 *
 * Attempted: tcp_connect, which sends the SYN. Route and port are chosen there, so the addresses are final; every way
 * to connect comes there once, in the process: blocking or not, IPv4-mapped, with fast open (at the first write),
 * MPTCP's first subflow, by io_uring. security_socket_connect, the obvious hook, knows none of that, misses
 * MSG_FASTOPEN, and comes twice by io_uring.
 *
 * Failed: tcp_done, where the kernel gives up on what is still connecting, be it refused, timed out or unreachable,
 * often in an interrupt: so who attempted is kept (Core/Sockets.h). What fails at once, for want of a route or a port,
 * never comes to tcp_connect, and is told at the end of tcp_v4_connect and tcp_v6_connect, as an attempt and its
 * failure. What the process itself closes before it is up is told in Close.bpf.c. What a policy refuses does not even
 * come there: it is told at the end of security_socket_connect (Landlock and other security modules) and that of
 * __cgroup_bpf_run_filter_sock_addr (BPF programs of a cgroup), likewise as an attempt and its failure.
 *
 * Misses: attempts that a kernel thread makes for itself; what seccomp refuses, which is no attempt to the kernel.
 * Tried: attempts that are refused, unreachable, timed out, given up, shut down and forbidden, over IPv4, IPv6 and
 * mapped, by MPTCP, fast open and io_uring, non-blocking, in another network namespace, with the table of sockets full.
 */
#include "Network.h"

/* The attempt of the current task; `e` knows who that is, if there is one. */
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

struct spare_body_map connect_body SEC(".maps");

SEC("ebpf.fentry/tcp_connect")
int BPF_PROG(fentry__tcp_connect, struct sock *sk)
{
    SPARE_BODY(ctx, connect_body);
    spare__mark(SPARE_CONNECT);
    struct tcp_sock *tp = emit_runtime.live ? bpf_skc_to_tcp_sock(sk) : NULL;

    if (!tp || current__is_kernel_thread())
        return 0;
    u16 sport = tcp__sport(tp);
    u64 now = bpf_ktime_get_boot_ns();
    enum fate fate = current__fate();
    struct socket_entry *e =
        connections__are_tracked()
            ? socket__track(true, sk, tcp__keeper(sk, tp), socket__ends(sk, sport), SOCKET_OPENED, fate, now)
            : NULL;

    EMIT_WANTED_AT(NETWORK_CONNECTION_ATTEMPTED, event, s, fate, now) {
        attempted__fill(s, event, e, tcp__is_mptcp(tp));
        net_info__fill(&event->net, sk, sport);
    }
    return 0;
}

#define CONNECT_SPARE(n)                                                                                               \
    SEC("ebpf.fentry/tcp_connect") int BPF_PROG(fentry__tcp_connect_spare##n)                                          \
    {                                                                                                                  \
        return spare__run(ctx, &connect_body, SPARE_CONNECT, n, 2);                                                    \
    }

CONNECT_SPARE(1)
CONNECT_SPARE(2)

/*
 * Every connection comes here at its end, most of them when no process has them any more. One that has is remembered
 * with how it ended, for when it is closed.
 */
SEC("ebpf.fentry/tcp_done")
int BPF_PROG(fentry__tcp_done, struct sock *sk)
{
    if (!emit_runtime.live || !sk->sk_socket)
        return 0;
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
    u32 state = sk->__sk_common.skc_state;

    if (!tp || state == TCP_CLOSE || state == TCP_LISTEN)
        return 0;
    u16 sport = tcp__sport(tp);
    u64 ends = socket__ends(sk, sport);
    struct socket_entry *e = socket__find_entry(sk, tcp__keeper(sk, tp), ends);

    if (state == TCP_SYN_SENT || (state == TCP_SYN_RECV && e && e->role == SOCKET_OPENED)) {
        if (e ? SOCKET_TAKE(e, sk, ends) : connections__may_lack_entries())
            connection__failed(e, sk, sport, tcp__is_mptcp(tp), sk->sk_err ?: ECONNABORTED, false);
        return 0;
    }
    if (!event__is_wanted(EBPF_EVENT_NETWORK_CONNECTION_CLOSED))
        return 0;
    if (!e && tcp__is_mptcp(tp))
        return 0; /* a further subflow, or one whose end has been told */
    if (!e)
        e = socket__track_found(sk, ends);
    if (e) {
        e->ended_in = state;
        e->error = sk->sk_err;
    }
    return 0;
}

/* Nobody has the socket any more. */
SEC("ebpf.tp_btf/tcp_destroy_sock")
int BPF_PROG(tp_btf__tcp_destroy_sock, struct sock *sk)
{
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

    if (!tp)
        return 0;
    u64 ends = socket__ends(sk, tcp__sport(tp));
    struct socket_entry *e = socket__find_entry(sk, tcp__keeper(sk, tp), ends);

    if (e)
        socket__forget(e);
    return 0;
}

/* An address given to connect, as the kernel has copied it. */
struct connect_address {
    u16 family, port;
    u32 v4_or_flow;
    struct ebpf_ip v6;
};

/* The least lengths of addresses that the kernel takes: of struct sockaddr_in, and of RFC 2133. */
#define ADDRESS_V4_MIN 16
#define ADDRESS_V6_MIN 24

/* To an address of IPv4 from none at all, the source is none of IPv4 either. */
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
    bool is_mptcp;
};

/* Report an attempt and its failure; `e` knows of the attempt when that was reported before. */
static __always_inline void attempt__failed(const struct attempt *a, const struct connect_address *to,
                                            struct socket_entry *e, u32 error)
{
    enum fate fate = e ? e->fate : current__fate(); /* one for both */

    if (!e) {
        EMIT_WANTED(NETWORK_CONNECTION_ATTEMPTED, event, s, fate) {
            attempted__fill(s, event, NULL, a->is_mptcp);
            event->hdr.flags &= ~EBPF_ATTEMPT_F_UNTRACKED;
            net_info__fill(&event->net, a->sk, a->sport);
            net_info__set_destination(&event->net, to);
        }
    }
    EMIT_WANTED(NETWORK_CONNECTION_FAILED, event, s, fate) {
        current__fill(s, &event->pids);
        net_info__fill(&event->net, a->sk, a->sport);
        net_info__set_destination(&event->net, to);
        event->error = event->error_number = error;
        event->hdr.flags = a->is_mptcp ? EBPF_FAILED_F_MPTCP : 0;
    }
}

/* Read an address that was given to connect; false when it is none. */
static __always_inline bool connect_address__read(struct connect_address *to, const void *uaddr, int len, bool is_v6,
                                                  u32 error)
{
    if (len < (is_v6 ? ADDRESS_V6_MIN : ADDRESS_V4_MIN) || error == EAFNOSUPPORT)
        return false;
    bpf_probe_read_kernel(to, is_v6 ? ADDRESS_V6_MIN : 8, uaddr);
    if (!is_v6)
        ip__set_v4(&to->v6, to->v4_or_flow);
    return true;
}

static __always_inline void connect__failed_at_once(struct sock *sk, const void *uaddr, int len, bool is_v6, u32 error)
{
    struct connect_address to = {};
    struct tcp_sock *tp = emit_runtime.live ? bpf_skc_to_tcp_sock(sk) : NULL;

    if (!tp || current__is_kernel_thread() || !connect_address__read(&to, uaddr, len, is_v6, error))
        return;
    if (is_v6 && ip__is_v4(&to.v6) && !BPF_CORE_READ_BITFIELD(&sk->__sk_common, skc_ipv6only))
        return; /* tcp_v4_connect has been called for it */
    struct attempt a = {.sk = sk, .sport = tcp__sport(tp), .is_mptcp = tcp__is_mptcp(tp)};
    struct socket_entry *e =
        socket__find_entry(sk, tcp__keeper(sk, tp), socket__ends_of(a.sport, to.port, to.v6.words[3]));

    attempt__failed(&a, &to, e, error);
    if (e)
        socket__forget(e);
}

/* What a policy refuses has not come to TCP. An address of the other family would not be taken there either. */
static __always_inline void connect__refused(struct sock *sk, const void *uaddr, int len, u32 error)
{
    struct connect_address to = {};
    u16 family = 0;

    if (!emit_runtime.live || sk->__sk_common.skc_state != TCP_CLOSE || current__is_kernel_thread())
        return;
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
    bool is_mptcp = !tp && bpf_core_type_exists(struct mptcp_sock) && sk->sk_protocol == IPPROTO_MPTCP;
    struct attempt a = {.sk = sk, .is_mptcp = is_mptcp, .sport = BPF_CORE_READ((struct inet_sock *)sk, inet_sport)};

    bpf_probe_read_kernel(&family, sizeof(family), uaddr);
    if ((tp || is_mptcp) && family == sk->__sk_common.skc_family &&
        connect_address__read(&to, uaddr, len, family == AF_INET6, error))
        attempt__failed(&a, &to, NULL, error);
}

SEC("ebpf.fexit/security_socket_connect")
int BPF_PROG(fexit__security_socket_connect, struct socket *sock, const void *uaddr, int len, int ret)
{
    if (ret < 0 && sock->sk)
        connect__refused(sock->sk, uaddr, len, -ret);
    return 0;
}

/* Called only where such programs are attached. They have been given an address that is long enough. */
SEC("ebpf.fexit/__cgroup_bpf_run_filter_sock_addr")
int BPF_PROG(fexit____cgroup_bpf_run_filter_sock_addr, struct sock *sk, const void *uaddr)
{
    int ret = compat__connect_filter_ret(ctx);

    if (ret < 0 && compat__is_connect_filter(ctx))
        connect__refused(sk, uaddr, ADDRESS_V6_MIN, -ret);
    return 0;
}

SEC("ebpf.fexit/tcp_v4_connect")
int BPF_PROG(fexit__tcp_v4_connect, struct sock *sk, const void *uaddr, int len, int ret)
{
    if (ret < 0)
        connect__failed_at_once(sk, uaddr, len, false, -ret);
    return 0;
}

SEC("ebpf.fexit/tcp_v6_connect")
int BPF_PROG(fexit__tcp_v6_connect, struct sock *sk, const void *uaddr, int len, int ret)
{
    if (ret < 0)
        connect__failed_at_once(sk, uaddr, len, true, -ret);
    return 0;
}
