// SPDX-License-Identifier: BSD-2-Clause
/*
 * TraceDatagrams.c - see TraceDatagrams.h.
 *
 * NETWORK_DATAGRAM_FLOW: ip_send_skb and ip6_send_skb, where a datagram is complete, with its headers; ICMP and raw
 * sockets come there too. skb_consume_udp, where the process is done with a received datagram; the headers are before
 * its data. sk_common_release, in the process that closes the socket last.
 */
#include "TraceDatagrams.h"

#include <netinet/in.h>
#include <string.h>

#include "TraceCaller.h"
#include "TraceNet.h"

#define PACKET_LEN 48 /* of the headers that were fetched */
#define UDP_HEADER 8
#define IPV4_HEADER 20 /* without options */
#define IPV6_HEADER 40

/* A datagram by its headers. */
struct datagram {
    struct ebpf_ip from, to;
    uint16_t from_port, to_port;
    uint32_t bytes;
};

static uint16_t packet__u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t packet__address(const uint8_t *at)
{
    uint32_t address;

    memcpy(&address, at, sizeof(address));
    return address;
}

/* Collect the words of a packet, the first of which is a value. */
static void packet__read(uint8_t packet[PACKET_LEN], const struct trace_values *v, enum trace_value first, size_t words)
{
    memset(packet, 0, PACKET_LEN);
    for (size_t i = 0; i < words; i++)
        memcpy(packet + i * 8, &v->of[first + i].number, 8);
}

static void udp__read(struct datagram *d, const uint8_t *udp)
{
    uint16_t len = packet__u16(udp + 4);

    d->from_port = packet__u16(udp);
    d->to_port = packet__u16(udp + 2);
    d->bytes = len >= UDP_HEADER ? len - UDP_HEADER : 0;
}

/* Read an IPv4 header and what follows. False if there is none of UDP, or it has options. */
static bool datagram__read_v4(struct datagram *d, const uint8_t *ip)
{
    if (ip[0] != 0x45 || ip[9] != IPPROTO_UDP)
        return false;
    trace_ip__set_v4(&d->from, packet__address(ip + 12));
    trace_ip__set_v4(&d->to, packet__address(ip + 16));
    udp__read(d, ip + IPV4_HEADER);
    return true;
}

/* Likewise of IPv6. */
static bool datagram__read_v6(struct datagram *d, const uint8_t *ip)
{
    if (ip[0] >> 4 != 6 || ip[6] != IPPROTO_UDP)
        return false;
    memcpy(&d->from, ip + 8, sizeof(d->from));
    memcpy(&d->to, ip + 24, sizeof(d->to));
    udp__read(d, ip + IPV6_HEADER);
    return true;
}

/* Read a datagram that was received. Its headers end where the words do; both readings are possible of few packets. */
static bool datagram__read_received(struct datagram *d, const struct trace_values *v)
{
    uint8_t packet[PACKET_LEN];
    const uint8_t *v4 = packet + PACKET_LEN - UDP_HEADER - IPV4_HEADER;

    packet__read(packet, v, TRACE_VALUE_received0, 6);
    if (trace_sock__family(v) == AF_INET6 && datagram__read_v6(d, packet) &&
        packet__u16(packet + 4) == d->bytes + UDP_HEADER)
        return true;
    return datagram__read_v4(d, v4);
}

static bool datagram__read_sent(struct datagram *d, const struct trace_values *v)
{
    uint8_t packet[PACKET_LEN];
    bool is_v6 = v->probe == TRACE_PROBE_datagram_sent_v6;

    packet__read(packet, v, is_v6 ? TRACE_VALUE_sent_v6_0 : TRACE_VALUE_sent0, is_v6 ? 6 : 4);
    return is_v6 ? datagram__read_v6(d, packet) : datagram__read_v4(d, packet);
}

/* ------------------------------------------------------------------------ flows */

/* Report a flow, of the process of its first datagram or of that which closes the socket. */
static void flow__report(struct trace_events *events, const struct trace_values *v, const struct trace_flow *flow,
                         enum ebpf_flow_state state, uint16_t flags, const struct trace_caller *closer)
{
    const enum ebpf_event_type type = EBPF_EVENT_NETWORK_DATAGRAM_FLOW;

    if (closer) {
        if (!trace_caller__is_wanted(events, closer, type))
            return;
    } else if (!flow->passes) {
        events->filtered[type]++;
        return;
    }
    struct ebpf_network_datagram_flow_event *event =
        trace_event__begin(events, EBPF_RING_BULK, type, sizeof(*event), v);

    memcpy(event->hdr.comm, closer ? closer->comm : flow->comm, EBPF_COMM_LEN);
    event->hdr.flags = flags | (state == EBPF_FLOW_NEW ? 0 : EBPF_FLOW_F_OWNER);
    event->pids = closer ? closer->pids : flow->owner;
    event->net = flow->net;
    event->direction = flow->direction;
    event->flow_state = state;
    event->datagrams = flow->datagrams;
    event->bytes = flow->bytes;
    event->owner_pids = flow->owner;
    event->duration_ns = v->time_ns - flow->since;
    trace_event__end(events, EBPF_RING_BULK, &event->hdr);
}

