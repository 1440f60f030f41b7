// SPDX-License-Identifier: BSD-2-Clause
/*
 * PointsNetwork.c - see Points.h: connections by sock:inet_sock_set_state.
 *
 * A connection changes its state in whichever thread the kernel runs in. That thread is the actor only where it has
 * called connect, listen, close or shutdown: not in an interrupt, and only of changes that these make.
 */
#include "Points.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#define MAPPED htonl(0xffff) /* the third word of an IPv4-mapped address */

enum state { ESTABLISHED = 1, SYN_SENT, SYN_RECV, FIN_WAIT1, CLOSED = 7, CLOSE_WAIT, LAST_ACK, LISTEN };

static void party__fill(struct points_party *party, const struct points_actor *actor)
{
    *party = (struct points_party){.pids = actor->pids, .ns = actor->ns, .uid = actor->creds.ruid};
    memcpy(party->comm, actor->comm, sizeof(party->comm));
}

static bool party__is_wanted(struct points *points, enum ebpf_event_type type, const struct points_party *party)
{
    const struct trace_actor actor = {.process = processes__find(&points->events.processes, party->pids.tgid),
                                      .uid = party->uid,
                                      .comm = party->comm,
                                      .ns = party->ns};

    return trace_event__is_wanted(&points->events, type, &actor, party->pids.tgid);
}

static void address__fill(struct ebpf_ip *ip, const struct trace_hit *hit, enum trace_point_field v4,
                          enum trace_point_field v6, bool is_v4)
{
    if (!is_v4 && hit->of[v6].len == sizeof(*ip)) {
        memcpy(ip, hit->of[v6].data, sizeof(*ip));
        return;
    }
    ip->words[2] = MAPPED;
    if (hit->of[v4].len == sizeof(ip->words[3]))
        memcpy(&ip->words[3], hit->of[v4].data, sizeof(ip->words[3]));
}

static void net__fill(struct ebpf_net_info *net, const struct trace_hit *hit, const struct points_party *party)
{
    const struct slice peer = hit->of[TRACE_FIELD_DADDR_V6];
    bool is_v4 =
        trace_hit__number(hit, TRACE_FIELD_FAMILY) == AF_INET ||
        (peer.len == sizeof(struct in6_addr) && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)peer.data));

    *net = (struct ebpf_net_info){.transport = EBPF_TRANSPORT_TCP,
                                  .family = is_v4 ? EBPF_FAMILY_INET : EBPF_FAMILY_INET6,
                                  .source_port = (uint32_t)trace_hit__number(hit, TRACE_FIELD_SPORT),
                                  .destination_port = (uint32_t)trace_hit__number(hit, TRACE_FIELD_DPORT),
                                  .network_namespace = party->ns.net};
    address__fill(&net->source, hit, TRACE_FIELD_SADDR, TRACE_FIELD_SADDR_V6, is_v4);
    address__fill(&net->destination, hit, TRACE_FIELD_DADDR, TRACE_FIELD_DADDR_V6, is_v4);
}

static void attempt__take(struct points *points, const struct trace_hit *hit, const struct points_actor *actor)
{
    struct points_socket *s = points_sockets__get(&points->sockets, trace_hit__number(hit, TRACE_FIELD_SKADDR));
    struct points_party party;

    party__fill(&party, actor);
    if (s)
        *s = (struct points_socket){.sk = s->sk, .next = s->next, .since_ns = hit->time_ns, .owner = party};
    if (!party__is_wanted(points, EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED, &party))
        return;
    struct ebpf_network_connection_attempted_event *e =
        points_event__begin(points, EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED, sizeof(*e), hit->time_ns, party.comm);

    e->pids = party.pids;
    e->hdr.flags = s ? 0 : EBPF_ATTEMPT_F_UNTRACKED;
    net__fill(&e->net, hit, &party);
    points_event__end(points, &e->hdr);
}

static void listen__take(struct points *points, const struct trace_hit *hit, const struct points_actor *actor)
{
    struct points_party party;

    party__fill(&party, actor);
    if (!party__is_wanted(points, EBPF_EVENT_NETWORK_LISTEN, &party))
        return;
    struct ebpf_network_listen_event *e =
        points_event__begin(points, EBPF_EVENT_NETWORK_LISTEN, sizeof(*e), hit->time_ns, party.comm);

    e->pids = party.pids;
    net__fill(&e->net, hit, &party);
    points_event__end(points, &e->hdr);
}

