/* SPDX-License-Identifier: BSD-2-Clause */
/* case-net-datagram: UDP datagrams of sockets of all kinds, and the totals when these are closed. */
#include "net-flows.h"

#include <netinet/udp.h>
#include <sched.h>

#include "ring.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define PEERS 20
#define FIRST_PIECE 30 /* bytes of a datagram that is sent in pieces */

/* With the sender's address, which the ends of calls have nowhere else. */
static ssize_t take(int fd, void *data, size_t size, int flags)
{
    union address from;
    socklen_t len = sizeof(from);

    return recvfrom(fd, data, size, flags, &from.any, &len);
}

static void receive(int fd, size_t len)
{
    static char data[65536];

    CHECK(take(fd, data, sizeof(data), 0) == (ssize_t)len);
}

/* Return an IPv4 address as a socket of both families expects it. */
static union address mapped(const union address *v4)
{
    union address a = {.v6 = {.sin6_family = AF_INET6, .sin6_port = v4->v4.sin_port}};

    a.v6.sin6_addr.s6_addr[10] = a.v6.sin6_addr.s6_addr[11] = 0xff;
    memcpy(&a.v6.sin6_addr.s6_addr[12], &v4->v4.sin_addr, 4);
    return a;
}

/* Three there, one back. */
static void exchange(const char *what, const char *a_at, const char *b_at, bool connected)
{
    struct duo d = duo__open(a_at, b_at);
    struct ends turned = ends__turned(&d.ends);
    union address to_b = d.ends.destination, to_a = d.ends.source;

    if (connected)
        CHECK(!connect(d.a, &to_b.any, address__len(&to_b)) && !connect(d.b, &to_a.any, address__len(&to_a)));
    for (int i = 0; i < 3; i++) {
        if (connected)
            CHECK(send(d.a, payload, 100, 0) == 100);
        else
            send_to(d.a, &to_b, 100);
        receive(d.b, 100);
    }
    is_new(what, &d.ends, "SENT", 1, 100);
    is_new(what, &turned, "RECEIVED", 1, 100);
    send_to(d.b, &to_a, 50);
    receive(d.a, 50);
    is_new(what, &turned, "SENT", 1, 50);
    is_new(what, &d.ends, "RECEIVED", 1, 50);
    CHECK(!close(d.a) && !close(d.b));
    is_closed(what, &d.ends, "RECEIVED", 1, 50);
    is_closed(what, &d.ends, "SENT", 3, 300);
    is_closed(what, &turned, "SENT", 1, 50);
    is_closed(what, &turned, "RECEIVED", 3, 300);
}

/* Send data in a way: the receiver gets `datagrams` with `bytes` in all. */
struct sent {
    long datagrams, bytes, first_datagrams, first_bytes;
};

typedef struct sent send_fn(const struct duo *d);

static struct sent send__mmsg(const struct duo *d)
{
    union address to = d->ends.destination;
    struct iovec iov[4];
    struct mmsghdr messages[4] = {0};

    for (int i = 0; i < 4; i++) {
        iov[i] = (struct iovec){payload, 10 + (size_t)i};
        messages[i].msg_hdr =
            (struct msghdr){.msg_name = &to, .msg_namelen = address__len(&to), .msg_iov = &iov[i], .msg_iovlen = 1};
    }
    CHECK(sendmmsg(d->a, messages, 4, 0) == 4);
    return (struct sent){4, 46, 1, 10};
}

static struct sent send__pieces(const struct duo *d)
{
    union address to = d->ends.destination;

    CHECK(sendto(d->a, payload, FIRST_PIECE, MSG_MORE, &to.any, address__len(&to)) == FIRST_PIECE);
    CHECK(sendto(d->a, payload, 12, 0, &to.any, address__len(&to)) == 12);
    return (struct sent){1, 42, 1, 42};
}

static bool lacks_segments;

/* A small kernel may refuse segments over IPv6: none is sent then. */
static struct sent send__segments(const struct duo *d)
{
    const union address *to = &d->ends.destination;
    int size = 400;

    CHECK(!setsockopt(d->a, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)));
    if (sendto(d->a, payload, 1000, 0, &to->any, address__len(to)) != 1000) {
        CHECK(errno == EINVAL && to->any.sa_family == AF_INET6);
        lacks_segments = true;
        return (struct sent){0};
    }
    return (struct sent){3, 1000, 3, 1000};
}

