// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * NETWORK_CONNECTION_ACCEPTED: a process accepted a connection from a listening socket. NETWORK_LISTEN: a process began
 * to listen.
 *
 * Accepted: security_sock_graft, where a connection gets its process' socket. accept, accept4, io_uring and MPTCP call
 * it when they have a connection, so a process that was already waiting when the probes were attached is seen as well;
 * a program at the end of inet_csk_accept does not run for a call that was under way then. Locks are held there that
 * keep kernels from preempting the program (except for PREEMPT_RT, where it is an LSM program). Earlier changes of a
 * connection's state (SYN_RECV to ESTABLISHED) happen in an interrupt, in no process. If the kernel was built without
 * that hook, the end of inet_csk_accept is used, which for SMC is in a kernel thread: not seen. A socket of SMC has the
 * TCP connection below it.
 *
 * Listen: the end of inet_csk_listen_start, which each listening socket passes once; a second listen() with another
 * backlog does not. On 7.x MPTCP bypasses inet_listen.
 *
 * Misses: nothing known. Tried: a process that waits when the tool starts, connections that were reset while they
 * waited, several processes at one socket, io_uring, MPTCP, other network namespaces, more connections than any table
 * holds.
 */
#include "Network.h"

/*
 * A connection, and the socket under which its entry is stored: for MPTCP that of its first subflow, for SMC the TCP
 * socket below it, both by address. `keeper`: see socket__more.
 */
struct accepted {
    struct sock *sk, *key, *keeper;
    u16 sport;
    bool is_mptcp, sk_typed, typed;
};

static __always_inline struct socket_entry *accepted__track(const struct accepted *a, enum fate fate, u64 now)
{
    struct sock *sk = a->key;
    struct socket_entry *e = connections__are_tracked()
                                 ? socket__track(a->typed, sk, a->keeper, socket__ends_at(a->sk_typed, a->sk, a->sport),
                                                 SOCKET_ACCEPTED, fate, now)
                                 : NULL;

    if (e && KREAD(a->typed, sk, __sk_common.skc_state) == TCP_CLOSE) { /* reset before it was accepted */
        e->ended_in = TCP_ESTABLISHED;
        e->error = KREAD(a->typed, sk, sk_err);
    }
    return e;
}

static __always_inline int accepted__report(const struct accepted *a)
{
    u64 now = bpf_ktime_get_boot_ns();
    enum fate fate = fate__of(current__is_filtered());
    struct socket_entry *e = accepted__track(a, fate, now);

    EMIT_WANTED_AT(NETWORK_CONNECTION_ACCEPTED, event, s, fate, now) {
        if (e)
            owner__copy(&event->hdr, &event->pids, e);
        else
            current__fill(s, &event->pids);
        event->hdr.flags =
            (a->is_mptcp ? EBPF_ACCEPT_F_MPTCP : 0) | (e || !connections__are_tracked() ? 0 : EBPF_ACCEPT_F_UNTRACKED);
        net_info__fill_of(&event->net, a->sk_typed, a->sk, a->sport);
    }
    return 0;
}

static __always_inline int tcp__accepted(struct sock *sk)
{
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

    return tp ? accepted__report(&(struct accepted){.sk = sk,
                                                    .key = sk,
                                                    .keeper = tcp__keeper(sk, tp),
                                                    .sport = tcp__sport(tp),
                                                    .is_mptcp = compat__is_subflow(tp),
                                                    .sk_typed = true,
                                                    .typed = true})
              : 0;
}

static __always_inline int mptcp__accepted(struct sock *sk)
{
    return accepted__report(&(struct accepted){.sk = sk,
                                               .key = BPF_CORE_READ((struct mptcp_sock *)sk, first),
                                               .sport = BPF_CORE_READ((struct inet_sock *)sk, inet_sport),
                                               .is_mptcp = true,
                                               .sk_typed = true});
}

/*
 * Return the TCP socket below an SMC socket, NULL if there is none. The module's own members follow struct sock, since
 * 6.11 struct inet_sock (d25a92ccae6b). The module may be loaded later than the probes, so both are tried.
 */
static __always_inline struct sock *smc__tcp_at(u64 member)
{
    struct socket *below = NULL;

    bpf_probe_read_kernel(&below, sizeof(below), (void *)member);
    struct sock *sk = BPF_CORE_READ(below, sk);

    return sk && BPF_CORE_READ(sk, sk_socket) == below && BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP ? sk : NULL;
}

static __always_inline int smc__accepted_at(u64 address)
{
    struct sock *sk = smc__tcp_at(address + bpf_core_type_size(struct inet_sock))
                          ?: smc__tcp_at(address + bpf_core_type_size(struct sock));

    return sk ? accepted__report(
                    &(struct accepted){.sk = sk, .key = sk, .sport = BPF_CORE_READ((struct inet_sock *)sk, inet_sport)})
              : 0;
}

