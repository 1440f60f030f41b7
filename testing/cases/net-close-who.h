/* SPDX-License-Identifier: BSD-2-Clause */
/* net-close-who.h - for case-net-close: connections that are closed by every process that may hold them. */
#ifndef NET_CLOSE_WHO_H
#define NET_CLOSE_WHO_H

#include "net-ops.h"

#include "ring.h"

/* ------------------------------------------------ closed within a process */

static void by_last_dup(void)
{
    struct dialog c = dialog__open("last dup");
    int first = dup(c.pair.client), second = dup(c.pair.client);
    struct pollfd p = {.fd = c.pair.server, .events = POLLIN};

    dialog__up(&c, 10);
    CHECK(first >= 0 && second >= 0 && !close(c.pair.client) && !close(second));
    CHECK(poll(&p, 1, 20) == 0);
    CHECK(dup2(STDERR_FILENO, first) == first); /* which closes the file that had this number */
    expect__client_closed(&c, getpid(), "HERE");
    server__close_last(&c);
    CHECK(!close(first));
}

struct thread_close {
    const struct dialog *c;
    pid_t tid;
};

static void *close_in_thread(void *arg)
{
    struct thread_close *t = arg;

    t->tid = thread__id();
    CHECK(!close(t->c->pair.client));
    return NULL;
}

static void by_thread(void)
{
    struct dialog c = dialog__open("thread");
    struct thread_close t = {.c = &c};

    dialog__up(&c, 10);
    thread__run(close_in_thread, &t);
    expect__closed_by(&c, true, &(struct closer){.pid = getpid(), .tid = t.tid}, "HERE");
    server__close_last(&c);
}

/* The threads that io_uring creates for a process have ids of their own. */
static void by_rings(void)
{
    for (size_t i = 0; i < ARRAY_LEN(ring_ways); i++) {
        const struct ring_way *way = &ring_ways[i];
        struct dialog c = dialog__open(way->name);
        struct io_uring_sqe sqe = {.opcode = IORING_OP_CLOSE, .flags = way->sqe_flags, .fd = c.pair.client};
        struct ring ring;

        dialog__up(&c, 10);
        CHECK(ring__open(&ring, way->setup_flags) && ring__do(&ring, &sqe) == 0);
        expect__closed_by(&c, true, &(struct closer){.pid = getpid()}, "HERE");
        server__close_last(&c);
        CHECK(!close(ring.fd));
    }
}

static void families(void)
{
    struct dialog c = dialog__open("IPv4");

    dialog__end_by_client(&c);
    c = dialog__open("IPv4, server first");
    dialog__end_by_server(&c);
    if (!has_ipv6())
        return;
    c = dialog__open_at("IPv6", V6_LOOP, V6_LOOP);
    dialog__end_by_client(&c);
    c = dialog__open_at("IPv6, server first", V6_LOOP, V6_LOOP);
    dialog__end_by_server(&c);
    c = dialog__open_at("mapped", V4_LOOP, V4_MAPPED_LOOP);
    dialog__end_by_client(&c);
    c = dialog__open_at("to a socket of both families", "::", V4_LOOP);
    dialog__end_by_server(&c);
}

/* ------------------------------------------------- closed by other processes */

/* A child that has inherited a connection, and closes it on request. */
struct heir {
    const struct dialog *c;
    struct gate gate;
    bool exits; /* together with the socket */
};

static void close_when_let(void *arg)
{
    struct heir *heir = arg;

    CHECK(!close(heir->c->pair.server));
    gate__wait(&heir->gate);
    CHECK(heir->exits || !close(heir->c->pair.client));
}

/* The process that has inherited it closes it last. */
static void by_child(const char *what, bool exits)
{
    struct dialog c = dialog__open(what);
    struct heir heir = {.c = &c, .exits = exits};

    gate__init(&heir.gate);
    pid_t child = children__add(child__start(close_when_let, &heir));

    dialog__up(&c, 10);
    CHECK(!close(c.pair.client));
    gate__open(&heir.gate);
    CHECK(child__wait(child) == 0);
    expect__client_closed(&c, child, "HERE");
    server__close_last(&c);
}

static void close_both(void *arg)
{
    const struct dialog *c = arg;

    CHECK(!close(c->pair.client) && !close(c->pair.server));
}

