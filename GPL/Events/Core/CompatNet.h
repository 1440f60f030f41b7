/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* CompatNet.h - as Compat.h, the differences between kernels in sockets. */
#ifndef EBPF_CORE_COMPAT_NET_H
#define EBPF_CORE_COMPAT_NET_H

#include "Compat.h"

/*
 * Return whether a BPF program of a cgroup was asked about a connect, at the end of __cgroup_bpf_run_filter_sock_addr.
 * The kinds have numbers of their own since 5.15 (6fc88c354f3a).
 */
static __always_inline bool compat__is_connect_filter(u64 *ctx)
{
    u32 kind = COMPAT_ARG(ctx, __cgroup_bpf_run_filter_sock_addr, ENUM);

    if (!bpf_core_type_exists(enum cgroup_bpf_attach_type))
        return kind == BPF_CGROUP_INET4_CONNECT || kind == BPF_CGROUP_INET6_CONNECT;
    return kind == bpf_core_enum_value(enum cgroup_bpf_attach_type, CGROUP_INET4_CONNECT) ||
           kind == bpf_core_enum_value(enum cgroup_bpf_attach_type, CGROUP_INET6_CONNECT);
}

/* What a socket points to is loaded through a pointer that is not trusted: see `UNTRUSTED`. */

/* Return what belongs to a file, or will; NULL if nothing does. */
static __always_inline struct socket *sock__socket(bool typed, struct sock *sk)
{
    return typed ? UNTRUSTED(sock, sk)->sk_socket : BPF_CORE_READ(sk, sk_socket);
}

/* Return the inode number of the network namespace. */
static __always_inline u32 sock__net_ns(bool typed, struct sock *sk)
{
    return typed ? UNTRUSTED(sock, sk)->__sk_common.skc_net.net->ns.inum
                 : BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
}

/* Return whether the kernel was built with MPTCP. If not, it defines the struct without members. */
static __always_inline bool compat__has_mptcp(void)
{
    return bpf_core_field_exists(struct mptcp_sock, first);
}

/* Return whether a socket is one of MPTCP's. */
static __always_inline bool compat__is_mptcp_sock(struct sock *sk)
{
    return compat__has_mptcp() && sk->sk_protocol == IPPROTO_MPTCP;
}

/* Return the socket of the first subflow of a socket of MPTCP at an address; NULL for other sockets. */
static __always_inline struct sock *compat__mptcp_first_at(struct sock *sk)
{
    if (!compat__has_mptcp() || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_MPTCP)
        return NULL;
    return BPF_CORE_READ((struct mptcp_sock *)sk, first);
}

/* Return whether a TCP socket is a subflow of MPTCP. */
static __always_inline bool compat__is_subflow(struct tcp_sock *tp)
{
    return bpf_core_field_exists(tp->is_mptcp) && tp->is_mptcp;
}

/* Return whether the kernel counts the bytes of all subflows together: since 6.5 (38967f424b5b). */
static __always_inline bool compat__mptcp_counts_bytes(void)
{
    return bpf_core_field_exists(struct mptcp_sock, bytes_sent);
}

#endif
