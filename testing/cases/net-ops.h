/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net-ops.h - what the cases of network events share: connections and what becomes of them. To be included in place of
 * case.h.
 */
#ifndef NET_OPS_H
#define NET_OPS_H

#include "net-sockets.h"

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