/* The process that has inherited it closes it first, which is not reported. */
static void by_parent(void)
{
    struct dialog c = dialog__open("fork, parent last");

    children__add(child__run(close_both, &c));
    dialog__end_by_client(&c);
}

/* A client in a process of its own, which ends without having closed it. */
struct client_child {
    union address to;
    bool is_killed;
};

static void connect_and_end(void *arg)
{
    const struct client_child *child = arg;
    int fd = socket__open(AF_INET, SOCK_STREAM, 0);

    CHECK(!connect(fd, &child->to.any, address__len(&child->to)));
    send__all(fd, 100);
    if (child->is_killed)
        raise(SIGKILL);
}

static void by_exit(const char *what, bool is_killed)
{
    int listener = listen__at(V4_LOOP, 0, 5);
    struct client_child arg = {.to = socket__name(listener), .is_killed = is_killed};
    struct dialog c = {.what = what, .up = 100};

    c.opener = children__add(child__start(connect_and_end, &arg));
    CHECK(child__wait(c.opener) == (is_killed ? SIGKILL : 0));
    /* Accepted only now: the child's events are before this one's. */
    union address from = {0};
    socklen_t len = sizeof(from);

    c.pair.server = accept4(listener, &from.any, &len, SOCK_CLOEXEC);
    CHECK(c.pair.server >= 0 && !close(listener));
    c.pair.ends = (struct ends){.source = from, .destination = arg.to};
    struct ends turned = ends__turned(&c.pair.ends);

    expect__begin(what, "NETWORK_CONNECTION_ATTEMPTED", &c.pair.ends, c.opener);
    expect__end();
    expect__client_closed(&c, c.opener, "HERE");
    expect__accepted(what, &turned);
    receive__all(c.pair.server, 100);
    server__close_last(&c);
}

/* Receives a connection over a socket, and closes it when the next byte arrives. */
static void take_and_close(void *arg)
{
    const int *sockets = arg;
    int fd = fd__receive(sockets[1]);
    char c;

    CHECK(read(sockets[1], &c, 1) == 1 && !close(fd));
}

static void by_who_was_sent_it(void)
{
    int sockets[2];

    CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
    pid_t child = children__add(child__start(take_and_close, sockets));
    struct dialog c = dialog__open("SCM_RIGHTS");

    dialog__up(&c, 10);
    fd__send(sockets[0], c.pair.client);
    CHECK(!close(c.pair.client) && write(sockets[0], "", 1) == 1);
    CHECK(child__wait(child) == 0);
    expect__client_closed(&c, child, "HERE");
    server__close_last(&c);
    CHECK(!close(sockets[0]) && !close(sockets[1]));
}

/* Sent to a process that never receives it: closed with the socket in which it waits. */
static void sent_and_not_taken(void)
{
    struct dialog c = dialog__open("SCM_RIGHTS, not taken");
    int sockets[2];

    CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
    fd__send(sockets[0], c.pair.client);
    CHECK(!close(c.pair.client) && !close(sockets[0]) && !close(sockets[1]));
    expect__client_closed(&c, getpid(), "HERE");
    server__close_last(&c);
}

struct exec_child {
    const struct dialog *c;
    struct gate gate;
    int input[2];
};

static void exec_waiting(void *arg)
{
    struct exec_child *e = arg;
    static char *const argv[] = {(char *)"case-net-close", (char *)"wait", NULL}, *const env[] = {NULL};

    CHECK(!close(e->c->pair.server) && dup2(e->input[0], STDIN_FILENO) == STDIN_FILENO);
    gate__wait(&e->gate);
    execve("/proc/self/exe", argv, env);
    CHECK(!"executed");
}

/* The new image has its own name. That it lives on shows that the connection was not closed by its exit. */
static void by_exec(void)
{
    struct dialog c = dialog__open("exec");
    struct exec_child e = {.c = &c};

    dialog__up(&c, 10);
    gate__init(&e.gate);
    CHECK(!pipe2(e.input, O_CLOEXEC));
    pid_t child = children__add(child__start(exec_waiting, &e));

    CHECK(!close(c.pair.client) && !close(e.input[0]));
    gate__open(&e.gate);
    receive__end(c.pair.server);
    expect__closed_by(&c, true, &(struct closer){.pid = child, .tid = child, .comm = "exe"}, "HERE");
    CHECK(!close(e.input[1]) && child__wait(child) == 0);
    server__close(&c, "PEER");
}

#endif
