/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net-ops.h - what the cases of network events share: sockets, and the list of expected events. To be included in place
 * of case.h.
 *
 * The program writes down each event that it and its children cause; the expectation (net_events.py) compares their
 * network events with that list: they must be these, in this order, and no others.
 */
#ifndef NET_OPS_H
#define NET_OPS_H

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

    CHECK(poll(&p, 1, 20000) == 1);
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
    for (int i = 0; i < 2000 && tcp__state(fd) != state; i++)
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

/* ------------------------------------------------------------ connections */

/* A connection whose bytes are counted. The server belongs to this process; the client may belong to a child. */
struct dialog {
    const char *what;
    struct pair pair;
    bool server_is_mptcp; /* the client, if the ends are */
    pid_t opener;         /* of the client */
    long long up, down;   /* bytes: to the server, to the client */
};

/* The process that closed it. */
struct closer {
    pid_t pid, tid;   /* tid 0: not compared */
    const char *comm; /* NULL: the name of the case */
};

static struct ends dialog__server_ends(const struct dialog *c)
{
    struct ends ends = ends__turned(&c->pair.ends);

    ends.mptcp = c->server_is_mptcp;
    return ends;
}

static void expect__closed_by(const struct dialog *c, bool is_client, const struct closer *by, const char *reason)
{
    struct ends ends = is_client ? c->pair.ends : dialog__server_ends(c);

    expect__begin(c->what, "NETWORK_CONNECTION_CLOSED", &ends, by->pid);
    fact__int("owner", is_client ? c->opener : getpid());
    fact__int("bytes_sent", is_client ? c->up : c->down);
    fact__int("bytes_received", is_client ? c->down : c->up);
    fact__str("close_reason", reason);
    if (by->tid)
        fact__int("tid", by->tid);
    if (by->comm)
        fact__str("comm", by->comm);
    expect__end();
}

/* By a process with one thread. */
UNUSED static void expect__client_closed(const struct dialog *c, pid_t by, const char *reason)
{
    expect__closed_by(c, true, &(struct closer){.pid = by, .tid = by}, reason);
}

UNUSED static void client__close(const struct dialog *c, const char *reason)
{
    CHECK(!close(c->pair.client));
    expect__client_closed(c, getpid(), reason);
}

UNUSED static void server__close(const struct dialog *c, const char *reason)
{
    CHECK(!close(c->pair.server));
    expect__closed_by(c, false, &(struct closer){.pid = getpid(), .tid = getpid()}, reason);
}

/* Connect the client's socket to `address`, with a new listener at `at`, and accept; both are expected events. */
static void dialog__begin(struct dialog *c, const char *at, const char *address, int server_protocol)
{
    int listener = listen__at(at, server_protocol, 5);
    union address name = socket__name(listener), to = address__of(address, address__port(&name));

    CHECK(!connect(c->pair.client, &to.any, address__len(&to)));
    c->pair.server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK(c->pair.server >= 0 && !close(listener));
    bool is_mptcp = c->pair.ends.mptcp;

    c->pair.ends = ends__of(c->pair.client);
    c->pair.ends.mptcp = is_mptcp;
    c->up = c->down = 0;
    struct ends server = dialog__server_ends(c);

    expect__attempted(c->what, &c->pair.ends);
    expect__accepted(c->what, &server);
}

UNUSED static struct dialog dialog__open_at(const char *what, const char *at, const char *address)
{
    struct dialog c = {.what = what, .opener = getpid()};

    c.pair.client = socket__open(address__of(address, 0).any.sa_family, SOCK_STREAM, 0);
    dialog__begin(&c, at, address, 0);
    return c;
}

UNUSED static struct dialog dialog__open(const char *what)
{
    return dialog__open_at(what, V4_LOOP, V4_LOOP);
}

/* Send that much from the client to the server, and receive it there; and the other way. */
UNUSED static void dialog__up(struct dialog *c, size_t len)
{
    send__all(c->pair.client, len);
    receive__all(c->pair.server, len);
    c->up += (long long)len;
}

UNUSED static void dialog__down(struct dialog *c, size_t len)
{
    send__all(c->pair.server, len);
    receive__all(c->pair.client, len);
    c->down += (long long)len;
}

/* The client has closed it, the server not yet. */
UNUSED static void server__close_last(const struct dialog *c)
{
    receive__end(c->pair.server);
    server__close(c, "PEER");
}

/* Data in both directions, then an end by each side. */
UNUSED static void dialog__end_by_client(struct dialog *c)
{
    dialog__up(c, 1000);
    dialog__down(c, 2000);
    client__close(c, "HERE");
    server__close_last(c);
}

UNUSED static void dialog__end_by_server(struct dialog *c)
{
    dialog__up(c, 1000);
    dialog__down(c, 2000);
    server__close(c, "HERE");
    receive__end(c->pair.client);
    client__close(c, "PEER");
}

UNUSED static void linger__none(int fd)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};

    CHECK(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)));
}

UNUSED static size_t unread_bytes(int fd)
{
    int len;

    CHECK(!ioctl(fd, FIONREAD, &len));
    return (size_t)len;
}

/* Write until there is no more room. */
UNUSED static size_t send__much(int fd)
{
    static const char data[65536];
    size_t len = 0;

    for (ssize_t n; (n = send(fd, data, sizeof(data), MSG_NOSIGNAL | MSG_DONTWAIT)) > 0;)
        len += (size_t)n;
    CHECK(errno == EAGAIN);
    return len;
}

/* More than the kernel buffers for a peer that does not read. */
#define MANY_BYTES 3000000

UNUSED static void *many_bytes__send(void *fd)
{
    send__all(*(int *)fd, MANY_BYTES);
    return NULL;
}

/* While nobody reads one direction, threads send in both. */
UNUSED static void dialog__end_after_many_bytes(struct dialog c)
{
    pthread_t threads[2];

    c.up = c.down = MANY_BYTES;
    CHECK(!pthread_create(&threads[0], NULL, many_bytes__send, &c.pair.client));
    CHECK(!pthread_create(&threads[1], NULL, many_bytes__send, &c.pair.server));
    receive__all(c.pair.server, MANY_BYTES);
    receive__all(c.pair.client, MANY_BYTES);
    CHECK(!pthread_join(threads[0], NULL) && !pthread_join(threads[1], NULL));
    client__close(&c, "HERE");
    server__close_last(&c);
}

/* ------------------------------------------------------------------ MPTCP */

#define SOL_MPTCP 284
#define MPTCP_INFO 1
#define MPTCP_INFO_WITH_BYTES 88 /* length of the kernel's structure, which has the bytes */

UNUSED static struct dialog mptcp__open(const char *what, const char *at, int client_protocol, int server_protocol)
{
    struct dialog c = {.what = what, .opener = getpid(), .server_is_mptcp = client_protocol && server_protocol};

    c.pair.ends.mptcp = client_protocol;
    c.pair.client = socket__open(address__of(at, 0).any.sa_family, SOCK_STREAM, client_protocol);
    dialog__begin(&c, at, at, server_protocol);
    return c;
}

/*
 * Return whether the kernel counts the bytes of an MPTCP connection. Otherwise those of its first subflow are reported,
 * if it still exists, and retransmitted data counts as well.
 */
UNUSED static bool mptcp__counts_bytes(int fd)
{
    char info[256];
    socklen_t len = sizeof(info);

    CHECK(!getsockopt(fd, SOL_MPTCP, MPTCP_INFO, info, &len));
    return len >= MPTCP_INFO_WITH_BYTES;
}

#endif
