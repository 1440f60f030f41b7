/* SPDX-License-Identifier: BSD-2-Clause */
/* case-net-listen: sockets that begin to listen in every way, and sockets that do not. */
#include "net-ops.h"

#include <sched.h>
#include <sys/un.h>

#include "ring.h"

#define OP_LISTEN 57 /* IORING_OP_LISTEN, which is newer than some headers */
#define BACKLOG 5

static struct ring ring;
static const struct ring_way *ring_way; /* NULL: without a ring */

/* -------------------------------------------------------------- expectations */

/* The family is that of the listening address; there is no peer. */
static void expect__listen(const char *what, int fd, int backlog, bool mptcp)
{
    struct ends ends = {.source = socket__name(fd), .mptcp = mptcp};

    ends.destination = address__of(address__is_v4(&ends.source) ? "0.0.0.0" : "::", 0);
    expect__begin(what, "NETWORK_LISTEN", &ends, getpid());
    fact__int("backlog", backlog);
    if (!ring_way)
        fact__int("tid", thread__id());
    expect__end();
}

static int somaxconn(void)
{
    FILE *file = fopen("/proc/sys/net/core/somaxconn", "re");
    int value;

    CHECK(file && fscanf(file, "%d", &value) == 1 && !fclose(file));
    return value;
}

/* ------------------------------------------------------------------ ways */

/* A way to begin to listen; it returns 0, or a negative errno. */
typedef int listen_fn(int fd, int backlog);

static int listen__plain(int fd, int backlog)
{
    return listen(fd, backlog) ? -errno : 0;
}

static int listen__int80(int fd, int backlog)
{
    return (int)int80(363, fd, backlog, 0, 0);
}

static int listen__ring(int fd, int backlog)
{
    struct io_uring_sqe sqe = {
        .opcode = OP_LISTEN, .flags = ring_way->sqe_flags, .fd = fd, .len = (unsigned int)backlog};

    return ring__do(&ring, &sqe);
}

/* A socket bound to an address, and to a port that the kernel chooses. */
static int socket__bound(const char *address, int protocol)
{
    union address a = address__of(address, 0);
    int fd = socket__open(a.any.sa_family, SOCK_STREAM, protocol);

    CHECK(!bind(fd, &a.any, address__len(&a)));
    return fd;
}

static void by(const char *what, const char *address, listen_fn *fn)
{
    int fd = socket__bound(address, 0);

    CHECK(fn(fd, BACKLOG) == 0);
    expect__listen(what, fd, BACKLOG, false);
    CHECK(!close(fd));
}

static void *in_thread(void *unused)
{
    by("thread", V4_LOOP, listen__plain);
    return unused;
}

/* Return false if the kernel's rings cannot do it. */
static bool by_rings(void)
{
    bool lacks = false;

    for (size_t i = 0; i < ARRAY_LEN(ring_ways) && !lacks; i++) {
        ring_way = &ring_ways[i];
        CHECK(ring__open(&ring, ring_way->setup_flags));
        int fd = socket__bound(V4_LOOP, 0), res = listen__ring(fd, BACKLOG);

        lacks = ring__lacks(res);
        CHECK(lacks || res == 0);
        if (!lacks)
            expect__listen(ring_way->name, fd, BACKLOG, false);
        CHECK(!close(fd) && !close(ring.fd));
    }
    ring_way = NULL;
    return !lacks;
}

/* ---------------------------------------------------------------- places */

/* Without bind the kernel still chooses a port. */
static void unbound(const char *what, int family)
{
    int fd = socket__open(family, SOCK_STREAM, 0);

    CHECK(!listen(fd, BACKLOG));
    union address at = socket__name(fd);

    CHECK(address__port(&at));
    expect__listen(what, fd, BACKLOG, false);
    CHECK(!close(fd));
}

static void at_port(const char *address, int port)
{
    union address at = address__of(address, port);
    int fd = socket__open(at.any.sa_family, SOCK_STREAM, 0);

    CHECK(!bind(fd, &at.any, address__len(&at)) && !listen(fd, BACKLOG));
    expect__listen("a port of choice", fd, BACKLOG, false);
    CHECK(!close(fd));
}

