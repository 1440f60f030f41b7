/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net-sockets.h - sockets, and the list of expected events, for the cases of network events. net-ops.h includes it.
 *
 * The program writes down each event that it and its children cause; the expectation (net_events.py) compares their
 * network events with that list: they must be these, in this order, and no others.
 */
#ifndef NET_SOCKETS_H
#define NET_SOCKETS_H

#include "case.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define V4_LOOP "127.0.0.1"
#define V6_LOOP "::1"
#define V4_MAPPED_LOOP "::ffff:127.0.0.1"

/* ------------------------------------------------------------------- ends */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct ends {
    union address source, destination;
    bool mptcp;
};

/* An IPv4 or IPv6 address, depending on the text. */
static union address address__of(const char *text, int port)
{
    union address a = {.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};

    if (inet_pton(AF_INET6, text, &a.v6.sin6_addr) != 1) {
        memset(&a, 0, sizeof(a));
        a.v4.sin_family = AF_INET;
        a.v4.sin_port = htons(port);
        CHECK(inet_pton(AF_INET, text, &a.v4.sin_addr) == 1);
    }
    return a;
}

static socklen_t address__len(const union address *a)
{
    return a->any.sa_family == AF_INET6 ? sizeof(a->v6) : sizeof(a->v4);
}

/* One place in both families. */
static int address__port(const union address *a)
{
    return ntohs(a->v4.sin_port);
}

UNUSED static void address__set_port(union address *a, int port)
{
    a->v4.sin_port = htons(port);
}

static bool address__is_v4(const union address *a)
{
    return a->any.sa_family == AF_INET || IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr);
}

static const char *address__text(const union address *a)
{
    static char text[INET6_ADDRSTRLEN];

    if (a->any.sa_family == AF_INET)
        return inet_ntop(AF_INET, &a->v4.sin_addr, text, sizeof(text));
    if (address__is_v4(a))
        return inet_ntop(AF_INET, &a->v6.sin6_addr.s6_addr[12], text, sizeof(text));
    return inet_ntop(AF_INET6, &a->v6.sin6_addr, text, sizeof(text));
}

static union address socket__name(int fd)
{
    union address a = {0};
    socklen_t len = sizeof(a);

    CHECK(!getsockname(fd, &a.any, &len));
    return a;
}

/* The ends of a connected socket. */
UNUSED static struct ends ends__of(int fd)
{
    struct ends ends = {.source = socket__name(fd)};
    socklen_t len = sizeof(ends.destination);

    CHECK(!getpeername(fd, &ends.destination.any, &len));
    return ends;
}

UNUSED static struct ends ends__turned(const struct ends *ends)
{
    return (struct ends){.source = ends->destination, .destination = ends->source, .mptcp = ends->mptcp};
}

/* --------------------------------------------------------------- expectations */

/* Return the inode number of this process' network namespace. */
static unsigned long net_namespace;

UNUSED static void net_namespace__look(void)
{
    struct stat st;

    CHECK(!stat("/proc/thread-self/ns/net", &st));
    net_namespace = st.st_ino;
}

/* Expect an event; further members can be added before expect__end. */
static void expect__begin(const char *what, const char *type, const struct ends *ends, pid_t pid)
{
    fact__object(NULL);
    fact__str("what", what);
    fact__str("event_type", type);
    fact__str("family", address__is_v4(&ends->destination) ? "AF_INET" : "AF_INET6");
    fact__str("source_address", address__text(&ends->source));
    fact__int("source_port", address__port(&ends->source));
    fact__str("destination_address", address__text(&ends->destination));
    fact__int("destination_port", address__port(&ends->destination));
    fact__int("network_namespace", net_namespace);
    fact__int("tgid", pid);
    if (ends->mptcp)
        fact__bool("mptcp", true);
}

static void expect__end(void)
{
    fact__object_end();
}

UNUSED static void expect__attempted(const char *what, const struct ends *ends)
{
    expect__begin(what, "NETWORK_CONNECTION_ATTEMPTED", ends, getpid());
    expect__end();
}

UNUSED static void expect__accepted(const char *what, const struct ends *ends)
{
    expect__begin(what, "NETWORK_CONNECTION_ACCEPTED", ends, getpid());
    expect__end();
}

UNUSED static void expect__failed(const char *what, const struct ends *ends, const char *error)
{
    expect__begin(what, "NETWORK_CONNECTION_FAILED", ends, getpid());
    fact__str("error", error);
    expect__end();
}

struct closed {
    pid_t pid, owner; /* owner 0: not known */
    long long sent, received;
    const char *reason;
};

