// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * NETWORK_CONNECTION_CLOSED: a connection's last descriptor was closed.
 *
 * Hook: tcp_close, which runs once for each socket, in the process that closes it last, by close or at its exit,
 * however many other processes had it, by fork or over a unix socket. Bytes are read there: data that the process wrote
 * and the kernel has not sent yet counts as sent. connect with no address (AF_UNSPEC) ends a connection too, and leaves
 * the socket for another one; that is seen at inet_stream_connect, because the kernel also calls tcp_disconnect at
 * other ends. If the kernel has skipped the program there, which the entry of the connection shows, the program on
 * tcp_disconnect reports it.
 *
 * A socket in state CLOSE may have been connected or not: tcp_done (Connect.bpf.c) notes that it was. A connection that
 * was not yet established is a failed attempt instead.
 *
 * The obvious hook, the tracepoint inet_sock_set_state, fires up to ten times a connection, and mostly in an interrupt,
 * in no process.
 *
 * The socket of MPTCP is not one of those of its subflows, which its worker closes some time later: mptcp_close.
 *
 * The kernel's own sockets have no file, and are left out, except for the TCP socket below an SMC socket: its entry
 * shows that a process has begun the connection.
 *
 * Misses: a connection that had ended, by a reset or by both sides, before the probes were attached. Tried: by the last
 * of several descriptors, another thread, io_uring, a child, after an exec, by a kill, sent to another process and
 * never received; resets, timeouts, ends by both sides, unread and unsent bytes, AF_UNSPEC; MPTCP and SMC; the table of
 * sockets full.
 */
#include "Network.h"

/* Return why a connection ended, by its state and error at its end. */
static __always_inline u32 close_reason__of(u32 state, u32 error)
{
    switch (error) {
    case 0:
        return state == TCP_CLOSE_WAIT || state == TCP_LAST_ACK ? EBPF_CLOSE_PEER : EBPF_CLOSE_HERE;
    case ECONNRESET:
    case EPIPE:
        return EBPF_CLOSE_RESET;
    case ETIMEDOUT:
        return EBPF_CLOSE_TIMED_OUT;
    default:
        return EBPF_CLOSE_ABORTED;
    }
}

/* Return whether, in the state in which the connection ends, this end has queued its FIN after the data to send. */
static __always_inline bool state__has_fin(u32 state)
{
    return state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT && state != TCP_SYN_RECV;
}

/*
 * Sequence numbers give the amount of unsent data, and count a waiting FIN as one byte; the number of received bytes
 * counts the peer's FIN as well.
 */
static __always_inline void bytes__fill(struct ebpf_net_traffic *net, struct sock *sk, struct tcp_sock *tp, u32 state)
{
    u32 unsent = tp->write_seq - tp->snd_nxt;

    if (unsent && state__has_fin(state))
        unsent--;
    net->bytes_sent = tp->bytes_sent - tp->bytes_retrans + unsent;
    net->bytes_received = tp->bytes_received;
    if (net->bytes_received && sk->__sk_common.skc_flags >> SOCK_DONE_BIT & 1)
        net->bytes_received--;
}

/* Return the fate of a close: that of its attempt if the kernel closes the connection for a process. */
static __always_inline enum fate closed__fate(const struct socket_entry *e, bool is_owned, bool is_kernel)
{
    if (is_owned && (is_kernel || (emit_constants.budget && e->fate == FATE_OVER_BUDGET)))
        return e->fate;
    return fate__of(current__is_filtered());
}

/* Return whether the entry has the process that owns the connection. */
static __always_inline bool entry__is_owned(const struct socket_entry *e)
{
    return e && e->role != SOCKET_FOUND;
}

/* Begin the record. Return NULL if there is to be none. `is_kernel`: a kernel thread closes the connection. */
static __always_inline struct scratch *closed__begin(const struct socket_entry *e, bool is_kernel)
{
    bool is_owned = entry__is_owned(e);

    if (!event__is_wanted(EBPF_EVENT_NETWORK_CONNECTION_CLOSED) || (is_kernel && !is_owned))
        return NULL;
    return EMIT_BEGIN(NETWORK_CONNECTION_CLOSED, MAY_BE_PREEMPTED, closed__fate(e, is_owned, is_kernel));
}

#define EMIT_CLOSED(event, s, e, is_kernel)                                                                            \
    EMIT_RECORD(NETWORK_CONNECTION_CLOSED, event, s, closed__begin(e, is_kernel), emit__end_NETWORK_CONNECTION_CLOSED)

