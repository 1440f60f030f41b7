// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * NETWORK_CONNECTION_ATTEMPTED, NETWORK_CONNECTION_FAILED, with tracepoints only; see Connect.bpf.c for the better way.
 *
 * Hooks: inet_sock_set_state, and the end of connect. The state becomes SYN_SENT in the process that connects, before
 * the kernel has chosen the port. So an entry is stored under the peer alone, and the attempt is reported at the end of
 * the call, or when the state changes again if that comes first, which may be in an interrupt. So attempts by io_uring
 * and with fast open are seen too, once they have succeeded or failed. The entry of one that succeeds moves to where
 * those of connections are.
 *
 * An attempt that fails in the call itself, without a word from the peer, is reported at its end, which has the error.
 *
 * The state changes in the process, which holds the lock of the socket, or in an interrupt, in which nobody does. Each
 * has a program of its own: an interrupt may come while the process' is running, and the kernel would skip it.
 *
 * Tried: as in Connect.bpf.c. Misses: attempts that io_uring makes without a route or port, or that are forbidden.
 */
#include "Attempt.h"

/* Return the `ends` under which the entry of an attempt is. */
static __always_inline u64 opening__ends(struct sock *sk)
{
    return socket__ends(sk, 0);
}

/* The ends of an attempt as the process gave them. An empty address is that of this host. */
static __always_inline u64 opening__ends_of(const struct connect_address *to)
{
    u32 own = ip__is_v4(&to->v6) ? bpf_htonl(0x7f000001) : bpf_htonl(1);

    return socket__ends_of(0, to->port, to->v6.words[3] ?: own);
}

/* Take the right to report an attempt. Return false if that has been done. */
static __always_inline bool opening__take(struct socket_entry *e, const struct sock *sk, u64 ends)
{
    bool is_taken = false;

    if (claim__spin(&e->lock, SOCKET_LOCK_TRIES)) {
        is_taken = e->sk == (u64)sk && e->ends == ends && e->role == SOCKET_OPENING;
        if (is_taken)
            e->role = SOCKET_OPENED;
        claim__release(&e->lock);
    }
    return is_taken;
}

/* Report an attempt, whose port is known now, if it has not been reported. `shown` has the addresses. */
static __always_inline void opening__report(struct socket_entry *e, struct sock *sk, u64 ends, bool typed,
                                            struct sock *shown, u16 sport, bool is_mptcp)
{
    if (!opening__take(e, sk, ends))
        return;
    EMIT_WANTED_AT(NETWORK_CONNECTION_ATTEMPTED, event, s, e->fate, e->since) {
        attempted__fill(s, event, e, is_mptcp);
        net_info__fill_of(&event->net, typed, shown, sport);
    }
}

/* Move the entry of an attempt that has succeeded to where those of connections are. */
static __always_inline void opening__establish(struct socket_entry *opening, struct sock *sk, struct tcp_sock *tp)
{
    struct socket_entry *e = socket__track(true, sk, tcp__keeper(sk, tp), socket__ends(sk, tcp__sport(tp)),
                                           SOCKET_FOUND, opening->fate, opening->since);

    if (e && e != opening) {
        e->role = SOCKET_OPENED;
        e->owner = opening->owner;
        __builtin_memcpy(e->comm, opening->comm, EBPF_COMM_LEN);
        socket__forget(opening);
    }
}

static __always_inline int opening__changed(struct sock *sk, int next)
{
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

    if (!tp)
        return 0;
    u64 ends = opening__ends(sk);
    bool is_subflow = compat__is_subflow(tp);
    struct sock *keeper = tcp__keeper(sk, tp);

    if (next == TCP_SYN_SENT) {
        if (current__is_kernel_thread())
            return 0;
        socket__track(true, sk, keeper, ends, SOCKET_OPENING, CURRENT_FATE(network_connection_attempted),
                      bpf_ktime_get_boot_ns());
        current__note_socket(sk);
        return 0;
    }
    struct socket_entry *e = socket__find_entry(sk, keeper, ends);
    u32 error = sk->sk_err;

    if (!e || (next == TCP_CLOSE && !error && sk->sk_lock.owned && current__connect_family() > AF_UNSPEC))
        return 0; /* connect fails, and its end has the error */
    opening__report(e, sk, ends, true, sk, tcp__sport(tp), is_subflow);
    if (next != TCP_CLOSE)
        opening__establish(e, sk, tp);
    else if (socket__take(e, sk, ends))
        connection__failed(e, sk, tcp__sport(tp), is_subflow, error ?: ECONNABORTED, false);
    return 0;
}

