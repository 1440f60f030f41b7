// SPDX-License-Identifier: BSD-2-Clause
/*
 * TraceConnections.c - see TraceConnections.h.
 *
 * NETWORK_CONNECTION_ATTEMPTED: tcp_connect, which sends the SYN; addresses and ports are final. _ACCEPTED:
 * security_sock_graft, where a connection gets its process' socket. _FAILED: tcp_done of a connection that is not
 * established, often in an interrupt; and what ends an attempt in the process. _CLOSED: tcp_close, which runs once for
 * each socket, in the process that closes it last; connect with no address comes by tcp_disconnect instead, which
 * tcp_close may call as well.
 */
#include "TraceConnections.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "TraceCaller.h"
#include "TraceListen.h"
#include "TraceNet.h"

#define SOCK_DONE 2 /* bit of sock_common.skc_flags since the peer's end */

static bool event__is_on(const struct trace_events *events, enum ebpf_event_type type)
{
    return ebpf_event_set__has(events->wanted, type);
}

static bool connections__are_tracked(const struct trace_events *events)
{
    return event__is_on(events, EBPF_EVENT_NETWORK_CONNECTION_CLOSED) ||
           event__is_on(events, EBPF_EVENT_NETWORK_CONNECTION_FAILED);
}

bool trace_sock__is_subflow(const struct trace_events *events, const struct trace_values *v)
{
    return events->mptcp_ulp && NUMBER(v, sock_ulp) == events->mptcp_ulp;
}

void *trace_connection__begin(struct trace_events *events, enum ebpf_event_type type, size_t size,
                              const struct trace_values *v, const char *comm)
{
    struct ebpf_event_header *hdr = trace_event__begin(events, EBPF_RING_MAIN, type, size, v);

    memcpy(hdr->comm, comm, EBPF_COMM_LEN);
    return hdr;
}

/* Store a connection that has begun just now. NULL if there is no room. */
static struct trace_socket *connection__track(struct trace_events *events, const struct trace_values *v,
                                              enum trace_role role, const struct trace_caller *caller)
{
    struct trace_socket *e = trace_sockets__put(&events->sockets, &events->processes, NUMBER(v, sock));

    if (!e)
        return NULL;
    e->role = role;
    e->since = v->time_ns;
    e->owner = caller->pids;
    memcpy(e->comm, caller->comm, sizeof(e->comm));
    e->passes = trace_caller__passes(events, caller);
    e->is_mptcp = trace_sock__is_subflow(events, v);
    trace_net__fill(&e->net, v);
    return e;
}

/* ----------------------------------------------------------------------- begins */

static struct trace_attempt *attempt__of(struct trace_events *events, uint32_t tid)
{
    return &events->attempts[tid % TRACE_ATTEMPTS];
}

static void connect__take(struct trace_events *events, const struct trace_values *v)
{
    struct trace_caller caller;
    bool is_tracked = connections__are_tracked(events);
    struct trace_attempt *attempt = attempt__of(events, v->tid);

    attempt->was_sent = attempt->was_sent || (attempt->tid == v->tid && attempt->sk == NUMBER(v, sock));
    trace_caller__find(&caller, events, v);
    if (trace_caller__is_kernel(&caller) || (!NUMBER(v, sock_file) && !trace_sock__is_subflow(events, v)))
        return;
    struct trace_socket *e = is_tracked ? connection__track(events, v, TRACE_ROLE_OPENED, &caller) : NULL;

    if (!trace_caller__is_wanted(events, &caller, EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED))
        return;
    struct ebpf_network_connection_attempted_event *event =
        trace_connection__begin(events, EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED, sizeof(*event), v, caller.comm);

    event->hdr.flags = (e || !is_tracked ? 0 : EBPF_ATTEMPT_F_UNTRACKED) |
                       (trace_sock__is_subflow(events, v) ? EBPF_ATTEMPT_F_MPTCP : 0);
    event->pids = caller.pids;
    trace_net__fill(&event->net, v);
    trace_event__end(events, EBPF_RING_MAIN, &event->hdr);
}