/* An attempt has failed. The reason is known if the peer refused it. */
static void failed__take(struct points *points, const struct trace_hit *hit, const struct points_socket *s)
{
    const struct points_party nobody = {0}, *party = s ? &s->owner : &nobody;

    if (!party__is_wanted(points, EBPF_EVENT_NETWORK_CONNECTION_FAILED, party))
        return;
    struct ebpf_network_connection_failed_event *e =
        points_event__begin(points, EBPF_EVENT_NETWORK_CONNECTION_FAILED, sizeof(*e), hit->time_ns, party->comm);

    e->pids = party->pids;
    e->error = e->error_number = s && s->is_reset ? ECONNREFUSED : 0;
    net__fill(&e->net, hit, party);
    points_event__end(points, &e->hdr);
}

static void closed__take(struct points *points, const struct trace_hit *hit, const struct points_socket *s)
{
    const struct points_party nobody = {0}, *owner = s ? &s->owner : &nobody, *closer = s ? &s->closer : &nobody;
    const struct points_party *party = closer->pids.tid ? closer : owner;
    struct ebpf_net_info net;

    if (!party__is_wanted(points, EBPF_EVENT_NETWORK_CONNECTION_CLOSED, party))
        return;
    struct ebpf_network_connection_closed_event *e =
        points_event__begin(points, EBPF_EVENT_NETWORK_CONNECTION_CLOSED, sizeof(*e), hit->time_ns, party->comm);

    e->pids = party->pids;
    net__fill(&net, hit, party);
    _Static_assert(offsetof(struct ebpf_net_traffic, bytes_sent) == sizeof(net), "it begins as a struct ebpf_net_info");
    memcpy(&e->net, &net, sizeof(net));
    if (owner->pids.tid) {
        e->hdr.flags |= EBPF_CLOSED_F_OWNER;
        e->owner_pids = owner->pids;
        e->duration_ns = hit->time_ns - s->since_ns;
    }
    e->close_reason = s && s->is_reset ? EBPF_CLOSE_RESET : s ? s->close_reason : 0;
    e->hdr.flags |= e->close_reason ? EBPF_CLOSED_F_REASON : 0;
    points_event__end(points, &e->hdr);
}

/* This end is closed by a thread: note it, and that it was the first if the peer has not closed its own. */
static void socket__note_close(struct points *points, const struct trace_hit *hit, enum state old)
{
    struct points_socket *s = points_sockets__get(&points->sockets, trace_hit__number(hit, TRACE_FIELD_SKADDR));
    struct points_actor actor;

    if (!s || s->is_reset || hit->in_interrupt)
        return;
    points_actor__find(points, hit->tid, &actor);
    party__fill(&s->closer, &actor);
    if (!s->close_reason)
        s->close_reason = old == CLOSE_WAIT ? EBPF_CLOSE_PEER : EBPF_CLOSE_HERE;
}

/* The kernel has no use for a connection any more. */
static void end__take(struct points *points, const struct trace_hit *hit, enum state old)
{
    uint64_t sk = trace_hit__number(hit, TRACE_FIELD_SKADDR);

    if (old == ESTABLISHED || old == CLOSE_WAIT)
        socket__note_close(points, hit, old);
    const struct points_socket *s = points_sockets__find(&points->sockets, sk);

    if (old == SYN_SENT || (old == SYN_RECV && s && s->owner.pids.tid))
        failed__take(points, hit, s);
    else if (old != LISTEN && old != SYN_RECV && old != CLOSED)
        closed__take(points, hit, s);
    points_sockets__drop(&points->sockets, sk);
}

void points_state__take(struct points *points, const struct trace_hit *hit)
{
    const enum state old = (enum state)trace_hit__number(hit, TRACE_FIELD_OLDSTATE);
    const enum state new = (enum state)trace_hit__number(hit, TRACE_FIELD_NEWSTATE);
    uint64_t sk = trace_hit__number(hit, TRACE_FIELD_SKADDR);
    struct points_actor actor;

    if (trace_hit__number(hit, TRACE_FIELD_PROTOCOL) != IPPROTO_TCP)
        return;
    if (old == CLOSED && (new == SYN_SENT || new == LISTEN)) {
        points_actor__find(points, hit->tid, &actor);
        if (new == SYN_SENT)
            attempt__take(points, hit, &actor);
        else
            listen__take(points, hit, &actor);
    } else if (old == SYN_RECV && new == ESTABLISHED) {
        points_sockets__get(&points->sockets, sk);
    } else if (new == FIN_WAIT1 || new == LAST_ACK) {
        socket__note_close(points, hit, old);
    } else if (new == CLOSE_WAIT) {
        struct points_socket *s = points_sockets__find(&points->sockets, sk);

        if (s)
            s->close_reason = EBPF_CLOSE_PEER;
    } else if (new == CLOSED) {
        end__take(points, hit, old);
    }
}

void points_reset__take(struct points *points, const struct trace_hit *hit)
{
    struct points_socket *s = points_sockets__find(&points->sockets, trace_hit__number(hit, TRACE_FIELD_SKADDR));

    if (s)
        s->is_reset = true;
}
