// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * NETWORK_CONNECTION_ATTEMPTED: a process began to connect. NETWORK_CONNECTION_FAILED: the attempt failed.
 *
 * Attempted: tcp_connect, which sends the SYN. Route and port have been chosen, so the addresses are final; every way
 * to connect calls it once, in the process: blocking or not, IPv4-mapped, with fast open (at the first write), MPTCP's
 * first subflow, by io_uring. security_socket_connect, the obvious hook, knows none of that, misses MSG_FASTOPEN, and
 * is called twice by io_uring.
 *
 * Failed: tcp_done, where the kernel gives up on a connection that is not yet established, whether it is refused, timed
 * out or unreachable, often in an interrupt: so the process that made the attempt is stored (Core/Sockets.h). Attempts
 * that fail at once, because there is no route or port, do not reach tcp_connect; they are reported at the end of
 * tcp_v4_connect and tcp_v6_connect, as an attempt and its failure. A connection that the process itself closes before
 * it is established is reported by Close.bpf.c. An attempt that a policy refuses does not get that far either: it is
 * reported at the end of security_socket_connect (Landlock and other security modules) and of
 * __cgroup_bpf_run_filter_sock_addr (BPF programs of a cgroup), likewise as an attempt and its failure.
 *
 * Misses: attempts that a kernel thread makes for itself; connects that seccomp refuses, which are no attempts to the
 * kernel. Tried: attempts that are refused, unreachable, timed out, given up, shut down and forbidden, over IPv4, IPv6
 * and mapped, by MPTCP, fast open and io_uring, non-blocking, in another network namespace, with the table of sockets
 * full.
 */
#include "Attempt.h"

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
    enum fate fate = CURRENT_FATE(network_connection_attempted);
    struct socket_entry *e =
        connections__are_tracked()
            ? socket__track(true, sk, tcp__keeper(sk, tp), socket__ends(sk, sport), SOCKET_OPENED, fate, now)
            : NULL;

    EMIT_WANTED_AT(NETWORK_CONNECTION_ATTEMPTED, event, s, fate, now) {
        attempted__fill(s, event, e, compat__is_subflow(tp));
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

SEC("ebpf.fentry/tcp_done")
int BPF_PROG(fentry__tcp_done, struct sock *sk)
{
    return emit_runtime.live && sk->sk_socket ? connection__ended(sk, sk->__sk_common.skc_state) : 0;
}

/* No process holds the socket any more. */
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

/* Read an address that was given to connect. Return false if it is not a valid one. */
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
    struct attempt a = {.sk = sk, .sport = tcp__sport(tp), .is_mptcp = compat__is_subflow(tp), .typed = true};
    struct socket_entry *e =
        socket__find_entry(sk, tcp__keeper(sk, tp), socket__ends_of(a.sport, to.port, to.v6.words[3]));

    attempt__failed(&a, &to, e, error);
    if (e)
        socket__forget(e);
}

/*
 * Report an attempt that a policy refuses, before it reaches TCP. An address of another family would be refused there
 * too.
 */
static __always_inline void connect__refused(struct sock *sk, const void *uaddr, int len, u32 error)
{
    struct connect_address to = {};
    u16 family = 0;

    if (!emit_runtime.live || sk->__sk_common.skc_state != TCP_CLOSE || current__is_kernel_thread())
        return;
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
    bool is_mptcp = !tp && compat__is_mptcp_sock(sk);
    struct attempt a = {.sk = sk, .is_mptcp = is_mptcp, .sport = sock__sport_at(sk), .typed = true};

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

/* Called only if the cgroup has such programs attached. The kernel has checked that the address is long enough. */
SEC("ebpf.fexit/__cgroup_bpf_run_filter_sock_addr")
int BPF_PROG(fexit____cgroup_bpf_run_filter_sock_addr, struct sock *sk, const void *uaddr)
{
    int ret = COMPAT_RET(ctx, __cgroup_bpf_run_filter_sock_addr);

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