/* Handle the first datagram of a flow. */
static void flow__begin(struct trace_events *events, const struct trace_values *v, uint64_t sk,
                        const struct trace_flow *first)
{
    bool is_aged;
    struct trace_flow *flow = trace_flows__put(&events->flows, &events->processes, sk, &is_aged);

    if (!flow) {
        if (!trace_flows__was_recent(&events->flows, sk, &first->net, v->time_ns))
            flow__report(events, v, first, EBPF_FLOW_NEW, EBPF_FLOW_F_UNTRACKED, NULL);
        return;
    }
    if (is_aged)
        flow__report(events, v, flow, EBPF_FLOW_AGED, 0, NULL);
    *flow = *first;
    flow__report(events, v, flow, EBPF_FLOW_NEW, 0, NULL);
}

/* Count datagrams in their flow. */
static void flow__count(struct trace_events *events, const struct trace_values *v, uint64_t sk,
                        const struct trace_flow *first)
{
    const struct trace_flow_list *list = trace_flows__find(&events->flows, sk);
    struct trace_flow *flow = list ? trace_flow_list__find(list, &first->net, first->direction) : NULL;
    struct trace_flow new = *first;
    struct trace_caller caller;

    if (flow) {
        flow->datagrams += first->datagrams;
        flow->bytes += first->bytes;
        flow->was_used = true;
        return;
    }
    trace_caller__find(&caller, events, v);
    if (trace_caller__is_kernel(&caller))
        return;
    new.owner = caller.pids;
    memcpy(new.comm, caller.comm, sizeof(new.comm));
    new.passes = trace_caller__passes(events, &caller);
    new.since = v->time_ns;
    flow__begin(events, v, sk, &new);
}

/* Describe the flow of a datagram of this host's. */
static void flow__describe(struct trace_flow *flow, const struct datagram *d, enum ebpf_direction direction,
                           uint32_t net_ns)
{
    bool is_sent = direction == EBPF_DIRECTION_SENT;

    *flow = (struct trace_flow){.direction = direction, .datagrams = 1, .bytes = d->bytes};
    flow->net = (struct ebpf_net_info){.transport = EBPF_TRANSPORT_UDP,
                                       .source = is_sent ? d->from : d->to,
                                       .source_port = is_sent ? d->from_port : d->to_port,
                                       .destination = is_sent ? d->to : d->from,
                                       .destination_port = is_sent ? d->to_port : d->from_port,
                                       .network_namespace = net_ns};
    trace_net__set_family(&flow->net, &flow->net.destination);
}

static void sent__take(struct trace_events *events, const struct trace_values *v)
{
    bool is_v6 = v->probe == TRACE_PROBE_datagram_sent_v6;
    uint64_t sk = is_v6 ? NUMBER(v, skb1_sock) : NUMBER(v, skb2_sock);
    uint64_t size = is_v6 ? NUMBER(v, skb1_gso_size) : NUMBER(v, skb2_gso_size);
    struct datagram d;
    struct trace_flow flow;

    if (!sk || !trace_sock__is_udp(is_v6 ? NUMBER(v, skb1_type) : NUMBER(v, skb2_type)) || !datagram__read_sent(&d, v))
        return;
    flow__describe(&flow, &d, EBPF_DIRECTION_SENT, (uint32_t)(is_v6 ? NUMBER(v, skb1_net_ns) : NUMBER(v, skb2_net_ns)));
    if (size && d.bytes)
        flow.datagrams = (d.bytes + size - 1) / size;
    flow__count(events, v, sk, &flow);
}

/* The length is negative if the datagram was only peeked at (MSG_PEEK). */
static void received__take(struct trace_events *events, const struct trace_values *v)
{
    struct datagram d;
    struct trace_flow flow;

    if ((int)NUMBER(v, received_len) < 0 || !trace_sock__is_udp(NUMBER(v, sock_type)) ||
        !datagram__read_received(&d, v))
        return;
    flow__describe(&flow, &d, EBPF_DIRECTION_RECEIVED, (uint32_t)NUMBER(v, sock_net_ns));
    flow__count(events, v, NUMBER(v, sock), &flow);
}

/* A socket is closed: report the totals, the newest flow first. */
static void released__take(struct trace_events *events, const struct trace_values *v)
{
    const struct trace_flow_list *list = trace_flows__find(&events->flows, NUMBER(v, sock));
    struct trace_caller caller;

    if (!list)
        return;
    trace_caller__find(&caller, events, v);
    bool by_kernel = trace_caller__is_kernel(&caller);

    for (uint32_t i = list->count; i > 0; i--)
        flow__report(events, v, &list->flows[i - 1], EBPF_FLOW_CLOSED, 0, by_kernel ? NULL : &caller);
    trace_flows__remove(&events->flows, NUMBER(v, sock));
}

void trace_datagrams__take(struct trace_events *events, const struct trace_values *v)
{
    switch (v->probe) {
    case TRACE_PROBE_datagram_sent:
    case TRACE_PROBE_datagram_sent_v6:
        sent__take(events, v);
        return;
    case TRACE_PROBE_received:
        received__take(events, v);
        return;
    case TRACE_PROBE_released:
        released__take(events, v);
        return;
    default:
        return;
    }
}
