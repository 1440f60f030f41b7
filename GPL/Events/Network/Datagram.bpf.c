// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * NETWORK_DATAGRAM_FLOW: the first UDP datagram between a socket and a peer, in each direction; and, when the socket is
 * closed, how many there were.
 *
 * Hooks: udp_send_skb and udp_v6_send_skb, where a datagram is complete and its route chosen: it is there once, be it
 * sent by sendto, sendmmsg, in pieces (MSG_MORE), or by io_uring, and an IPv4-mapped one is IPv4. A firewall may still
 * drop it. skb_consume_udp, where a datagram that has been received is done with, in the process; its ends are in its
 * headers. sk_common_release, in the process that closes the socket last.
 *
 * Flows are in a table of fixed size, each with the key of the one before it of its socket, so that all of a socket are
 * found when it is closed. A datagram that would begin a flow for which there is no room is counted as lost (state).
 *
 * Misses: UDP-Lite, what kernel threads send and receive for themselves; several datagrams that the network card or the
 * kernel has joined (GRO) count as one.
 */
#include "Network.h"

#define FLOWS_MAX 8192
#define FLOW_SOCKETS_MAX 4096
#define FLOWS_A_TURN 128
#define LOCK_TRIES 32
#define UDP_HEADER_SIZE 8
#define EEXIST 17

struct flow_key {
    u64 sk;
    struct ebpf_ip peer;
    u32 port; /* network byte order */
    u32 direction;
};

struct flow {
    u64 datagrams, bytes;
    u64 since;       /* boot time, ns */
    u64 is_filtered; /* who sent or received its first datagram is */
    struct ebpf_pid_info owner;
    char comm[EBPF_COMM_LEN];
    struct ebpf_net_info net;
    struct flow_key next; /* of the socket; sk is 0 in the last one */
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, FLOWS_MAX);
    __type(key, struct flow_key);
    __type(value, struct flow);
} flows SEC(".maps");

/* Where the flows of a socket begin, by its address. */
struct flow_list {
    struct flow_key first;
    u64 lock; /* 1: taken; more: and somebody is just finding that out */
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, FLOW_SOCKETS_MAX);
    __type(key, u64);
    __type(value, struct flow_list);
} flow_lists SEC(".maps");

static __always_inline bool flow_list__lock(struct flow_list *list)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        CLAIM_ADD(&list->lock, 1);
        if (*(volatile u64 *)&list->lock == 1)
            return true;
        CLAIM_ADD(&list->lock, -1);
    }
    return false;
}

/* Put a new flow in front of the others of its socket. */
static __always_inline bool flow__link(const struct flow_key *key, struct flow *flow)
{
    struct flow_list none = {}, *list = bpf_map_lookup_elem(&flow_lists, &key->sk);

    if (!list) {
        bpf_map_update_elem(&flow_lists, &key->sk, &none, BPF_NOEXIST);
        list = bpf_map_lookup_elem(&flow_lists, &key->sk);
    }
    if (!list || !flow_list__lock(list))
        return false;
    flow->next = list->first;
    list->first = *key;
    CLAIM_ADD(&list->lock, -1);
    return true;
}

static __always_inline void flow__emit(struct flow *flow, u32 direction, u32 state)
{
    bool is_kernel = current__is_kernel_thread();
    struct scratch *s = EMIT_BEGIN_BY(NETWORK_DATAGRAM_FLOW, network_datagram_flow,
                                      is_kernel ? flow->is_filtered : current__is_filtered());

    if (!s)
        return;
    struct ebpf_network_datagram_flow_event *event = (void *)s->data;

    if (is_kernel || state == EBPF_FLOW_NEW) {
        event->pids = flow->owner;
        __builtin_memcpy(event->hdr.comm, flow->comm, EBPF_COMM_LEN);
    } else {
        current__fill(s, &event->pids);
    }
    event->net = flow->net;
    event->direction = direction;
    event->flow_state = state;
    event->datagrams = flow->datagrams;
    event->bytes = flow->bytes;
    event->hdr.flags = state == EBPF_FLOW_CLOSED ? EBPF_FLOW_F_OWNER : 0;
    event->owner_pids = flow->owner;
    event->duration_ns = event->hdr.ts_boot_ns - flow->since;
    EMIT_SUBMIT(s, NETWORK_DATAGRAM_FLOW);
}