static struct sent send__nothing(const struct duo *d)
{
    send_to(d->a, &d->ends.destination, 0);
    return (struct sent){1, 0, 1, 0};
}

static struct ring ring;
static const struct ring_way *ring_way;

static struct sent send__ring(const struct duo *d)
{
    union address to = d->ends.destination;
    struct iovec iov = {payload, 77};
    struct msghdr message = {.msg_name = &to, .msg_namelen = address__len(&to), .msg_iov = &iov, .msg_iovlen = 1};
    struct io_uring_sqe sqe = {
        .opcode = IORING_OP_SENDMSG, .flags = ring_way->sqe_flags, .fd = d->a, .addr = (uintptr_t)&message, .len = 1};

    CHECK(ring__do(&ring, &sqe) == 77);
    return (struct sent){1, 77, 1, 77};
}

/* A worker of a ring may hold a socket a moment longer than the process: wait until its port is free again. */
static void await_port(const union address *address)
{
    int fd = socket__open(address->any.sa_family, SOCK_DGRAM, 0);

    while (bind(fd, &address->any, address__len(address))) {
        CHECK(errno == EADDRINUSE);
        poll(NULL, 0, 1);
    }
    CHECK(!close(fd));
}

static void one_way(const char *what, const char *a_at, const char *b_at, send_fn *fn)
{
    struct duo d = duo__open(a_at, b_at);
    struct ends turned = ends__turned(&d.ends);
    struct sent sent = fn(&d);
    long got = 0, datagrams = 0, first = -1;
    static char data[65536];

    if (!sent.datagrams) {
        CHECK(!close(d.a) && !close(d.b));
        return;
    }
    while (datagrams < sent.datagrams) {
        ssize_t n = take(d.b, data, sizeof(data), 0);

        CHECK(n >= 0);
        first = first < 0 ? n : first;
        got += n;
        datagrams++;
    }
    CHECK(got == sent.bytes);
    at_calls.has_counts = fn == send__pieces;
    at_calls.bytes = FIRST_PIECE;
    is_new(what, &d.ends, "SENT", sent.first_datagrams, sent.first_bytes);
    at_calls.has_counts = false;
    is_new(what, &turned, "RECEIVED", 1, first);
    CHECK(!close(d.a));
    await_port(&d.ends.source);
    CHECK(!close(d.b));
    is_closed(what, &d.ends, "SENT", sent.datagrams, sent.bytes);
    is_closed(what, &turned, "RECEIVED", sent.datagrams, sent.bytes);
}

/* Peeking at a datagram is not receiving it; a datagram of which a part finds no room is received. */
static void peek_and_cut(void)
{
    struct duo d = duo__open(V4_LOOP, V4_LOOP);
    struct ends turned = ends__turned(&d.ends);
    char data[10];

    send_to(d.a, &d.ends.destination, 100);
    CHECK(recv(d.b, data, sizeof(data), MSG_PEEK) == 10 && recv(d.b, data, sizeof(data), MSG_PEEK | MSG_TRUNC) == 100);
    CHECK(take(d.b, data, sizeof(data), 0) == 10);
    is_new("peek", &d.ends, "SENT", 1, 100);
    at_calls.has_counts = true;
    at_calls.datagrams = 1;
    at_calls.bytes = sizeof(data);
    is_new("peek", &turned, "RECEIVED", 1, 100);
    CHECK(!close(d.a) && !close(d.b));
    at_calls.has_counts = false;
    is_closed("peek", &d.ends, "SENT", 1, 100);
    at_calls.has_counts = true;
    is_closed("peek", &turned, "RECEIVED", 1, 100);
    at_calls.has_counts = false;
    at_calls.datagrams = 0;
}

/* One socket, many peers. */
static void peers(void)
{
    int a = udp__at(V4_LOOP), b[PEERS];
    struct ends ends[PEERS];

    for (int i = 0; i < PEERS; i++) {
        b[i] = udp__at(V4_LOOP);
        ends[i] = (struct ends){.source = socket__name(a), .destination = socket__name(b[i])};
        send_to(a, &ends[i].destination, 10 + (size_t)i);
        is_new("peers", &ends[i], "SENT", 1, 10 + i);
    }
    for (int i = 0; i < PEERS; i++)
        send_to(a, &ends[i].destination, 1);
    CHECK(!close(a));
    for (int i = PEERS - 1; i >= 0; i--) {
        is_closed("peers", &ends[i], "SENT", 2, 11 + i);
        CHECK(!close(b[i])); /* it has received nothing */
    }
}

