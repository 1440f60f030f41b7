/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * KernelNet.h - the types of sockets and packets that the probes read; a part of Kernel.h, which includes it among its
 * types.
 */
#ifndef EBPF_CORE_KERNEL_NET_H
#define EBPF_CORE_KERNEL_NET_H

struct in6_addr {
    union {
        u32 u6_addr32[4];
    } in6_u;
};

typedef struct {
    struct net *net;
} possible_net_t;

typedef struct {
    atomic_t refs;
} refcount_t;

struct sock_common {
    refcount_t skc_refcnt;
    u32 skc_daddr, skc_rcv_saddr;
    u16 skc_dport;
    u16 skc_family;
    u8 skc_state;
    u8 skc_ipv6only : 1;
    possible_net_t skc_net;
    struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
    unsigned long skc_flags;
};

struct socket {
    struct file *file;
    struct sock *sk;
};

typedef struct {
    int owned;
} socket_lock_t;

struct sock {
    struct sock_common __sk_common;
    socket_lock_t sk_lock;
    struct socket *sk_socket;
    u16 sk_type, sk_protocol;
    u8 sk_shutdown;
    u32 sk_max_ack_backlog;
    int sk_err;
};

struct unix_sock {
    struct path path; /* where it is bound */
};

struct inet_sock {
    u16 inet_sport;
};

struct udp_sock {
    struct inet_sock inet;
    int pending; /* a datagram that is sent in pieces is not complete */
    u16 gso_size;
};

struct inet_connection_sock {
    struct inet_sock icsk_inet;
};

struct tcp_sock {
    struct inet_connection_sock inet_conn;
    u32 write_seq, snd_nxt, rcv_nxt;
    u64 bytes_sent, bytes_retrans, bytes_received, bytes_acked;
    bool is_mptcp;
};

/* The counts exist since 6.5 (38967f424b5b). */
struct mptcp_sock {
    struct sock *first;
    u64 bytes_sent, bytes_received;
    u64 write_seq, snd_nxt;
};

struct flowi_ports {
    u16 dport, sport;
};

union flowi_uli {
    struct flowi_ports ports;
};

struct flowi4 {
    u32 saddr, daddr;
    union flowi_uli uli;
};

struct flowi6 {
    struct in6_addr daddr, saddr;
    union flowi_uli uli;
};

struct inet_cork {
    u16 gso_size;
};

struct sk_buff {
    struct sock *sk;
    unsigned int len;
    u16 protocol;
    u16 transport_header, network_header;
    unsigned int end; /* offset of a struct skb_shared_info */
    unsigned char *head, *data;
};

struct skb_shared_info {
    u16 gso_size;
};

#endif