/* The first datagram of a flow, or the first that finds room. */
static __always_inline void flow__begin(struct flow_key *key, struct flow *flow)
{
    flow->since = bpf_ktime_get_boot_ns();
    flow->is_filtered = current__is_filtered();
    WITH_CURRENT(task, typed, {
        pid_info__fill(&flow->owner, typed, task);
        kernel__copy(typed, flow->comm, task->comm, EBPF_COMM_LEN);
    });
    long err = bpf_map_update_elem(&flows, key, flow, BPF_NOEXIST);
    struct flow *kept = bpf_map_lookup_elem(&flows, key);

    if (err == -EEXIST && kept) { /* another thread has been faster */
        ATOMIC_ADD(&kept->datagrams, flow->datagrams);
        ATOMIC_ADD(&kept->bytes, flow->bytes);
        return;
    }
    if (err || !kept || !flow__link(key, kept)) {
        if (!err)
            bpf_map_delete_elem(&flows, key);
        count__seen_and_lost(EBPF_EVENT_NETWORK_DATAGRAM_FLOW, EBPF_REASON_STATE);
        return;
    }
    flow__emit(flow, key->direction, EBPF_FLOW_NEW);
}

static __always_inline void net_info__set_datagram(struct ebpf_net_info *net, const struct flow_key *key, u16 port)
{
    net->transport = EBPF_TRANSPORT_UDP;
    net->destination = key->peer;
    net_info__set_family(net, &key->peer);
    net->source_port = bpf_ntohs(port);
    net->destination_port = bpf_ntohs(key->port);
    net->reserved = 0;
}

/* Count a datagram in its flow. Fills the rest of a new one from what the caller knows, when there is none. */
static __always_inline bool flow__count(const struct flow_key *key, u64 datagrams, u64 bytes)
{
    struct flow *flow = bpf_map_lookup_elem(&flows, key);

    if (!flow)
        return false;
    ATOMIC_ADD(&flow->datagrams, datagrams);
    ATOMIC_ADD(&flow->bytes, bytes);
    return true;
}

/* What follows the UDP header of a datagram that is to be sent. */
static __always_inline u64 skb__payload(struct sk_buff *skb)
{
    u64 header = (u64)skb->head + skb->transport_header - (u64)skb->data;

    return skb->len - header - UDP_HEADER_SIZE;
}

/* The kernel or the network card may make several datagrams of one buffer (UDP_SEGMENT). */
static __always_inline u64 cork__datagrams(struct inet_cork *cork, u64 payload)
{
    u32 size = cork->gso_size;

    return size && payload ? ((u32)payload + size - 1) / size : 1;
}

static __always_inline bool flow__is_wanted(struct sock *sk)
{
    return emit_runtime.live && sk && sk->sk_protocol == IPPROTO_UDP && !current__is_kernel_thread();
}

SEC("ebpf.fentry/udp_send_skb")
int BPF_PROG(fentry__udp_send_skb, struct sk_buff *skb, struct flowi4 *fl4, struct inet_cork *cork)
{
    struct sock *sk = skb->sk;

    if (!flow__is_wanted(sk))
        return 0;
    struct flow_key key = {.port = fl4->uli.ports.dport, .direction = EBPF_DIRECTION_SENT};
    u64 bytes = skb__payload(skb), datagrams = cork__datagrams(cork, bytes);

    *(struct sock *volatile *)&key.sk = sk;
    ip__set_v4(&key.peer, fl4->daddr);
    if (flow__count(&key, datagrams, bytes))
        return 0;
    struct flow flow = {.datagrams = datagrams, .bytes = bytes};

    net_info__set_datagram(&flow.net, &key, fl4->uli.ports.sport);
    ip__set_v4(&flow.net.source, fl4->saddr);
    flow.net.network_namespace = sk->__sk_common.skc_net.net->ns.inum;
    flow__begin(&key, &flow);
    return 0;
}

