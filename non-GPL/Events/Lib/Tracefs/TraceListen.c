// SPDX-License-Identifier: BSD-2-Clause
/*
 * TraceListen.c - see TraceListen.h.
 *
 * NETWORK_LISTEN: inet_hash and inet6_hash, which enter a socket into a table once it has its port, in state LISTEN if
 * it listens. Before 5.4 the socket does not have its backlog there: that comes from security_socket_listen, before.
 */
#include "TraceListen.h"

#include "TraceCaller.h"
#include "TraceConnections.h"
#include "TraceNet.h"

void trace_listening__note(struct trace_events *events, const struct trace_values *v)
{
    events->backlogs[v->tid % TRACE_BACKLOGS] =
        (struct trace_backlog){.tid = v->tid, .backlog = (uint32_t)NUMBER(v, backlog)};
}

void trace_listen__take(struct trace_events *events, const struct trace_values *v)
{
    struct trace_caller caller;
    const struct trace_backlog *backlog = &events->backlogs[v->tid % TRACE_BACKLOGS];

    if (trace_sock__state(v) != TRACE_TCP_LISTEN || !trace_sock__is_tcp(NUMBER(v, sock_type)) ||
        (!NUMBER(v, sock_file) && !trace_sock__is_subflow(events, v)))
        return;
    trace_caller__find(&caller, events, v);
    if (trace_caller__is_kernel(&caller) || !trace_caller__is_wanted(events, &caller, EBPF_EVENT_NETWORK_LISTEN))
        return;
    struct ebpf_network_listen_event *event =
        trace_connection__begin(events, EBPF_EVENT_NETWORK_LISTEN, sizeof(*event), v, caller.comm);

    event->pids = caller.pids;
    trace_net__fill(&event->net, v);
    event->net.destination = (struct ebpf_ip){0};
    event->net.destination_port = 0;
    trace_net__set_family(&event->net, &event->net.source);
    if (event->net.family == EBPF_FAMILY_INET)
        trace_ip__set_v4(&event->net.destination, 0);
    event->hdr.flags = trace_sock__is_subflow(events, v) ? EBPF_LISTEN_F_MPTCP : 0;
    event->backlog = backlog->tid == v->tid ? backlog->backlog : 0;
    trace_event__end(events, EBPF_RING_MAIN, &event->hdr);
}
