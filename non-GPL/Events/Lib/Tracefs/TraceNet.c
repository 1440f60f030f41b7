// SPDX-License-Identifier: BSD-2-Clause
/* TraceNet.c - see TraceNet.h. */
#include "TraceNet.h"

#include <sys/socket.h>

void trace_net__fill(struct ebpf_net_info *net, const struct trace_values *v)
{
    *net = (struct ebpf_net_info){
        .transport = EBPF_TRANSPORT_TCP,
        .source_port = ntohs((uint16_t)NUMBER(v, sock_sport)),
        .destination_port = ntohs((uint16_t)NUMBER(v, sock_ports)),
        .network_namespace = (uint32_t)NUMBER(v, sock_net_ns),
    };
    const uint64_t v4 = NUMBER(v, sock_v4_addresses) ? NUMBER(v, sock_v4_addresses) : NUMBER(v, sock_addresses);

    if (trace_sock__family(v) == AF_INET6 || (!v4 && NUMBER(v, sock_v6_own_end))) {
        trace_ip__set_words(&net->source, NUMBER(v, sock_v6_own), NUMBER(v, sock_v6_own_end));
        trace_ip__set_words(&net->destination, NUMBER(v, sock_v6_peer), NUMBER(v, sock_v6_peer_end));
    } else {
        trace_ip__set_v4(&net->source, trace_values__upper(v4));
        trace_ip__set_v4(&net->destination, (uint32_t)v4);
    }
    trace_net__set_family(net, &net->destination);
}