/* Fill in the record except for the bytes. */
static __always_inline void closed__fill(struct scratch *s, struct ebpf_network_connection_closed_event *event,
                                         struct sock *sk, u16 sport, struct socket_entry *e, u32 state, bool is_kernel)
{
    bool is_owned = entry__is_owned(e);

    if (is_kernel && is_owned)
        owner__copy(&event->hdr, &event->pids, e);
    else
        current__fill(s, &event->pids);
    net_info__fill((void *)&event->net, sk, sport);
    event->hdr.flags = EBPF_CLOSED_F_REASON | (is_owned ? EBPF_CLOSED_F_OWNER : 0);
    if (is_owned) {
        event->owner_pids = e->owner;
        event->duration_ns = event->hdr.ts_boot_ns - e->since;
    } else {
        __builtin_memset(&event->owner_pids, 0, sizeof(event->owner_pids));
        event->duration_ns = 0;
    }
    event->close_reason = close_reason__of(state, e ? e->error : 0);
    event->reserved = 0;
}

/*
 * Return the state in which a connection ends; 0 if it was never established, and is an attempt if there is an entry.
 * `was_up` is used if the state is CLOSE, which does not show it.
 */
static __always_inline u32 connection__state(const struct socket_entry *e, struct sock *sk, bool was_up)
{
    u32 state = sk->__sk_common.skc_state;

    if (state == TCP_CLOSE && e)
        return e->ended_in ?: e->role != SOCKET_OPENED || was_up ? TCP_ESTABLISHED : 0;
    if (state == TCP_CLOSE || state == TCP_SYN_SENT || (state == TCP_SYN_RECV && e && e->role == SOCKET_OPENED))
        return 0;
    return state;
}

/*
 * Return whether a socket without an entry had a connection, which has ended: it still has a peer, and had received
 * sequence numbers from it. Only called if there may have been no room for entries.
 */
static __always_inline bool connection__has_ended_unseen(struct sock *sk, struct tcp_sock *tp)
{
    return sk->__sk_common.skc_state == TCP_CLOSE && connections__may_lack_entries() && sk->__sk_common.skc_dport &&
           tp->rcv_nxt;
}

/*
 * `leaves_socket`: the socket remains, for another connection. `is_kernel`: the current task is a kernel thread, or in
 * an interrupt.
 */
static __always_inline int connection__end_by(struct sock *sk, struct tcp_sock *tp, bool leaves_socket, bool is_kernel)
{
    u16 sport = tcp__sport(tp);
    u64 ends = socket__ends(sk, sport);
    struct socket_entry *e = socket__find(sk, ends);
    u32 state = scalar__hide(connection__state(e, sk, tp->bytes_acked));
    bool ended_unseen = !e && connection__has_ended_unseen(sk, tp);

    if (e && !socket__take(e, sk, ends))
        return 0;
    if (ended_unseen)
        state = TCP_ESTABLISHED;
    if (!state) {
        if (e || (sk->__sk_common.skc_state == TCP_SYN_SENT && connections__may_lack_entries()))
            connection__failed(e, sk, sport, false, ECONNABORTED, true);
        return 0;
    }
    EMIT_CLOSED(event, s, e, is_kernel) {
        closed__fill(s, event, sk, sport, e, state, is_kernel);
        if (ended_unseen)
            event->hdr.flags &= ~EBPF_CLOSED_F_REASON;
        bytes__fill(&event->net, sk, tp, state);
    }
    if (e && leaves_socket)
        socket__forget(e);
    return 0;
}

static __always_inline int connection__end(struct sock *sk, struct tcp_sock *tp, bool leaves_socket)
{
    return connection__end_by(sk, tp, leaves_socket, current__is_kernel_thread());
}

/* Return whether a socket belongs to no process: it was never accepted, or is the kernel's own. */
static __always_inline bool sock__is_orphan(struct sock *sk)
{
    struct socket *socket = sock__socket(true, sk);

    return !socket || !socket->file;
}

/*
 * Return whether a process began the connection of a socket without a file, which is the kernel's: that below an SMC
 * socket.
 */
static __always_inline bool sock__is_owned(struct sock *sk, struct tcp_sock *tp)
{
    return entry__is_owned(socket__find(sk, socket__ends(sk, tcp__sport(tp))));
}

struct spare_body_map close_body SEC(".maps");

SEC("ebpf.fentry/tcp_close")
int BPF_PROG(fentry__tcp_close, struct sock *sk)
{
    SPARE_BODY(ctx, close_body);
    spare__mark(SPARE_CLOSE);
    if (!emit_runtime.live || sk->__sk_common.skc_state == TCP_LISTEN)
        return 0;
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

    if (!tp || compat__is_subflow(tp) || (sock__is_orphan(sk) && !sock__is_owned(sk, tp)))
        return 0;
    return connection__end(sk, tp, false);
}

