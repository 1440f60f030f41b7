// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * NETWORK_DATAGRAM_FLOW: the first UDP datagram of a flow, and the number of datagrams when it ends. A flow is a
 * socket, a direction, an address and port of this host and those of a peer.
 *
 * Hooks: udp_send_skb and udp_v6_send_skb, where a datagram is complete and its route chosen: each datagram passes
 * once, whether it is sent by sendto, sendmmsg, in pieces (MSG_MORE), or by io_uring, and an IPv4-mapped one is IPv4. A
 * firewall may still drop it. skb_consume_udp, where the process is done with a received datagram; its ends are in its
 * headers. sk_common_release, in the process that closes the socket last.
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
#include "Flows.h"

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
        event->hdr.flags = flags | (state == EBPF_FLOW_NEW ? 0 : EBPF_FLOW_F_OWNER);
        event->owner_pids = flow->owner;
        event->duration_ns = event->hdr.ts_boot_ns - flow->since;
    }
}

/*
 * Report the n-th of the flows that have been copied to a slot. It is a global function, so that it is verified once;
 * such a function takes no pointers.
 */
__attribute__((noinline)) int flow__report(u32 slot, u32 n, u32 state, u32 flags)
{
    struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
    struct flows_copy *copy = s ? (void *)s->data : NULL;
    struct flow *flow = copy ? FLOW_AT(copy->flows, FLOWS_A_SOCKET, n) : NULL;

    if (flow)
        flow__emit(flow, copy->net_ns, state, flags);
    return 0;
}

static __always_inline void flow__init(struct flow *flow, const struct flow_key *key, u64 datagrams, u64 bytes)
{
    flow->key = *key;
    flow->datagrams = datagrams;
    flow->bytes = bytes;
    flow->since = bpf_ktime_get_boot_ns();
    flow->is_filtered = current__is_filtered();
    flow->was_used = 0;
    WITH_CURRENT(task, typed, {
        pid_info__fill(&flow->owner, typed, task);
        kernel__copy(typed, flow->comm, task->comm, EBPF_COMM_LEN);
    });
}

#define COPY_NEW 0
#define COPY_AGED 1

/*
 * Put the new flow, which is in the copy, into a slot. Return false if another thread has put it since there were
 * `puts`.
 */
static __always_inline bool flow__put(struct sock *sk, struct flow_list *list, u32 puts, struct flows_copy *copy)
{
    struct flow *flow = &copy->flows[COPY_NEW];
    struct flow *same = flow_list__find_since(list, flow_more__of(sk, list, false), puts, &flow->key);

    if (same) {
        flow__count(same, flow->datagrams, flow->bytes);
        return false;
    }
    list->net_ns = copy->net_ns;
    flow_list__put(sk, list, flow, &copy->flows[COPY_AGED]);
    return true;
}

/* Handle the first datagram of a flow. */
static __always_inline void flow__begin(struct sock *sk, struct flow_list *list, u32 puts, struct scratch *s)
{
    struct flows_copy *copy = (void *)s->data;

    copy->flows[COPY_AGED].key.direction = 0;
    if (list && flow_list__lock(list)) {
        bool put = flow__put(sk, list, puts, copy);

        flow_list__unlock(list);
        if (copy->flows[COPY_AGED].key.direction)
            flow__report(s->slot, COPY_AGED, EBPF_FLOW_AGED, 0);
        if (put)
            flow__report(s->slot, COPY_NEW, EBPF_FLOW_NEW, 0);
    } else if (!flow__was_reported_lately(sk, &copy->flows[COPY_NEW].key)) {
        flow__report(s->slot, COPY_NEW, EBPF_FLOW_NEW, EBPF_FLOW_F_UNTRACKED);
    }
}

/* Count a datagram in its flow. */
static __always_inline void datagrams__count(struct sock *sk, const struct flow_key *key, u64 datagrams, u64 bytes)
{
    struct flow_list *list = flow_list__of(sk, true);
    struct flow_more *more = list ? flow_more__of(sk, list, false) : NULL;
    u32 puts = list ? READ_ONCE(list->puts) : 0;
    struct flow *flow = list ? flow_list__at(list, more, flow_list__search(list, more, key)) : NULL;

    if (flow) {
        flow__count(flow, datagrams, bytes);
        return;
    }
    struct scratch *s = scratch__claim(MAY_BE_PREEMPTED);

    if (!s) {
        count__without_slot(EBPF_EVENT_NETWORK_DATAGRAM_FLOW, 1, current__is_filtered());
        return;
    }
    struct flows_copy *copy = (void *)s->data;

    copy->net_ns = sk->__sk_common.skc_net.net->ns.inum;
    flow__init(&copy->flows[COPY_NEW], key, datagrams, bytes);
    flow__begin(sk, list, puts, s);
    scratch__release(s);
}