static void accept__take(struct trace_events *events, const struct trace_values *v)
{
    struct trace_caller caller;
    bool is_tracked = connections__are_tracked(events);
    unsigned int family = trace_sock__family(v);
    uint64_t type = NUMBER(v, sock_type);
    bool is_mptcp = trace_sock__is_mptcp(type);

    if ((family != AF_INET && family != AF_INET6) || (!trace_sock__is_tcp(type) && !is_mptcp))
        return;
    trace_caller__find(&caller, events, v);
    if (trace_caller__is_kernel(&caller))
        return;
    is_tracked = is_tracked && !is_mptcp; /* its end is not seen */
    struct trace_socket *e = is_tracked ? connection__track(events, v, TRACE_ROLE_ACCEPTED, &caller) : NULL;

    if (e && trace_sock__state(v) == TRACE_TCP_CLOSE) { /* reset before it was accepted */
        e->ended_in = TRACE_TCP_ESTABLISHED;
        e->error = (uint32_t)NUMBER(v, sock_error);
    }
    if (!trace_caller__is_wanted(events, &caller, EBPF_EVENT_NETWORK_CONNECTION_ACCEPTED))
        return;
    struct ebpf_network_connection_accepted_event *event =
        trace_connection__begin(events, EBPF_EVENT_NETWORK_CONNECTION_ACCEPTED, sizeof(*event), v, caller.comm);

    event->hdr.flags = (e || !is_tracked ? 0 : EBPF_ACCEPT_F_UNTRACKED) | (is_mptcp ? EBPF_ACCEPT_F_MPTCP : 0);
    event->pids = caller.pids;
    trace_net__fill(&event->net, v);
    trace_event__end(events, EBPF_RING_MAIN, &event->hdr);
}

/* ------------------------------------------------------------------------- ends */

/* Report an attempt that has failed, of the process that made it, and forget it. */
static void connection__fail(struct trace_events *events, const struct trace_values *v, const struct trace_socket *e,
                             uint32_t error)
{
    const enum ebpf_event_type type = EBPF_EVENT_NETWORK_CONNECTION_FAILED;

    if (event__is_on(events, type) && !e->passes)
        events->filtered[type]++;
    if (event__is_on(events, type) && e->passes) {
        struct ebpf_network_connection_failed_event *event =
            trace_connection__begin(events, type, sizeof(*event), v, e->comm);

        event->hdr.flags = e->is_mptcp ? EBPF_FAILED_F_MPTCP : 0;
        event->pids = e->owner;
        event->net = e->net;
        event->error = event->error_number = error;
        trace_event__end(events, EBPF_RING_MAIN, &event->hdr);
    }
    trace_sockets__remove(&events->sockets, e->sk);
}

/* ---------------------------------------------------- attempts that fail at once */

/* The minimum lengths of addresses that the kernel accepts: that of struct sockaddr_in, and that of RFC 2133. */
#define ADDRESS_V4_MIN 16
#define ADDRESS_V6_MIN 24

/* Note where a thread connects to. For an IPv4-mapped address tcp_v6_connect calls tcp_v4_connect, which is noted. */
static void connecting__take(struct trace_events *events, const struct trace_values *v)
{
    struct trace_attempt *attempt = attempt__of(events, v->tid);
    bool is_v6 = v->probe == TRACE_PROBE_connecting_v6;
    struct ebpf_net_info *net = &attempt->net;

    *attempt = (struct trace_attempt){.tid = v->tid};
    if (NUMBER(v, to_len) < (is_v6 ? ADDRESS_V6_MIN : ADDRESS_V4_MIN))
        return;
    attempt->sk = NUMBER(v, sock);
    net->transport = EBPF_TRANSPORT_TCP;
    net->source_port = ntohs((uint16_t)NUMBER(v, sock_sport));
    net->destination_port = ntohs((uint16_t)(NUMBER(v, to) >> 16));
    net->network_namespace = (uint32_t)NUMBER(v, sock_net_ns);
    if (is_v6) {
        trace_ip__set_words(&net->source, NUMBER(v, sock_v6_own), NUMBER(v, sock_v6_own_end));
        trace_ip__set_words(&net->destination, NUMBER(v, to_v6), NUMBER(v, to_v6_end));
    } else {
        trace_ip__set_v4(&net->source, trace_values__upper(NUMBER(v, sock_addresses)));
        trace_ip__set_v4(&net->destination, trace_values__upper(NUMBER(v, to)));
    }
    trace_net__set_family(net, &net->destination);
    if (net->family == EBPF_FAMILY_INET && !net->source.words[2] && !net->source.words[3])
        trace_ip__set_v4(&net->source, 0);
}