static void places(void)
{
    by("IPv4", V4_LOOP, listen__plain);
    by("IPv4, another", "127.1.2.3", listen__plain);
    by("IPv4, any", "0.0.0.0", listen__plain);
    unbound("IPv4, no bind", AF_INET);
    at_port(V4_LOOP, 778);
    if (!has_ipv6())
        return;
    by("IPv6", V6_LOOP, listen__plain);
    by("IPv6, any", "::", listen__plain);
    by("mapped", V4_MAPPED_LOOP, listen__plain);
    by("mapped, any", "::ffff:0.0.0.0", listen__plain);
    unbound("IPv6, no bind", AF_INET6);
    at_port(V6_LOOP, 778);
}

/* --------------------------------------------------------------- backlogs */

/* More than a limit is cut to the limit, and a negative backlog counts as a very large one. */
static void backlogs(void)
{
    int limit = somaxconn(), given[] = {0, 1, BACKLOG, limit, limit + 1, INT32_MAX, -1};

    for (size_t i = 0; i < ARRAY_LEN(given); i++) {
        int fd = socket__bound(V4_LOOP, 0);

        CHECK(!listen(fd, given[i]));
        expect__listen("backlog", fd, given[i] < 0 || given[i] > limit ? limit : given[i], false);
        CHECK(!close(fd));
    }
}

/* ----------------------------------------------------- more of one socket */

/* A socket that is already listening only changes its backlog. */
static void again(void)
{
    int fd = socket__bound(V4_LOOP, 0);

    CHECK(!listen(fd, BACKLOG));
    expect__listen("again", fd, BACKLOG, false);
    CHECK(!listen(fd, BACKLOG) && !listen(fd, BACKLOG + 1) && !listen(fd, 0));
    CHECK(!close(fd));
}

/* A socket that has stopped begins again. */
static void after_shutdown(void)
{
    int fd = socket__bound(V4_LOOP, 0);

    CHECK(!listen(fd, BACKLOG));
    expect__listen("before shutdown", fd, BACKLOG, false);
    CHECK(!shutdown(fd, SHUT_RD) && !listen(fd, BACKLOG + 1));
    expect__listen("after shutdown", fd, BACKLOG + 1, false);
    CHECK(!close(fd));
}

/* The socket's earlier peer is not reported. */
static void after_connection(const char *what, const char *address)
{
    union address none = {.any = {.sa_family = AF_UNSPEC}};
    int listener = listen__at(address, 0, BACKLOG);

    expect__listen(what, listener, BACKLOG, false);
    union address to = socket__name(listener);
    int fd = socket__open(to.any.sa_family, SOCK_STREAM, 0);

    CHECK(!connect(fd, &to.any, address__len(&to)));
    CHECK(listen(fd, BACKLOG) && errno == EINVAL);
    CHECK(!connect(fd, &none.any, sizeof(none.any)) && !listen(fd, BACKLOG));
    expect__listen(what, fd, BACKLOG, false);
    CHECK(!close(fd) && !close(listener));
}