/* The source of an unbound socket, and datagrams to one that is bound to any address. */
static void unbound(const char *what, const char *any, const char *loop)
{
    int a = socket__open(address__of(any, 0).any.sa_family, SOCK_DGRAM, 0), b = udp__at(any);
    union address to = socket__name(b), from = address__of(loop, 0), dest = address__of(loop, address__port(&to));
    struct ends ends;

    if (dest.any.sa_family != to.any.sa_family) {
        union address as_v6 = mapped(&dest);

        send_to(a, &as_v6, 60);
    } else {
        send_to(a, &dest, 60);
    }
    receive(b, 60);
    to = socket__name(a);
    address__set_port(&from, address__port(&to));
    ends = (struct ends){.source = from, .destination = dest};
    struct ends turned = ends__turned(&ends);

    at_calls.source = dest.any.sa_family == AF_INET ? "0.0.0.0" : any;
    is_new(what, &ends, "SENT", 1, 60);
    is_new(what, &turned, "RECEIVED", 1, 60);
    CHECK(!close(a) && !close(b));
    is_closed(what, &ends, "SENT", 1, 60);
    is_closed(what, &turned, "RECEIVED", 1, 60);
    at_calls.source = NULL;
}

/*
 * A flow has two ends: a socket that is bound to all addresses has several local ones. At the ends of calls it has one,
 * and one flow.
 */
static void local_addresses(void)
{
    static const char *const places[] = {"127.0.0.1", "127.0.0.2"};
    int any = udp__at("0.0.0.0"), a = udp__at("127.0.0.9");
    union address name = socket__name(any);
    struct ends ends[2], turned[2];

    for (int i = 0; i < 2; i++) {
        ends[i] = (struct ends){.source = socket__name(a), .destination = address__of(places[i], address__port(&name))};
        turned[i] = ends__turned(&ends[i]);
        send_to(a, &ends[i].destination, 10 + (size_t)i);
        is_new("local addresses", &ends[i], "SENT", 1, 10 + i);
        receive(any, 10 + (size_t)i);
        at_calls.source = "0.0.0.0";
        is_new(i ? "second local address" : "local addresses", &turned[i], "RECEIVED", 1, 10 + i);
        at_calls.source = NULL;
    }
    CHECK(!close(a) && !close(any));
    for (int i = 1; i >= 0; i--)
        is_closed("local addresses", &ends[i], "SENT", 1, 10 + i);
    for (int i = 1; i >= 0; i--) {
        at_calls.source = "0.0.0.0";
        at_calls.has_counts = !i;
        at_calls.datagrams = 2;
        at_calls.bytes = 21;
        is_closed(i ? "second local address" : "local addresses", &turned[i], "RECEIVED", 1, 10 + i);
    }
    memset(&at_calls, 0, sizeof(at_calls));
}

/* A socket that connects again has another port. */
static void connected_anew(void)
{
    union address none = {.any = {.sa_family = AF_UNSPEC}};
    int a = socket__open(AF_INET, SOCK_DGRAM, 0), b = udp__at(V4_LOOP);
    union address to = socket__name(b);
    struct ends ends[2];

    for (int i = 0; i < 2; i++) {
        do {
            CHECK(!connect(a, &none.any, sizeof(none.any)) && !connect(a, &to.any, address__len(&to)));
            ends[i] = (struct ends){.source = socket__name(a), .destination = to};
        } while (i && address__port(&ends[0].source) == address__port(&ends[1].source));
        CHECK(send(a, payload, 10, 0) == 10);
        is_new("connected anew", &ends[i], "SENT", 1, 10);
    }
    CHECK(!close(a) && !close(b));
    for (int i = 1; i >= 0; i--)
        is_closed("connected anew", &ends[i], "SENT", 1, 10);
}

/* A datagram by a raw socket, which is none of a UDP socket. */
static void raw(const char *to_at)
{
    union address to = address__of(to_at, 0);
    int fd = socket__open(to.any.sa_family, SOCK_RAW, IPPROTO_UDP);
    struct udphdr header = {.source = htons(9), .dest = htons(9), .len = htons(sizeof(header))};

    CHECK(sendto(fd, &header, sizeof(header), 0, &to.any, address__len(&to)) == sizeof(header) && !close(fd));
}