/* connect has returned: an attempt that failed in the call is reported, if it was not sent, and its failure. */
static void connected__take(struct trace_events *events, const struct trace_values *v)
{
    struct trace_attempt *attempt = attempt__of(events, v->tid);
    int result = (int)NUMBER(v, result);
    uint64_t sk = attempt->tid == v->tid ? attempt->sk : 0;
    struct trace_socket *e = trace_sockets__find(&events->sockets, sk);

    attempt->sk = 0;
    if (!sk || result >= 0 || result == -EAFNOSUPPORT)
        return;
    if (attempt->was_sent) {
        if (e)
            connection__fail(events, v, e, (uint32_t)-result);
        return;
    }
    struct trace_caller caller;

    trace_caller__find(&caller, events, v);
    if (trace_caller__is_kernel(&caller))
        return;
    if (trace_caller__is_wanted(events, &caller, EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED)) {
        struct ebpf_network_connection_attempted_event *event =
            trace_connection__begin(events, EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED, sizeof(*event), v, caller.comm);

        event->pids = caller.pids;
        event->net = attempt->net;
        trace_event__end(events, EBPF_RING_MAIN, &event->hdr);
    }
    if (trace_caller__is_wanted(events, &caller, EBPF_EVENT_NETWORK_CONNECTION_FAILED)) {
        struct ebpf_network_connection_failed_event *event =
            trace_connection__begin(events, EBPF_EVENT_NETWORK_CONNECTION_FAILED, sizeof(*event), v, caller.comm);

        event->pids = caller.pids;
        event->net = attempt->net;
        event->error = event->error_number = (uint32_t)-result;
        trace_event__end(events, EBPF_RING_MAIN, &event->hdr);
    }
}

/* ------------------------------------------------------------------------- closes */

/* Return whether a state is one of an attempt: not yet established, or not by this end. */
static bool state__is_attempt(unsigned int state, const struct trace_socket *e)
{
    return state == TRACE_TCP_SYN_SENT || (state == TRACE_TCP_SYN_RECV && e && e->role == TRACE_ROLE_OPENED);
}

/*
 * Find the entry of a connection by its socket. One with another peer is that of an earlier connection, whose close was
 * lost: it is dropped.
 */
static struct trace_socket *connection__find(struct trace_events *events, const struct trace_values *v)
{
    struct trace_socket *e = trace_sockets__find(&events->sockets, NUMBER(v, sock));

    if (!e || e->net.destination_port == ntohs((uint16_t)NUMBER(v, sock_ports)))
        return e;
    trace_sockets__remove(&events->sockets, e->sk);
    return NULL;
}

static void done__take(struct trace_events *events, const struct trace_values *v)
{
    struct trace_socket *e = connection__find(events, v);
    unsigned int state = trace_sock__state(v);
    uint32_t error = (uint32_t)NUMBER(v, sock_error);

    if (state == TRACE_TCP_CLOSE || state == TRACE_TCP_LISTEN || !NUMBER(v, sock_socket))
        return;
    if (state__is_attempt(state, e)) {
        if (e)
            connection__fail(events, v, e, error ? error : ECONNABORTED);
        return;
    }
    if (trace_sock__is_subflow(events, v) || (e && e->is_mptcp)) { /* its close is not seen */
        trace_sockets__remove(&events->sockets, NUMBER(v, sock));
        return;
    }
    if (!e) {
        e = trace_sockets__put(&events->sockets, &events->processes, NUMBER(v, sock));
        if (e) {
            e->role = TRACE_ROLE_FOUND;
            e->net.destination_port = ntohs((uint16_t)NUMBER(v, sock_ports));
        }
    }
    if (e) {
        e->ended_in = state;
        e->error = error;
    }
}