static __always_inline int security_sock_graft__handle(struct sock *sk)
{
    if (!emit_runtime.live || current__is_kernel_thread())
        return 0;
    if (compat__is_mptcp_sock(sk))
        return mptcp__accepted(sk);
    if (sk->__sk_common.skc_family == AF_SMC || sk->sk_protocol == IPPROTO_SMC)
        return smc__accepted_at(sock__address(sk));
    return tcp__accepted(sk);
}

SEC("ebpf.fentry/security_sock_graft")
int BPF_PROG(fentry__security_sock_graft, struct sock *sk)
{
    return security_sock_graft__handle(sk);
}

SEC("ebpf.lsm/sock_graft")
int BPF_PROG(lsm__sock_graft, struct sock *sk)
{
    return security_sock_graft__handle(sk);
}

SEC("ebpf.fexit/inet_csk_accept")
int BPF_PROG(fexit__inet_csk_accept)
{
    struct sock *sk = (void *)COMPAT_ARG(ctx, inet_csk_accept, RET); /* typed */

    return sk && emit_runtime.live && !current__is_kernel_thread() ? tcp__accepted(sk) : 0;
}

static __always_inline int listen__emit(bool typed, struct sock *sk, u16 sport, bool is_mptcp)
{
    EMIT(NETWORK_LISTEN, event, s, MAY_BE_PREEMPTED, CURRENT_FATE(network_listen)) {
        current__fill(s, &event->pids);
        net_info__fill_of(&event->net, typed, sk, sport);
        /* the destination is the socket's previous peer, if it had one */
        __builtin_memset(&event->net.destination, 0, sizeof(event->net.destination));
        event->net.destination_port = 0;
        net_info__set_family(&event->net, &event->net.source);
        if (event->net.family == EBPF_FAMILY_INET)
            ip__set_v4(&event->net.destination, 0);
        event->backlog = KREAD(typed, sk, sk_max_ack_backlog);
        event->reserved = 0;
        event->hdr.flags = is_mptcp ? EBPF_LISTEN_F_MPTCP : 0;
    }
    return 0;
}

SEC("ebpf.fexit/inet_csk_listen_start")
int BPF_PROG(fexit__inet_csk_listen_start, struct sock *sk)
{
    if ((int)COMPAT_RET(ctx, inet_csk_listen_start) || sk->sk_protocol != IPPROTO_TCP || current__is_kernel_thread())
        return 0;
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

    return tp ? listen__emit(true, sk, tcp__sport(tp), compat__is_subflow(tp)) : 0;
}

/* ----------------------------------------------------- ends of system calls */

/*
 * A socket begins to listen, which a further call of listen does not change. That is noted with the task, because the
 * port may be chosen later in the call, which may also fail.
 */
SEC("ebpf.tp_btf/inet_sock_set_state")
int BPF_PROG(tp_btf__inet_sock_set_state_listen, struct sock *sk, int old, int next)
{
    bool begins = next == TCP_LISTEN && old != TCP_LISTEN;

    if (begins && emit_runtime.live && !current__note_socket(sk))
        count__seen_and_lost(EBPF_EVENT_NETWORK_LISTEN, EBPF_REASON_STATE);
    return 0;
}

/* Report that the current task's call has made a socket listen, if it has. */
static __always_inline int listen__called(struct sock *sk)
{
    struct sock *first = sk ? compat__mptcp_first_at(sk) : NULL;

    if (!sk || !sock__is_stream_at(sk) || !current__take_socket(sk, first))
        return 0;
    return listen__emit(false, first ?: sk, sock__sport_at(sk), first);
}

SYSCALL_END(listen, call)
{
    return call->ret ? 0 : listen__called(fd__sock(syscall__arg(call, 1)));
}

URING_END(listen, end)
{
    struct io_kiocb *req = end->req;

    return end->res || end->opcode != IORING_OP_LISTEN ? 0 : listen__called(file__sock(BPF_CORE_READ(req, file)));
}

/* Report the connection that a process has got with a descriptor. */
static __always_inline int accepted__report_fd(u64 fd)
{
    struct sock *sk = fd__sock(fd);

    if (!sk) { /* another thread has closed or replaced it */
        count__unreadable(EBPF_EVENT_NETWORK_CONNECTION_ACCEPTED);
        return 0;
    }
    if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_SMC || BPF_CORE_READ(sk, sk_protocol) == IPPROTO_SMC)
        return smc__accepted_at((u64)sk);
    struct sock *first = compat__mptcp_first_at(sk);

    return sock__is_stream_at(sk)
               ? accepted__report(&(struct accepted){
                     .sk = sk, .key = first ?: sk, .sport = sock__sport_at(sk), .is_mptcp = first != NULL})
               : 0;
}

SYSCALL_END(accept, call)
{
    return call->ret < 0 ? 0 : accepted__report_fd(call->ret);
}

URING_END(accept, end)
{
    return end->res >= 0 && end->opcode == IORING_OP_ACCEPT ? accepted__report_fd(end->res) : 0;
}
