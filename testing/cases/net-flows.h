/* SPDX-License-Identifier: BSD-2-Clause */
/* net-flows.h - what the cases of datagrams share. To be included in place of case.h. */
#ifndef NET_FLOWS_H
#define NET_FLOWS_H

#include "net-ops.h"

static char payload[2000];

/* Two sockets, each bound to a port of an address. */
struct duo {
    int a, b;
    struct ends ends; /* of a */
};

static int udp__at(const char *address)
{
    union address at = address__of(address, 0);
    int fd = socket__open(at.any.sa_family, SOCK_DGRAM, 0);

    CHECK(!bind(fd, &at.any, address__len(&at)));
    return fd;
}

static struct duo duo__open(const char *a_at, const char *b_at)
{
    struct duo d = {.a = udp__at(a_at), .b = udp__at(b_at)};

    d.ends = (struct ends){.source = socket__name(d.a), .destination = socket__name(d.b)};
    return d;
}

/* What differs where flows are made at the ends of calls: keys of the list end in "_at_calls". */
static struct {
    const char *source, *destination; /* NULL: no difference; without a destination there is no port either */
    long datagrams, bytes;
    bool has_counts;
} at_calls;

static void flow(const char *what, const struct ends *ends, const char *direction, const char *state, long datagrams,
                 long bytes, pid_t closer)
{
    expect__begin(what, "NETWORK_DATAGRAM_FLOW", ends, closer ? closer : getpid());
    fact__str("transport", "UDP");
    fact__str("direction", direction);
    fact__str("flow_state", state);
    fact__int("datagrams", datagrams);
    fact__int("bytes", bytes);
    fact__int("owner", closer ? getpid() : 0);
    if (at_calls.source)
        fact__str("source_address_at_calls", at_calls.source);
    if (at_calls.destination) {
        fact__str("destination_address_at_calls", at_calls.destination);
        fact__int("destination_port_at_calls", 0);
    }
    if (at_calls.has_counts) {
        fact__int("datagrams_at_calls", at_calls.datagrams);
        fact__int("bytes_at_calls", at_calls.bytes);
    }
    expect__end();
}

static void is_new(const char *what, const struct ends *ends, const char *direction, long datagrams, long bytes)
{
    flow(what, ends, direction, "NEW", datagrams, bytes, 0);
}

static void is_closed(const char *what, const struct ends *ends, const char *direction, long datagrams, long bytes)
{
    flow(what, ends, direction, "CLOSED", datagrams, bytes, getpid());
}

static void send_to(int fd, const union address *to, size_t len)
{
    CHECK(sendto(fd, payload, len, 0, &to->any, address__len(to)) == (ssize_t)len);
}

#endif