/* Return whether an attempt begins or ends in a process. */
static __always_inline bool opening__is_in_process(struct sock *sk, int old, int next)
{
    return emit_runtime.live && (old == TCP_SYN_SENT || next == TCP_SYN_SENT) && sk->sk_lock.owned;
}

struct spare_body_map opening_body SEC(".maps");

SEC("ebpf.tp_btf/inet_sock_set_state")
int BPF_PROG(tp_btf__inet_sock_set_state_open, struct sock *sk, int old, int next)
{
    SPARE_BODY(ctx, opening_body);
    if (!opening__is_in_process(sk, old, next))
        return 0;
    spare__mark(SPARE_OPENING);
    return opening__changed(sk, next);
}

#define OPENING_SPARE(n)                                                                                               \
    SEC("ebpf.tp_btf/inet_sock_set_state")                                                                             \
    int BPF_PROG(tp_btf__inet_sock_set_state_open_spare##n, struct sock *sk, int old, int next)                        \
    {                                                                                                                  \
        return opening__is_in_process(sk, old, next) ? spare__run(ctx, &opening_body, SPARE_OPENING, n, 2) : 0;        \
    }

OPENING_SPARE(1)
OPENING_SPARE(2)

SEC("ebpf.tp_btf/inet_sock_set_state")
int BPF_PROG(tp_btf__inet_sock_set_state_open_irq, struct sock *sk, int old, int next)
{
    return emit_runtime.live && old == TCP_SYN_SENT && !sk->sk_lock.owned ? opening__changed(sk, next) : 0;
}

/* Return whether connect returned an error that is not that of an attempt. */
static __always_inline bool connect__was_no_attempt(u32 error)
{
    return error == EALREADY || error == EISCONN || error == EAFNOSUPPORT || error == EFAULT;
}

/* Return whether the attempt goes on after the call, or has succeeded. */
static __always_inline bool connect__is_under_way(u32 error)
{
    return !error || error == EINPROGRESS || error == EINTR || error == ERESTARTSYS;
}

/* Return whether an error only comes from a peer, so that an attempt was under way. */
static __always_inline bool error__is_of_peer(u32 error)
{
    return error == ECONNREFUSED || error == ECONNRESET || error == ECONNABORTED || error == ETIMEDOUT;
}

/* Return the address that was given to connect. Its family is AF_UNSPEC if it is not a valid one for the socket. */
static __always_inline struct connect_address connect_address__called(const struct syscall_end *call, struct sock *sk)
{
    struct connect_address to = {};
    u32 len = syscall__arg(call, 3), family = BPF_CORE_READ(sk, __sk_common.skc_family);

    bpf_probe_read_user(&to, len < ADDRESS_V6_MIN ? 8 : ADDRESS_V6_MIN, (void *)syscall__arg(call, 2));
    if (to.family == AF_INET)
        ip__set_v4(&to.v6, to.v4_or_flow);
    if (to.family != family || len < (family == AF_INET6 ? ADDRESS_V6_MIN : ADDRESS_V4_MIN))
        to.family = AF_UNSPEC;
    return to;
}

/*
 * What the call returned about an attempt that tp_btf__inet_sock_set_state_open has reported, in this call or before,
 * is not reported again.
 */
SYSCALL_END(connect, call)
{
    struct sock *sk = fd__sock(syscall__arg(call, 1));
    u32 result = -call->ret, error = scalar__hide(result);

    if (!sk || !sock__is_stream_at(sk) || connect__was_no_attempt(result))
        return 0;
    bool is_under_way = scalar__hide(connect__is_under_way(result)) & 1;
    bool is_of_peer = scalar__hide(error__is_of_peer(result)) & 1;
    struct connect_address to = connect_address__called(call, sk);
    struct sock *first = compat__mptcp_first_at(sk), *key = first ?: sk;
    u64 ends = opening__ends_of(&to);
    bool was_sent = current__take_socket(key, NULL);
    struct socket_entry *e = to.family == AF_UNSPEC ? NULL : socket__find_entry(key, NULL, ends);
    struct attempt a = {.sk = sk, .sport = sock__sport_at(sk), .is_mptcp = first != NULL};

    if (e && is_under_way)
        opening__report(e, key, ends, false, sk, a.sport, first);
    if (to.family == AF_UNSPEC || is_under_way)
        return 0;
    bool is_reported = e ? e->role != SOCKET_OPENING : was_sent || is_of_peer;

    if (!is_reported)
        attempt__failed(&a, &to, NULL, error);
    if (e && was_sent)
        socket__forget(e);
    return 0;
}