/* Return the number of bytes after the UDP header of a datagram that is to be sent. */
static __always_inline u64 skb__payload(struct sk_buff *skb)
{
    u64 header = (u64)skb->head + skb->transport_header - (u64)skb->data;

    return skb->len - header - UDP_HEADER_SIZE;
}

/* Return how many datagrams the kernel or the network card will make of one buffer (UDP_SEGMENT). */
static __always_inline u64 cork__datagrams(struct inet_cork *cork, u64 payload)
{
    u32 size = cork->gso_size;

    return size && payload ? ((u32)payload + size - 1) / size : 1;
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
    datagrams__count(sk, &key, cork__datagrams(cork, bytes), bytes);
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
    datagrams__count(sk, &key, cork__datagrams(cork, bytes), bytes);
    return 0;
}

struct udp_header {
    u16 source, destination, length, checksum;
};

/* Addresses in the IP header: of the sender, then of the receiver. */
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

/*
 * Values that depend on the family are hidden from the verifier, which would otherwise check the following code twice.
 */
static __always_inline void flow_key__launder(struct flow_key *key)
{
    u64 *words = (void *)key, zero = emit_runtime.zero;

    for (u32 i = 0; i < sizeof(*key) / sizeof(*words); i++)
        words[i] |= zero;
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
    struct udp_header udp = {};

    bpf_probe_read_kernel(&udp, sizeof(udp), (void *)((u64)skb->head + skb->transport_header));
    skb__read_addresses(skb, &key.peer, &key.local);
    key.peer_port = udp.source;
    key.local_port = udp.destination;
    flow_key__launder(&key);
    datagrams__count(sk, &key, 1, (u16)(bpf_ntohs(udp.length) - UDP_HEADER_SIZE));
    return 0;
}

/* Report the totals of a socket that is closed, the newest flow first. */
__attribute__((noinline)) int flows__end(u32 slot, u32 count)
{
    for (u32 i = 0; i < FLOWS_A_SOCKET; i++) {
        if (i >= count)
            break;
        flow__report(slot, count - 1 - i, EBPF_FLOW_CLOSED, 0);
    }
    return 0;
}

static __always_inline void flows__copy(struct flows_copy *copy, struct flow_list *list, struct flow_more *more)
{
    copy->net_ns = list->net_ns;
    bpf_probe_read_kernel(copy->flows, sizeof(list->flows), list->flows);
    if (more)
        bpf_probe_read_kernel(&copy->flows[FLOWS_FIRST], sizeof(more->flows), more->flows);
}

/* Count the totals that no slot was free for, as filtered or lost, by the rule of flow__emit. */
static __always_inline void flows__count_without_slot(struct flow_list *list, struct flow_more *more, u32 count)
{
    u32 filtered = 0;

    if (!current__is_kernel_thread()) {
        count__without_slot(EBPF_EVENT_NETWORK_DATAGRAM_FLOW, count, current__is_filtered());
        return;
    }
    for (u32 i = 0; i < FLOWS_A_SOCKET && i < count; i++) {
        struct flow *flow = flow_list__at(list, more, i);

        filtered += flow && flow->is_filtered;
    }
    count__without_slot(EBPF_EVENT_NETWORK_DATAGRAM_FLOW, filtered, true);
    count__without_slot(EBPF_EVENT_NETWORK_DATAGRAM_FLOW, count - filtered, false);
}

SEC("ebpf.fentry/sk_common_release")
int BPF_PROG(fentry__sk_common_release, struct sock *sk)
{
    SPARE_BODY(ctx, release_body);
    if (!sock__is_udp(sk))
        return 0;
    spare__mark(SPARE_RELEASE);
    if (!emit_runtime.live)
        return 0;
    struct flow_list *list = flow_list__of(sk, false);

    if (!list || !list->count)
        return 0;
    u32 count = list->count;
    struct scratch *s = scratch__claim(MAY_BE_PREEMPTED);

    if (s) {
        flows__copy((void *)s->data, list, flow_more__of(sk, list, false));
        flows__end(s->slot, count);
        scratch__release(s);
    } else {
        flows__count_without_slot(list, flow_more__of(sk, list, false), count);
    }
    flow_list__forget(sk);
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
