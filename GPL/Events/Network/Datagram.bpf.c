// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * NETWORK_DATAGRAM_FLOW: the first UDP datagram of a flow, and the number of datagrams when it ends. A flow is a
 * socket, a direction, an address and port of this host and those of a peer.
 *
 * Hooks: udp_send_skb and udp_v6_send_skb, where a datagram is complete and its route chosen: each datagram passes
 * once, whether it is sent by sendto, sendmmsg, in pieces (MSG_MORE), or by io_uring, and an IPv4-mapped one is IPv4. A
 * firewall may still drop it. Where they are inlined, ip_send_skb and ip6_send_skb, which come next. skb_consume_udp,
 * where the process is done with a received datagram; its ends are in its headers. sk_common_release, in the process
 * that closes the socket last.
 *
 * The flows of a socket belong to the socket (Flows.h): no flow displaces one of another socket. A socket keeps 63; one
 * more replaces one that was not used lately, whose totals are reported then (AGED); if that one continues, it is a new
 * flow. A flow that finds no slot at all is still reported, as `untracked`: at most once a second, and without totals.
 *
 * Misses: UDP-Lite; datagrams that kernel threads send and receive for themselves; several datagrams that the network
 * card or the kernel has joined (GRO) count as one. A datagram that is counted on one CPU at the very moment when its
 * flow ages on another is in no total. Datagrams that a process only peeks at (MSG_PEEK) before it closes the socket.
 *
 * Tried: peers by the thousand, sockets by the thousand, a socket with no memory left for options, threads that share a
 * socket, a server bound to all addresses, ports that change when a socket connects again.
 */
#include "Datagrams.h"

struct flow_lists_map flow_lists SEC(".maps");
struct flow_mores_map flow_mores SEC(".maps");
struct flow_lists_by_sk_map flow_lists_by_sk SEC(".maps");
struct flow_mores_by_sk_map flow_mores_by_sk SEC(".maps");
struct share_map flow_users SEC(".maps");
struct flow_none_map flow_none SEC(".maps");
struct flow_recent_map flow_recent SEC(".maps");

static __always_inline void flow__describe(struct ebpf_net_info *net, const struct flow_key *key, u32 net_ns)
{
    net->transport = EBPF_TRANSPORT_UDP;
    net->source = key->local;
    net->destination = key->peer;
    net_info__set_family(net, &key->peer);
    net->source_port = bpf_ntohs(key->local_port);
    net->destination_port = bpf_ntohs(key->peer_port);
    net->network_namespace = net_ns;
    net->reserved = 0;
}

/* Report a flow: of the process of its first datagram, or of the current one if that closes the socket. */
static __always_inline void flow__emit(const struct flow *flow, u32 net_ns, u32 state, u32 flags)
{
    bool by_current = state == EBPF_FLOW_CLOSED && !current__is_kernel_thread();

    EMIT(NETWORK_DATAGRAM_FLOW, event, s, MAY_BE_PREEMPTED,
         fate__of(by_current ? current__is_filtered() : flow->is_filtered)) {
        if (by_current) {
            current__fill(s, &event->pids);
        } else {
            event->pids = flow->owner;
            __builtin_memcpy(event->hdr.comm, flow->comm, EBPF_COMM_LEN);
        }
        flow__describe(&event->net, &flow->key, net_ns);
        event->direction = flow->key.direction;
        event->flow_state = state;
        event->datagrams = flow->datagrams;
        event->bytes = flow->bytes;
        event->hdr.flags = flags | (state == EBPF_FLOW_NEW ? 0 : EBPF_FLOW_F_OWNER) |
                           (flow->from_caller ? EBPF_FLOW_F_PEER_FROM_CALLER : 0);
        event->owner_pids = flow->owner;
        event->duration_ns = event->hdr.ts_boot_ns - flow->since;
    }
}

int flow__report(u32 slot, u32 n, u32 state, u32 flags)
{
    struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
    struct flows_copy *copy = s ? (void *)s->data : NULL;
    struct flow *flow = copy ? FLOW_AT(copy->flows, FLOWS_A_SOCKET, n) : NULL;

    if (flow)
        flow__emit(flow, copy->net_ns, state, flags);
    return 0;
}

