/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceNet.h - sockets in records: their two ends, what they are. */
#ifndef EBPF_TRACE_NET_H
#define EBPF_TRACE_NET_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "TraceTask.h"

/* States of TCP sockets, as the kernel has them (include/net/tcp_states.h). */
enum trace_tcp_state {
    TRACE_TCP_ESTABLISHED = 1,
    TRACE_TCP_SYN_SENT,
    TRACE_TCP_SYN_RECV,
    TRACE_TCP_CLOSE = 7,
    TRACE_TCP_CLOSE_WAIT,
    TRACE_TCP_LAST_ACK,
    TRACE_TCP_LISTEN,
};

/*
 * Return whether the eight bytes from two before the type of a socket are those of one of a type and protocol. The
 * protocol is a number behind the type, or before it (7.x), or before 5.6 the byte before it.
 */
static inline bool trace_sock__is(uint64_t bytes, unsigned int type, unsigned int protocol)
{
    unsigned int before = bytes & 0xffff, behind = bytes >> 32 & 0xffff;

    return (bytes >> 16 & 0xffff) == type && (behind == protocol || before == protocol || before >> 8 == protocol);
}

static inline bool trace_sock__is_tcp(uint64_t bytes)
{
    return trace_sock__is(bytes, SOCK_STREAM, IPPROTO_TCP);
}

/* For MPTCP there is a number of its own, since 5.6. */
static inline bool trace_sock__is_mptcp(uint64_t bytes)
{
    return trace_sock__is(bytes, SOCK_STREAM, 262);
}

static inline bool trace_sock__is_udp(uint64_t bytes)
{
    return trace_sock__is(bytes, SOCK_DGRAM, IPPROTO_UDP);
}

static inline unsigned int trace_sock__family(const struct trace_values *v)
{
    return NUMBER(v, sock_ports) >> 32 & 0xffff;
}

static inline unsigned int trace_sock__state(const struct trace_values *v)
{
    return NUMBER(v, sock_ports) >> 48 & 0xff;
}

static inline void trace_ip__set_v4(struct ebpf_ip *ip, uint32_t address)
{
    *ip = (struct ebpf_ip){.words = {0, 0, htonl(0xffff), address}};
}

static inline bool trace_ip__is_v4(const struct ebpf_ip *ip)
{
    return !ip->words[0] && !ip->words[1] && ip->words[2] == htonl(0xffff);
}

static inline void trace_ip__set_words(struct ebpf_ip *ip, uint64_t begin, uint64_t end)
{
    memcpy(ip, &begin, sizeof(begin));
    memcpy(ip->words + 2, &end, sizeof(end));
}

/* Set the family of a connection or flow by the address of an end. */
static inline void trace_net__set_family(struct ebpf_net_info *net, const struct ebpf_ip *ip)
{
    net->family = trace_ip__is_v4(ip) ? EBPF_FAMILY_INET : EBPF_FAMILY_INET6;
}

/* Fill in the ends of a TCP socket. */
void trace_net__fill(struct ebpf_net_info *net, const struct trace_values *v);

#endif