/* Several may be bound to a port, but only one may listen. */
static void failure_then_success(const char *what, const char *address)
{
    int sockets[2], one = 1;
    union address at = address__of(address, 0);

    for (int i = 0; i < 2; i++) {
        sockets[i] = socket__open(at.any.sa_family, SOCK_STREAM, 0);
        CHECK(!setsockopt(sockets[i], SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
        CHECK(!bind(sockets[i], &at.any, address__len(&at)));
        at = socket__name(sockets[0]);
    }
    CHECK(!listen(sockets[0], BACKLOG));
    expect__listen(what, sockets[0], BACKLOG, false);
    CHECK(listen(sockets[1], BACKLOG) && errno == EADDRINUSE);
    CHECK(!close(sockets[0]) && !listen(sockets[1], BACKLOG + 1));
    expect__listen(what, sockets[1], BACKLOG + 1, false);
    CHECK(!close(sockets[1]));
}

/* Or all of them, if all of them ask for it. */
static void one_port_for_many(void)
{
    union address at = address__of(V4_LOOP, 0);
    int sockets[3], one = 1;

    for (int i = 0; i < 3; i++) {
        sockets[i] = socket__open(AF_INET, SOCK_STREAM, 0);
        CHECK(!setsockopt(sockets[i], SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)));
        CHECK(!bind(sockets[i], &at.any, address__len(&at)) && !listen(sockets[i], BACKLOG + i));
        at = socket__name(sockets[0]);
        expect__listen("one port for many", sockets[i], BACKLOG + i, false);
    }
    for (int i = 0; i < 3; i++)
        CHECK(!close(sockets[i]));
}

/* --------------------------------------------------------- other sockets */

static void no_tcp(void)
{
    int udp = socket__open(AF_INET, SOCK_DGRAM, 0), local = socket__open(AF_UNIX, SOCK_STREAM, 0);
    int packets = socket__open(AF_UNIX, SOCK_SEQPACKET, 0);
    struct sockaddr_un none = {.sun_family = AF_UNIX};

    CHECK(listen(udp, BACKLOG) && errno == EOPNOTSUPP);
    CHECK(!bind(local, (struct sockaddr *)&none, sizeof(none.sun_family)) && !listen(local, BACKLOG));
    CHECK(!bind(packets, (struct sockaddr *)&none, sizeof(none.sun_family)) && !listen(packets, BACKLOG));
    CHECK(!close(udp) && !close(local) && !close(packets));
}

static void mptcp_at(const char *what, const char *address)
{
    int fd = socket__bound(address, IPPROTO_MPTCP);

    CHECK(!listen(fd, BACKLOG));
    expect__listen(what, fd, BACKLOG, true);
    CHECK(!listen(fd, BACKLOG + 1) && !close(fd));
}

static bool mptcp(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);

    if (fd < 0)
        return false;
    CHECK(!listen(fd, 1 << 20));
    expect__listen("MPTCP, no bind", fd, somaxconn(), true);
    CHECK(!close(fd));
    mptcp_at("MPTCP", V4_LOOP);
    if (has_ipv6()) {
        mptcp_at("MPTCP over IPv6", V6_LOOP);
        mptcp_at("MPTCP, any", "::");
        mptcp_at("MPTCP, mapped", V4_MAPPED_LOOP);
    }
    return true;
}

/* A network namespace has its own limit. */
static void other_namespace(void)
{
    CHECK(!unshare(CLONE_NEWNET) && !system("ifconfig lo up"));
    net_namespace__look();
    by("other namespace", V4_LOOP, listen__plain);
    by("other namespace", "0.0.0.0", listen__plain);
    if (has_ipv6())
        by("other namespace", "::", listen__plain);
    file__puts("/proc/sys/net/core/somaxconn", "7");
    backlogs();
}

int main(void)
{
    fact__int("pid", getpid());
    fact__str("comm", "case-net-listen");
    net_namespace__look();
    bool takes_int80 = int80__available();

    fact__array("expected");
    places();
    backlogs();
    again();
    after_shutdown();
    after_connection("after a connection", V4_LOOP);
    failure_then_success("failure, then success", V4_LOOP);
    if (has_ipv6()) {
        after_connection("after a connection over IPv6", V6_LOOP);
        failure_then_success("failure, then success over IPv6", V6_LOOP);
    }
    one_port_for_many();
    thread__run(in_thread, NULL);
    if (takes_int80)
        by("int80", V4_LOOP, listen__int80);
    bool has_ring_listen = by_rings(), has_mptcp;

    no_tcp();
    has_mptcp = mptcp();
    other_namespace();
    fact__array_end();
    if (!has_ring_listen)
        fact__str("skipped_ring", "io_uring: the kernel has no operation to listen");
    if (!has_mptcp)
        fact__str("skipped_mptcp", "MPTCP: the kernel does not have it");
    return facts__print();
}