int flows__end(u32 slot, u32 count)
{
    for (u32 i = 0; i < FLOWS_A_SOCKET; i++) {
        if (i >= count)
            break;
        flow__report(slot, count - 1 - i, EBPF_FLOW_CLOSED, 0);
    }
    return 0;
}

/* Return the number of bytes after the UDP header of a datagram that is to be sent. */
static __always_inline u64 skb__payload(struct sk_buff *skb)
{
    u64 header = (u64)skb->head + skb->transport_header - (u64)skb->data;

    return skb->len - header - UDP_HEADER_SIZE;
}

static __always_inline u64 cork__datagrams(struct inet_cork *cork, u64 payload)
{
    return payload__datagrams(payload, cork->gso_size);
}

static __always_inline bool sock__is_udp(struct sock *sk)
{
    return sk && sk->sk_protocol == IPPROTO_UDP;
}

static __always_inline bool flow__is_wanted(void)
{
    return emit_runtime.live && !current__is_kernel_thread();
}

struct spare_body_map send_body SEC(".maps"), send_v6_body SEC(".maps"), receive_body SEC(".maps");
struct spare_body_map release_body SEC(".maps");

SEC("ebpf.fentry/udp_send_skb")
int BPF_PROG(fentry__udp_send_skb, struct sk_buff *skb, struct flowi4 *fl4, struct inet_cork *cork)
{
    SPARE_BODY(ctx, send_body);
    struct sock *sk = skb->sk;

    if (!sock__is_udp(sk))
        return 0;
    spare__mark(SPARE_SEND);
    if (!flow__is_wanted())
        return 0;
    struct flow_key key = {
        .peer_port = fl4->uli.ports.dport, .local_port = fl4->uli.ports.sport, .direction = EBPF_DIRECTION_SENT};
    u64 bytes = skb__payload(skb);

    ip__set_v4(&key.peer, fl4->daddr);
    ip__set_v4(&key.local, fl4->saddr);
    datagrams__count(true, sk, &key, cork__datagrams(cork, bytes), bytes, false);
    return 0;
}

SEC("ebpf.fentry/udp_v6_send_skb")
int BPF_PROG(fentry__udp_v6_send_skb, struct sk_buff *skb, struct flowi6 *fl6, struct inet_cork *cork)
{
    SPARE_BODY(ctx, send_v6_body);
    struct sock *sk = skb->sk;

    if (!sock__is_udp(sk))
        return 0;
    spare__mark(SPARE_SEND_V6);
    if (!flow__is_wanted())
        return 0;
    struct flow_key key = {
        .peer_port = fl6->uli.ports.dport, .local_port = fl6->uli.ports.sport, .direction = EBPF_DIRECTION_SENT};
    u64 bytes = skb__payload(skb);

    kernel__copy(true, &key.peer, &fl6->daddr, sizeof(key.peer));
    kernel__copy(true, &key.local, &fl6->saddr, sizeof(key.local));
    datagrams__count(true, sk, &key, cork__datagrams(cork, bytes), bytes, false);
    return 0;
}

struct udp_header {
    u16 source, destination, length, checksum;
};

/* Addresses in the IP header: of the sender, then of the receiver. */
#define IPV4_ADDRESSES 12
#define IPV6_ADDRESSES 8

static __always_inline void skb__read_addresses(struct sk_buff *skb, bool is_v4, struct ebpf_ip *from,
                                                struct ebpf_ip *to)
{
    void *ip = (void *)((u64)skb->head + skb->network_header);
    struct ebpf_ip both[2] = {};

    if (is_v4) {
        bpf_probe_read_kernel(both, 2 * sizeof(u32), ip + IPV4_ADDRESSES);
        ip__set_v4(from, both[0].words[0]);
        ip__set_v4(to, both[0].words[1]);
    } else {
        bpf_probe_read_kernel(both, sizeof(both), ip + IPV6_ADDRESSES);
        *from = both[0];
        *to = both[1];
    }
}

static __always_inline struct udp_header skb__udp_header(struct sk_buff *skb)
{
    struct udp_header udp = {};

    bpf_probe_read_kernel(&udp, sizeof(udp), (void *)((u64)skb->head + skb->transport_header));
    return udp;
}