SEC("ebpf.fentry/udp_v6_send_skb")
int BPF_PROG(fentry__udp_v6_send_skb, struct sk_buff *skb, struct flowi6 *fl6, struct inet_cork *cork)
{
    struct sock *sk = skb->sk;

    if (!flow__is_wanted(sk))
        return 0;
    struct flow_key key = {.port = fl6->uli.ports.dport, .direction = EBPF_DIRECTION_SENT};
    u64 bytes = skb__payload(skb), datagrams = cork__datagrams(cork, bytes);

    *(struct sock *volatile *)&key.sk = sk;
    kernel__copy(true, &key.peer, &fl6->daddr, sizeof(key.peer));
    if (flow__count(&key, datagrams, bytes))
        return 0;
    struct flow flow = {.datagrams = datagrams, .bytes = bytes};

    net_info__set_datagram(&flow.net, &key, fl6->uli.ports.sport);
    kernel__copy(true, &flow.net.source, &fl6->saddr, sizeof(flow.net.source));
    flow.net.network_namespace = sk->__sk_common.skc_net.net->ns.inum;
    flow__begin(&key, &flow);
    return 0;
}

struct udp_header {
    u16 source, destination, length, checksum;
};

/* Addresses in the header of IP: of the sender, then of the receiver. */
#define IPV4_ADDRESSES 12
#define IPV6_ADDRESSES 8

static __always_inline void skb__read_addresses(struct sk_buff *skb, struct ebpf_ip *from, struct ebpf_ip *to)
{
    void *ip = (void *)((u64)skb->head + skb->network_header);
    struct ebpf_ip both[2] = {};

    if (skb->protocol == bpf_htons(ETH_P_IP)) {
        bpf_probe_read_kernel(both, 2 * sizeof(u32), ip + IPV4_ADDRESSES);
        ip__set_v4(from, both[0].words[0]);
        ip__set_v4(to, both[0].words[1]);
    } else {
        bpf_probe_read_kernel(both, sizeof(both), ip + IPV6_ADDRESSES);
        *from = both[0];
        *to = both[1];
    }
}

/* The length is negative when it was only looked at (MSG_PEEK). */
SEC("ebpf.fentry/skb_consume_udp")
int BPF_PROG(fentry__skb_consume_udp, struct sock *sk, struct sk_buff *skb, int len)
{
    if (len < 0 || !flow__is_wanted(sk))
        return 0;
    struct flow_key key = {.direction = EBPF_DIRECTION_RECEIVED};
    struct flow flow = {.datagrams = 1};
    struct udp_header udp = {};

    bpf_probe_read_kernel(&udp, sizeof(udp), (void *)((u64)skb->head + skb->transport_header));
    skb__read_addresses(skb, &key.peer, &flow.net.source);
    *(struct sock *volatile *)&key.sk = sk;
    key.port = udp.source;
    flow.bytes = (u16)(bpf_ntohs(udp.length) - UDP_HEADER_SIZE);
    if (flow__count(&key, 1, flow.bytes))
        return 0;
    net_info__set_datagram(&flow.net, &key, udp.destination);
    flow.net.network_namespace = sk->__sk_common.skc_net.net->ns.inum;
    flow__begin(&key, &flow);
    return 0;
}

/* Tell the totals of the next flow of a socket that is closed; 0 while there may be more. For `sk` see flow_lists. */
__attribute__((noinline)) int flow__end(u64 sk)
{
    struct flow_list *list = bpf_map_lookup_elem(&flow_lists, &sk);

    if (!list || !list->first.sk)
        return 1;
    struct flow_key key = list->first;
    struct flow *flow = bpf_map_lookup_elem(&flows, &key);

    if (!flow)
        return 1;
    list->first = flow->next;
    flow__emit(flow, key.direction, EBPF_FLOW_CLOSED);
    bpf_map_delete_elem(&flows, &key);
    return 0;
}

__attribute__((noinline)) int flow__end_some(u64 sk)
{
    for (int i = 0; i < FLOWS_A_TURN; i++) {
        if (flow__end(sk))
            return 1;
    }
    return 0;
}

SEC("ebpf.fentry/sk_common_release")
int BPF_PROG(fentry__sk_common_release, struct sock *sk)
{
    if (!emit_runtime.live || sk->sk_protocol != IPPROTO_UDP)
        return 0;
    u64 address = ctx__address(ctx);

    if (!bpf_map_lookup_elem(&flow_lists, &address))
        return 0;
    for (int i = 0; i < FLOWS_MAX / FLOWS_A_TURN; i++) {
        if (flow__end_some(address))
            break;
    }
    bpf_map_delete_elem(&flow_lists, &address);
    return 0;
}