#define CLOSE_SPARE(n)                                                                                                 \
    SEC("ebpf.fentry/tcp_close") int BPF_PROG(fentry__tcp_close_spare##n)                                              \
    {                                                                                                                  \
        return spare__run(ctx, &close_body, SPARE_CLOSE, n, 2);                                                        \
    }

CLOSE_SPARE(1)
CLOSE_SPARE(2)

/* Fill in the bytes of all subflows together if the kernel counts them, otherwise those of the first one. */
static __always_inline void mptcp_bytes__fill(struct ebpf_net_traffic *net, struct mptcp_sock *msk, struct sock *first)
{
    struct tcp_sock *tp = (void *)first;

    if (compat__mptcp_counts_bytes()) {
        net->bytes_sent = BPF_CORE_READ(msk, bytes_sent) + BPF_CORE_READ(msk, write_seq) - BPF_CORE_READ(msk, snd_nxt);
        net->bytes_received = BPF_CORE_READ(msk, bytes_received);
    } else {
        net->bytes_sent = BPF_CORE_READ(tp, bytes_sent) - BPF_CORE_READ(tp, bytes_retrans) +
                          BPF_CORE_READ(msk, write_seq) - BPF_CORE_READ(msk, snd_nxt);
        net->bytes_received = BPF_CORE_READ(tp, bytes_received);
        if (net->bytes_received && BPF_CORE_READ(first, __sk_common.skc_flags) >> SOCK_DONE_BIT & 1)
            net->bytes_received--;
    }
}

static __always_inline int mptcp__end(struct sock *sk)
{
    struct mptcp_sock *msk = (void *)sk;
    struct sock *first = BPF_CORE_READ(msk, first);
    u16 sport = BPF_CORE_READ((struct inet_sock *)sk, inet_sport);
    u64 ends = socket__ends(sk, sport);
    struct socket_entry *e = first ? socket__find_entry(first, NULL, ends) : NULL;
    u32 state = scalar__hide(connection__state(e, sk, false));

    if (e && !socket__take(e, first, ends))
        return 0;
    if (!state) {
        if (e || (sk->__sk_common.skc_state == TCP_SYN_SENT && connections__may_lack_entries()))
            connection__failed(e, sk, sport, true, ECONNABORTED, true);
        return 0;
    }
    bool is_kernel = current__is_kernel_thread();

    EMIT_CLOSED(event, s, e, is_kernel) {
        closed__fill(s, event, sk, sport, e, state, is_kernel);
        event->hdr.flags |= EBPF_CLOSED_F_MPTCP;
        mptcp_bytes__fill(&event->net, msk, first);
    }
    if (e)
        socket__forget(e);
    return 0;
}

SEC("ebpf.fentry/mptcp_close")
int BPF_PROG(fentry__mptcp_close, struct sock *sk)
{
    return emit_runtime.live && sk->__sk_common.skc_state != TCP_LISTEN && !sock__is_orphan(sk) ? mptcp__end(sk) : 0;
}

SEC("ebpf.fentry/inet_stream_connect")
int BPF_PROG(fentry__inet_stream_connect, struct socket *sock, const u16 *uaddr, int len)
{
    struct sock *sk = sock->sk;
    u16 family = *uaddr; /* every kind of address begins with its family */

    if (family != AF_UNSPEC || len < (int)sizeof(family) || !emit_runtime.live || !sk ||
        sk->__sk_common.skc_state == TCP_LISTEN || sock__is_orphan(sk))
        return 0;
    if (compat__is_mptcp_sock(sk))
        return mptcp__end(sk);
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

    return tp ? connection__end(sk, tp, true) : 0;
}

/*
 * Report an attempt that shutdown aborts while it is under way, and a connection that connect ends, if its end has not
 * been reported. Closing a socket with a reset calls this function too, after its end has been reported.
 */
SEC("ebpf.fentry/tcp_disconnect")
int BPF_PROG(fentry__tcp_disconnect, struct sock *sk)
{
    u32 state = sk->__sk_common.skc_state;

    if (!emit_runtime.live || state == TCP_LISTEN)
        return 0;
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

    if (!tp)
        return 0;
    u16 sport = tcp__sport(tp);
    u64 ends = socket__ends(sk, sport);
    struct socket_entry *e = socket__find_entry(sk, tcp__keeper(sk, tp), ends);

    if (!e || e->is_reported)
        return 0;
    if (state != TCP_SYN_SENT)
        return compat__is_subflow(tp) ? 0 : connection__end(sk, tp, true);
    if (socket__take(e, sk, ends))
        connection__failed(e, sk, sport, compat__is_subflow(tp), ECONNABORTED, true);
    return 0;
}

/* ------------------------------------------------------------- tracepoints only */

/*
 * Return whether a process is closing the socket's last descriptor: it holds the lock of the socket, and the file has
 * no references any more.
 */
static __always_inline bool sock__is_being_closed(struct sock *sk)
{
    return sk->sk_lock.owned && !sock__is_orphan(sk) && compat__file_is_gone(sock__socket(true, sk)->file);
}

/* Report a connection that connect with no address ends, which leaves the socket. */
static __always_inline int connection__disconnected(struct sock *sk)
{
    if (compat__is_mptcp_sock(sk))
        return mptcp__end(sk);
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

    return tp && !compat__is_subflow(tp) ? connection__end(sk, tp, true) : 0;
}

/*
 * With tracepoints only, a close is a change of the state, which tcp_close makes even if the state stays: to FIN_WAIT1
 * or LAST_ACK, which send a FIN, to CLOSE with a reset, or to what it was if shutdown had sent the FIN. A shutdown
 * changes it likewise, but the file has references then. A connection that ended earlier is in state CLOSE, and changes
 * no more: see tp_btf__tcp_destroy_sock_last. All other changes to CLOSE are the end of a connection that a process
 * still has. Why there are two programs: see Opening.bpf.c.
 */
static __always_inline int connection__changed(struct sock *sk, int old, int next)
{
    if (sock__is_being_closed(sk) &&
        (next == old || next == TCP_FIN_WAIT1 || next == TCP_LAST_ACK || next == TCP_CLOSE)) {
        if (compat__is_mptcp_sock(sk))
            return mptcp__end(sk);
        struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

        return tp && !compat__is_subflow(tp) ? connection__end(sk, tp, false) : 0;
    }
    if (next != TCP_CLOSE)
        return 0;
    if (!sk->sk_err && current__connect_family() == AF_UNSPEC && old != TCP_CLOSE)
        return connection__disconnected(sk);
    return connection__ended(sk, old);
}

/* Return whether the state of a connection that has been established, and that a process has, changes. */
static __always_inline bool connection__is_changing(struct sock *sk, int old, bool in_process)
{
    return emit_runtime.live && old != TCP_LISTEN && old != TCP_SYN_SENT && sock__socket(true, sk) &&
           !!sk->sk_lock.owned == in_process;
}

struct spare_body_map closing_body SEC(".maps");

SEC("ebpf.tp_btf/inet_sock_set_state")
int BPF_PROG(tp_btf__inet_sock_set_state, struct sock *sk, int old, int next)
{
    SPARE_BODY(ctx, closing_body);
    if (!connection__is_changing(sk, old, true))
        return 0;
    spare__mark(SPARE_CLOSING);
    return connection__changed(sk, old, next);
}

#define CLOSING_SPARE(n)                                                                                               \
    SEC("ebpf.tp_btf/inet_sock_set_state")                                                                             \
    int BPF_PROG(tp_btf__inet_sock_set_state_spare##n, struct sock *sk, int old)                                       \
    {                                                                                                                  \
        return connection__is_changing(sk, old, true) ? spare__run(ctx, &closing_body, SPARE_CLOSING, n, 2) : 0;       \
    }

CLOSING_SPARE(1)
CLOSING_SPARE(2)

SEC("ebpf.tp_btf/inet_sock_set_state")
int BPF_PROG(tp_btf__inet_sock_set_state_irq, struct sock *sk, int old, int next)
{
    return next == TCP_CLOSE && connection__is_changing(sk, old, false) ? connection__ended(sk, old) : 0;
}

/*
 * The end of a socket, where the last descriptor of a connection that had ended before is closed. It holds the lock of
 * the socket then; otherwise this runs in an interrupt, for a connection whose close was not seen.
 */
SEC("ebpf.tp_btf/tcp_destroy_sock")
int BPF_PROG(tp_btf__tcp_destroy_sock_last, struct sock *sk)
{
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

    if (!tp)
        return 0;
    u64 ends = socket__ends(sk, tcp__sport(tp));
    struct socket_entry *e = socket__find_entry(sk, tcp__keeper(sk, tp), ends);

    if (!e)
        return 0;
    if (emit_runtime.live && !e->is_reported && !compat__is_subflow(tp))
        connection__end_by(sk, tp, false, !sk->sk_lock.owned || current__is_kernel_thread());
    socket__forget(e);
    return 0;
}