/* No events: unused sockets, datagrams that are not sent, and raw sockets. */
static void nothing(void)
{
    static char too_long[70000];
    int a = udp__at(V4_LOOP);
    union address to = socket__name(a), far = address__of("192.0.2.1", 9);

    raw(V4_LOOP);
    if (has_ipv6())
        raw(V6_LOOP);

    CHECK(sendto(a, too_long, sizeof(too_long), 0, &to.any, address__len(&to)) < 0 && errno == EMSGSIZE);
    CHECK(!close(a));
    a = socket__open(AF_INET, SOCK_DGRAM, 0);
    CHECK(sendto(a, payload, 10, 0, &far.any, address__len(&far)) < 0 && errno == ENETUNREACH);
    CHECK(!close(a));
}

static void wait_and_exit(void *gate)
{
    gate__wait(gate);
}

/* The process that closes it last closes it: a child, by its exit. */
static void closed_by_child(void)
{
    struct duo d = duo__open(V4_LOOP, V4_LOOP);
    struct gate gate;

    send_to(d.a, &d.ends.destination, 5);
    is_new("closed by a child", &d.ends, "SENT", 1, 5);
    gate__init(&gate);
    pid_t child = child__start(wait_and_exit, &gate);

    CHECK(!close(d.a) && !close(d.b));
    gate__open(&gate);
    CHECK(child__wait(child) == 0);
    flow("closed by a child", &d.ends, "SENT", "CLOSED", 1, 5, child);
}

static void by_rings(void)
{
    for (size_t i = 0; i < ARRAY_LEN(ring_ways); i++) {
        ring_way = &ring_ways[i];
        CHECK(ring__open(&ring, ring_way->setup_flags));
        one_way(ring_way->name, V4_LOOP, V4_LOOP, send__ring);
        if (has_ipv6())
            one_way(ring_way->name, V6_LOOP, V6_LOOP, send__ring);
        CHECK(!close(ring.fd));
    }
}

static void *in_thread(void *unused)
{
    (void)unused;
    exchange("thread", V4_LOOP, V4_LOOP, false);
    return NULL;
}

static void all(void)
{
    exchange("plain", V4_LOOP, V4_LOOP, false);
    exchange("connected", V4_LOOP, "127.0.0.9", true);
    one_way("sendmmsg", V4_LOOP, V4_LOOP, send__mmsg);
    one_way("in pieces", V4_LOOP, V4_LOOP, send__pieces);
    one_way("segments", V4_LOOP, V4_LOOP, send__segments);
    one_way("empty", V4_LOOP, V4_LOOP, send__nothing);
    unbound("unbound", "0.0.0.0", V4_LOOP);
    if (has_ipv6()) {
        exchange("IPv6", V6_LOOP, V6_LOOP, false);
        exchange("connected, IPv6", V6_LOOP, V6_LOOP, true);
        exchange("mapped", V4_MAPPED_LOOP, V4_MAPPED_LOOP, false);
        exchange("connected, mapped", V4_MAPPED_LOOP, V4_MAPPED_LOOP, true);
        one_way("sendmmsg, IPv6", V6_LOOP, V6_LOOP, send__mmsg);
        one_way("in pieces, IPv6", V6_LOOP, V6_LOOP, send__pieces);
        one_way("segments, IPv6", V6_LOOP, V6_LOOP, send__segments);
        unbound("unbound, IPv6", "::", V6_LOOP);
        unbound("unbound, mapped", "::", V4_LOOP);
    }
    thread__run(in_thread, NULL);
    by_rings();
    peek_and_cut();
    peers();
    local_addresses();
    connected_anew();
    nothing();
    closed_by_child();
}

int main(void)
{
    fact__int("pid", getpid());
    fact__str("comm", "case-net-datagr");
    net_namespace__look();

    fact__array("expected");
    all();
    CHECK(!unshare(CLONE_NEWNET) && !system("ifconfig lo up"));
    net_namespace__look();
    exchange("other namespace", V4_LOOP, V4_LOOP, false);
    fact__array_end();
    if (lacks_segments)
        fact__str("skipped_segments", "segments over IPv6: the kernel refuses them");
    return facts__print();
}