/* Return why a connection ended, by its state and error at its end. */
static enum ebpf_close_reason close_reason__of(unsigned int state, uint32_t error)
{
    switch (error) {
    case 0:
        return state == TRACE_TCP_CLOSE_WAIT || state == TRACE_TCP_LAST_ACK ? EBPF_CLOSE_PEER : EBPF_CLOSE_HERE;
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
static bool state__has_fin(unsigned int state)
{
    return state != TRACE_TCP_ESTABLISHED && state != TRACE_TCP_CLOSE_WAIT && state != TRACE_TCP_SYN_RECV;
}

/*
 * Return the bytes that a socket has sent, with those that wait. Kernels before 4.19 only count what was acknowledged,
 * with the SYN of the end that opened the connection, and the FIN. Who opened one that is older than the probes is not
 * known; there it is taken for opened here.
 */
static uint64_t bytes__sent(const struct trace_values *v, const struct trace_socket *e, unsigned int state)
{
    uint32_t unsent = (uint32_t)NUMBER(v, write_seq) - (uint32_t)NUMBER(v, snd_nxt);
    uint64_t acked = NUMBER(v, bytes_acked);

    if (NUMBER(v, bytes_sent) || acked <= 1)
        return NUMBER(v, bytes_sent) - NUMBER(v, bytes_retrans) + unsent - (unsent && state__has_fin(state));
    uint64_t numbers = acked + ((uint32_t)NUMBER(v, write_seq) - (uint32_t)NUMBER(v, snd_una));
    uint64_t others = (!e || e->role != TRACE_ROLE_ACCEPTED) + (uint64_t)state__has_fin(state);

    return numbers > others ? numbers - others : 0;
}

/* Report the end of a connection in a state. */
static void connection__close(struct trace_events *events, const struct trace_values *v, const struct trace_socket *e,
                              unsigned int state, const struct trace_caller *caller)
{
    const enum ebpf_event_type type = EBPF_EVENT_NETWORK_CONNECTION_CLOSED;
    bool is_owned = e && e->role != TRACE_ROLE_FOUND, by_kernel = trace_caller__is_kernel(caller);
    struct ebpf_net_info net;

    if (!event__is_on(events, type) || (by_kernel && !is_owned))
        return;
    if (by_kernel && !e->passes) {
        events->filtered[type]++;
        return;
    }
    if (!by_kernel && !trace_caller__is_wanted(events, caller, type))
        return;
    struct ebpf_network_connection_closed_event *event =
        trace_connection__begin(events, type, sizeof(*event), v, by_kernel ? e->comm : caller->comm);

    event->pids = by_kernel ? e->owner : caller->pids;
    event->hdr.flags = EBPF_CLOSED_F_REASON | (is_owned ? EBPF_CLOSED_F_OWNER : 0);
    trace_net__fill(&net, v);
    memcpy(&event->net, &net, sizeof(net));
    if (is_owned) {
        event->owner_pids = e->owner;
        event->duration_ns = v->time_ns - e->since;
    }
    event->net.bytes_sent = bytes__sent(v, e, state);
    event->net.bytes_received = NUMBER(v, bytes_received);
    if (event->net.bytes_received && NUMBER(v, sock_flags) & SOCK_DONE)
        event->net.bytes_received--;
    event->close_reason = close_reason__of(state, e ? e->error : 0);
    trace_event__end(events, EBPF_RING_MAIN, &event->hdr);
}

/* Return the state in which a connection ends; 0 if it was never established. */
static unsigned int connection__state(const struct trace_socket *e, const struct trace_values *v)
{
    unsigned int state = trace_sock__state(v);

    if (state == TRACE_TCP_CLOSE && e) {
        if (e->ended_in)
            return e->ended_in;
        return e->role != TRACE_ROLE_OPENED || NUMBER(v, bytes_acked) || NUMBER(v, bytes_sent) ||
                       NUMBER(v, bytes_received)
                   ? TRACE_TCP_ESTABLISHED
                   : 0;
    }
    return state == TRACE_TCP_CLOSE || state__is_attempt(state, e) ? 0 : state;
}

/*
 * Return whether a process has a socket, and not the kernel alone. One that was never accepted is disconnected without
 * a struct socket; then what is fetched as its file is anything.
 */
static bool sock__is_owned(const struct trace_values *v)
{
    return NUMBER(v, sock_file) && (v->probe == TRACE_PROBE_close || NUMBER(v, sock_socket));
}

/* A socket is closed, or disconnected. */
static void end__take(struct trace_events *events, const struct trace_values *v)
{
    const uint64_t sk = NUMBER(v, sock);
    struct trace_socket *e = connection__find(events, v);
    struct trace_closing *closing = &events->closings[v->tid % TRACE_CLOSINGS];
    bool by_close = v->probe == TRACE_PROBE_close;
    struct trace_caller caller;

    if (by_close)
        *closing = (struct trace_closing){.tid = v->tid, .sk = sk};
    else if (!e && closing->tid == v->tid && closing->sk == sk)
        return; /* the close that was reported goes on */
    if (trace_sock__state(v) == TRACE_TCP_LISTEN || !sock__is_owned(v) || trace_sock__is_subflow(events, v))
        return;
    unsigned int state = connection__state(e, v);

    if (state) {
        trace_caller__find(&caller, events, v);
        connection__close(events, v, e, state, &caller);
    } else if (e) {
        connection__fail(events, v, e, ECONNABORTED);
        return;
    }
    trace_sockets__remove(&events->sockets, sk);
}

void trace_connections__take(struct trace_events *events, const struct trace_values *v)
{
    switch (v->probe) {
    case TRACE_PROBE_connect:
        connect__take(events, v);
        return;
    case TRACE_PROBE_accept:
        accept__take(events, v);
        return;
    case TRACE_PROBE_connecting:
    case TRACE_PROBE_connecting_v6:
        connecting__take(events, v);
        return;
    case TRACE_PROBE_connected:
    case TRACE_PROBE_connected_v6:
        connected__take(events, v);
        return;
    case TRACE_PROBE_done:
        done__take(events, v);
        return;
    case TRACE_PROBE_close:
    case TRACE_PROBE_disconnect:
        end__take(events, v);
        return;
    case TRACE_PROBE_listening:
        trace_listening__note(events, v);
        return;
    case TRACE_PROBE_listen:
    case TRACE_PROBE_listen_v6:
        trace_listen__take(events, v);
        return;
    default:
        return;
    }
}