UNUSED static void expect__closed(const char *what, const struct ends *ends, const struct closed *c)
{
    expect__begin(what, "NETWORK_CONNECTION_CLOSED", ends, c->pid);
    fact__int("owner", c->owner);
    fact__int("bytes_sent", c->sent);
    fact__int("bytes_received", c->received);
    fact__str("close_reason", c->reason);
    expect__end();
}

/* ---------------------------------------------------------------- sockets */

UNUSED static bool has_ipv6(void)
{
    return !access("/proc/net/if_inet6", F_OK);
}

static int socket__open(int family, int type, int protocol)
{
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);

    CHECK(fd >= 0);
    return fd;
}

/* Return a listening socket; port 0 is any. */
UNUSED static int listen__at(const char *address, int protocol, int backlog)
{
    union address a = address__of(address, 0);
    int fd = socket__open(a.any.sa_family, SOCK_STREAM, protocol);

    CHECK(!bind(fd, &a.any, address__len(&a)) && !listen(fd, backlog));
    return fd;
}

UNUSED static void send__all(int fd, size_t len)
{
    static const char data[65536];

    while (len) {
        ssize_t n = send(fd, data, len < sizeof(data) ? len : sizeof(data), MSG_NOSIGNAL);

        CHECK(n > 0);
        len -= (size_t)n;
    }
}

UNUSED static void receive__all(int fd, size_t len)
{
    static char data[65536];

    while (len) {
        ssize_t n = recv(fd, data, len < sizeof(data) ? len : sizeof(data), 0);

        CHECK(n > 0);
        len -= (size_t)n;
    }
}

/* Wait until the peer has closed. */
UNUSED static void receive__end(int fd)
{
    char c;

    CHECK(recv(fd, &c, 1, 0) == 0);
}

UNUSED static void await(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    CHECK(poll(&p, 1, DEADLINE_MS) == 1);
}

/* Return the TCP state of a socket. */
UNUSED static int tcp__state(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);

    CHECK(!getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len));
    return info.tcpi_state;
}

UNUSED static void await_state(int fd, int state)
{
    for (int i = 0; i < DEADLINE_MS / 10 && tcp__state(fd) != state; i++)
        poll(NULL, 0, 10);
    CHECK(tcp__state(fd) == state);
}

/* A connection within this process. */
struct pair {
    int client, server;
    struct ends ends; /* of the client */
};

/* Connect to a listener of this process, and accept; both are expected events. */
UNUSED static struct pair pair__open(const char *what, int listener)
{
    union address to = socket__name(listener);
    struct pair p = {.client = socket__open(to.any.sa_family, SOCK_STREAM, 0)};

    CHECK(!connect(p.client, &to.any, address__len(&to)));
    p.server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK(p.server >= 0);
    p.ends = ends__of(p.client);
    struct ends turned = ends__turned(&p.ends);

    expect__attempted(what, &p.ends);
    expect__accepted(what, &turned);
    return p;
}

/* Close the client, then the server; both are expected events, with the bytes that went between them. */
UNUSED static void pair__close(const char *what, struct pair *p, long long to_server, long long to_client)
{
    struct ends turned = ends__turned(&p->ends);

    CHECK(!close(p->client));
    receive__end(p->server);
    CHECK(!close(p->server));
    expect__closed(what, &p->ends, &(struct closed){getpid(), getpid(), to_server, to_client, "HERE"});
    expect__closed(what, &turned, &(struct closed){getpid(), getpid(), to_client, to_server, "PEER"});
}

/* --------------------------------------------------------------- children */

/* The processes besides this one whose events are compared. */
static pid_t children[64];
static size_t children_count;

UNUSED static pid_t children__add(pid_t pid)
{
    CHECK(children_count < ARRAY_LEN(children));
    return children[children_count++] = pid;
}

UNUSED static void fact__children(void)
{
    fact__array("children");
    for (size_t i = 0; i < children_count; i++)
        fact__int(NULL, children[i]);
    fact__array_end();
}

/* Send a descriptor over a unix socket, along with a byte. */
UNUSED static void fd__send(int over, int fd)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    struct iovec byte = {.iov_base = (char[1]){0}, .iov_len = 1};
    struct msghdr m = {.msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};

    memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    CHECK(sendmsg(over, &m, 0) == 1);
}

UNUSED static int fd__receive(int over)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec byte = {.iov_base = (char[1]){0}, .iov_len = 1};
    struct msghdr m = {.msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    int fd;

    CHECK(recvmsg(over, &m, MSG_CMSG_CLOEXEC) == 1 && control.header.cmsg_type == SCM_RIGHTS);
    memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
    return fd;
}

#endif