/*
 * Count a datagram that UDP hands on to IP: where udp_send_skb and udp_v6_send_skb are inlined. Its headers are
 * complete. ICMP and raw sockets, also those for UDP, come here too. A datagram that is refused for the size of its
 * segments does not.
 */
static __always_inline int skb__handed_on(struct sk_buff *skb, bool is_v4)
{
    struct sock *sk = skb->sk;

    if (!sock__is_udp(sk) || sk->sk_type != SOCK_DGRAM || !flow__is_wanted())
        return 0;
    struct flow_key key = {.direction = EBPF_DIRECTION_SENT};
    struct udp_header udp = skb__udp_header(skb);
    struct skb_shared_info *shared = (void *)((u64)skb->head + skb->end);
    u64 bytes = skb__payload(skb);

    skb__read_addresses(skb, is_v4, &key.local, &key.peer);
    key.local_port = udp.source;
    key.peer_port = udp.destination;
    datagrams__count(true, sk, &key, payload__datagrams(bytes, BPF_CORE_READ(shared, gso_size)), bytes, false);
    return 0;
}

SEC("ebpf.fentry/ip_send_skb")
int BPF_PROG(fentry__ip_send_skb, struct net *net, struct sk_buff *skb)
{
    return skb__handed_on(skb, true);
}

SEC("ebpf.fentry/ip6_send_skb")
int BPF_PROG(fentry__ip6_send_skb, struct sk_buff *skb)
{
    return skb__handed_on(skb, false);
}

/* The length is negative if the datagram was only peeked at (MSG_PEEK). */
SEC("ebpf.fentry/skb_consume_udp")
int BPF_PROG(fentry__skb_consume_udp, struct sock *sk, struct sk_buff *skb, int len)
{
    SPARE_BODY(ctx, receive_body);
    if (!sock__is_udp(sk))
        return 0;
    spare__mark(SPARE_RECEIVE);
    if (len < 0 || !flow__is_wanted())
        return 0;
    struct flow_key key = {.direction = EBPF_DIRECTION_RECEIVED};
    struct udp_header udp = skb__udp_header(skb);

    skb__read_addresses(skb, skb->protocol == bpf_htons(ETH_P_IP), &key.peer, &key.local);
    key.peer_port = udp.source;
    key.local_port = udp.destination;
    flow_key__launder(&key);
    datagrams__count(true, sk, &key, 1, (u16)(bpf_ntohs(udp.length) - UDP_HEADER_SIZE), false);
    return 0;
}

SEC("ebpf.fentry/sk_common_release")
int BPF_PROG(fentry__sk_common_release, struct sock *sk)
{
    SPARE_BODY(ctx, release_body);
    if (!sock__is_udp(sk))
        return 0;
    spare__mark(SPARE_RELEASE);
    if (emit_runtime.live)
        flows__close(true, sk);
    return 0;
}

#define SEND_SPARE(function, n, body, hook)                                                                            \
    SEC("ebpf.fentry/" #function)                                                                                      \
    int BPF_PROG(fentry__##function##_spare##n, struct sk_buff *skb)                                                   \
    {                                                                                                                  \
        return sock__is_udp(skb->sk) ? spare__run(ctx, &body, hook, n, 2) : 0;                                         \
    }

#define SOCKET_SPARE(function, n, body, hook)                                                                          \
    SEC("ebpf.fentry/" #function)                                                                                      \
    int BPF_PROG(fentry__##function##_spare##n, struct sock *sk)                                                       \
    {                                                                                                                  \
        return sock__is_udp(sk) ? spare__run(ctx, &body, hook, n, 2) : 0;                                              \
    }

SEND_SPARE(udp_send_skb, 1, send_body, SPARE_SEND)
SEND_SPARE(udp_send_skb, 2, send_body, SPARE_SEND)
SEND_SPARE(udp_v6_send_skb, 1, send_v6_body, SPARE_SEND_V6)
SEND_SPARE(udp_v6_send_skb, 2, send_v6_body, SPARE_SEND_V6)
SOCKET_SPARE(skb_consume_udp, 1, receive_body, SPARE_RECEIVE)
SOCKET_SPARE(skb_consume_udp, 2, receive_body, SPARE_RECEIVE)
SOCKET_SPARE(sk_common_release, 1, release_body, SPARE_RELEASE)
SOCKET_SPARE(sk_common_release, 2, release_body, SPARE_RELEASE)
