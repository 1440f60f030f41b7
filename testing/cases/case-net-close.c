/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case-net-close: connections that are closed in every way, by everyone who may have them.
 *
 *   case-net-close         all of them
 *   case-net-close wait    only an image to be executed: lives until its standard input ends
 */
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
    CHECK(dup2(STDERR_FILENO, first) == first); /* which closes what had that number */
    due__client_closed(&c, getpid(), "HERE");
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
    due__closed_by(&c, true, &(struct closer){.pid = getpid(), .tid = t.tid}, "HERE");
    server__close_last(&c);
}

/* The threads that io_uring makes for a process have numbers of their own. */
static void by_rings(void)
{
    for (size_t i = 0; i < ARRAY_LEN(ring_ways); i++) {
        const struct ring_way *way = &ring_ways[i];
        struct dialog c = dialog__open(way->name);
        struct io_uring_sqe sqe = {.opcode = IORING_OP_CLOSE, .flags = way->sqe_flags, .fd = c.pair.client};
        struct ring ring;

        dialog__up(&c, 10);
        CHECK(ring__open(&ring, way->setup_flags) && ring__do(&ring, &sqe) == 0);
        due__closed_by(&c, true, &(struct closer){.pid = getpid()}, "HERE");
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

/* A child that has inherited a connection, and gives it up when it is let. */
struct heir {
    const struct dialog *c;
    struct gate gate;
    bool exits; /* with it, that is */
};

static void close_when_let(void *arg)
{
    struct heir *heir = arg;

    CHECK(!close(heir->c->pair.server));
    gate__wait(&heir->gate);
    CHECK(heir->exits || !close(heir->c->pair.client));
}

/* Who has inherited it closes it last. */
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
    due__client_closed(&c, child, "HERE");
    server__close_last(&c);
}

static void close_both(void *arg)
{
    const struct dialog *c = arg;

    CHECK(!close(c->pair.client) && !close(c->pair.server));
}

/* Who has inherited it closes it first, which nobody is told of. */
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

    due__begin(what, "NETWORK_CONNECTION_ATTEMPTED", &c.pair.ends, c.opener);
    due__end();
    due__client_closed(&c, c.opener, "HERE");
    due__accepted(what, &turned);
    receive__all(c.pair.server, 100);
    server__close_last(&c);
}

/* Takes a connection that it is sent, and closes it when the next byte comes. */
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
    due__client_closed(&c, child, "HERE");
    server__close_last(&c);
    CHECK(!close(sockets[0]) && !close(sockets[1]));
}

/* Sent to one who never takes it: closed with the socket in which it waits. */
static void sent_and_not_taken(void)
{
    struct dialog c = dialog__open("SCM_RIGHTS, not taken");
    int sockets[2];

    CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
    fd__send(sockets[0], c.pair.client);
    CHECK(!close(c.pair.client) && !close(sockets[0]) && !close(sockets[1]));
    due__client_closed(&c, getpid(), "HERE");
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

/* The new image has its name by then. That it lives on shows that it was not its exit. */
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
    due__closed_by(&c, true, &(struct closer){.pid = child, .tid = child, .comm = "exe"}, "HERE");
    CHECK(!close(e.input[1]) && child__wait(child) == 0);
    server__close(&c, "PEER");
}

/* ---------------------------------------------------------------- reasons */

static void peer_resets(const char *what, bool is_read)
{
    struct dialog c = dialog__open(what);
    char byte;

    dialog__down(&c, 100);
    linger__none(c.pair.server);
    server__close(&c, "HERE");
    await(c.pair.client, POLLIN);
    if (is_read)
        CHECK(recv(c.pair.client, &byte, 1, 0) == -1 && errno == ECONNRESET && recv(c.pair.client, &byte, 1, 0) == 0);
    client__close(&c, "RESET");
}

static void peer_resets_what_it_has_ended(void)
{
    struct dialog c = dialog__open("reset after the end");

    CHECK(!shutdown(c.pair.server, SHUT_WR));
    receive__end(c.pair.client);
    linger__none(c.pair.server);
    server__close(&c, "HERE");
    await_state(c.pair.client, TCP_CLOSE);
    client__close(&c, "RESET");
}

/* Nobody takes what is sent to a peer that is gone. */
static void written_to_nobody(void)
{
    struct dialog c = dialog__open("written to nobody");

    server__close(&c, "HERE");
    receive__end(c.pair.client);
    send__all(c.pair.client, 100);
    c.up = 100;
    await_state(c.pair.client, TCP_CLOSE);
    client__close(&c, "RESET");
}

/* Who has not read all resets the connection. */
static void unread(struct dialog c)
{
    send__all(c.pair.server, 500);
    c.down = 500;
    await(c.pair.client, POLLIN);
    CHECK(unread_bytes(c.pair.client) == 500);
    client__close(&c, "HERE");
    await(c.pair.server, POLLIN);
    server__close(&c, "RESET");
}

/* A peer that takes nothing, which is not waited for long. */
static void timed_out(void)
{
    struct dialog c = dialog__open("timed out");
    unsigned int ms = 300;

    CHECK(!setsockopt(c.pair.client, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms)));
    c.up = (long long)send__much(c.pair.client);
    await_state(c.pair.client, TCP_CLOSE);
    client__close(&c, "TIMED_OUT");
    c.up = (long long)unread_bytes(c.pair.server);
    server__close(&c, "HERE");
}

/* In the end it is in no state any more. */
static void shut_down_by_both(struct dialog c)
{
    dialog__up(&c, 100);
    dialog__down(&c, 200);
    CHECK(!shutdown(c.pair.client, SHUT_WR));
    receive__end(c.pair.server);
    dialog__down(&c, 300);
    CHECK(!shutdown(c.pair.server, SHUT_WR));
    receive__end(c.pair.client);
    await_state(c.pair.client, TCP_CLOSE);
    await_state(c.pair.server, TCP_CLOSE);
    client__close(&c, "HERE");
    server__close(&c, "PEER");
}

static void shut_down_by_one(const char *what, bool client_is_first)
{
    struct dialog c = dialog__open(what);

    dialog__up(&c, 100);
    CHECK(!shutdown(c.pair.client, SHUT_WR));
    receive__end(c.pair.server);
    dialog__down(&c, 300);
    if (client_is_first) {
        client__close(&c, "HERE");
        server__close(&c, "PEER");
        return;
    }
    server__close(&c, "PEER");
    receive__end(c.pair.client);
    client__close(&c, "HERE");
}

/* Not to want to read more is no end. */
static void shut_down_for_reading(void)
{
    struct dialog c = dialog__open("shut down for reading");

    CHECK(!shutdown(c.pair.client, SHUT_RD));
    dialog__end_by_client(&c);
}

/* ------------------------------------------------------------------ bytes */

/* What waits to be sent when it is closed is sent, and counts as such. */
static void queued(const char *what, bool shut_down_before)
{
    struct dialog c = dialog__open(what);

    c.up = (long long)send__much(c.pair.client);
    if (shut_down_before)
        CHECK(!shutdown(c.pair.client, SHUT_WR));
    client__close(&c, "HERE");
    receive__all(c.pair.server, (size_t)c.up);
    server__close_last(&c);
}

/* What waits to be sent when it is reset is lost, and counts as well. */
static void queued_and_reset(const char *what, bool shut_down_before)
{
    struct dialog c = dialog__open(what);
    long long written = (long long)send__much(c.pair.client);

    if (shut_down_before)
        CHECK(!shutdown(c.pair.client, SHUT_WR));
    c.up = (long long)unread_bytes(c.pair.server);
    server__close(&c, "HERE");
    await_state(c.pair.client, TCP_CLOSE);
    c.up = written;
    client__close(&c, "RESET");
}

/* ------------------------------------------------- ended by tcp_disconnect */

static const union address nowhere = {.any = {.sa_family = AF_UNSPEC}};

static void disconnect(int fd)
{
    CHECK(!connect(fd, &nowhere.any, sizeof(nowhere.any)));
}

/* Which the peer takes for a reset. */
static void end_by_disconnect(struct dialog *c)
{
    dialog__up(c, 1000);
    disconnect(c->pair.client);
    due__client_closed(c, getpid(), "HERE");
    await(c->pair.server, POLLIN);
    server__close(c, "RESET");
}

static void disconnected(void)
{
    struct dialog c = dialog__open("AF_UNSPEC");

    for (int i = 0; i < 3; i++) {
        dialog__down(&c, 200 + (size_t)i);
        end_by_disconnect(&c);
        dialog__begin(&c, V4_LOOP, V4_LOOP, 0);
    }
    dialog__end_by_client(&c);
}

static void disconnected_with_queue(void)
{
    struct dialog c = dialog__open("AF_UNSPEC, queued");

    c.up = (long long)send__much(c.pair.client);
    disconnect(c.pair.client);
    due__client_closed(&c, getpid(), "HERE");
    await_state(c.pair.server, TCP_CLOSE);
    c.up = (long long)unread_bytes(c.pair.server);
    server__close(&c, "RESET");
    CHECK(!close(c.pair.client));
}

/* Of a connection that has ended already the end is told, once. */
static void disconnected_after_the_end(void)
{
    struct dialog c = dialog__open("AF_UNSPEC after the peer's end");

    dialog__down(&c, 10);
    server__close(&c, "HERE");
    receive__end(c.pair.client);
    disconnect(c.pair.client);
    due__client_closed(&c, getpid(), "PEER");
    disconnect(c.pair.client);
    CHECK(!close(c.pair.client));

    c = dialog__open("AF_UNSPEC after a reset");
    linger__none(c.pair.server);
    server__close(&c, "HERE");
    await_state(c.pair.client, TCP_CLOSE);
    disconnect(c.pair.client);
    due__client_closed(&c, getpid(), "RESET");
    dialog__begin(&c, V4_LOOP, V4_LOOP, 0);
    dialog__end_by_server(&c);
}

/* ------------------------------------------------------------ no connection */

static void never_connected(void)
{
    union address any = address__of(V4_LOOP, 0);
    int fresh = socket__open(AF_INET, SOCK_STREAM, 0), bound = socket__open(AF_INET, SOCK_STREAM, 0);
    int listener = listen__at(V4_LOOP, 0, 5), left = socket__open(AF_INET, SOCK_STREAM, 0);
    int stopped = listen__at(V4_LOOP, 0, 5);

    CHECK(!bind(bound, &any.any, address__len(&any)) && !shutdown(stopped, SHUT_RD));
    disconnect(left);
    CHECK(!close(fresh) && !close(bound) && !close(listener) && !close(left) && !close(stopped));
}

/* Only the client had it. */
static void not_accepted(const char *what, bool client_is_first)
{
    int listener = listen__at(V4_LOOP, 0, 5);
    union address to = socket__name(listener);
    struct dialog c = {.what = what, .opener = getpid(), .up = 10};

    c.pair.client = socket__open(AF_INET, SOCK_STREAM, 0);
    CHECK(!connect(c.pair.client, &to.any, address__len(&to)));
    c.pair.ends = ends__of(c.pair.client);
    due__attempted(what, &c.pair.ends);
    send__all(c.pair.client, 10);
    if (client_is_first) {
        client__close(&c, "HERE");
        CHECK(!close(listener));
        return;
    }
    CHECK(!close(listener));
    await_state(c.pair.client, TCP_CLOSE);
    client__close(&c, "RESET");
}

/* ------------------------------------------------------------------ MPTCP */

/* Each side closes first. */
static void mptcp__plain(const char *what, const char *at, int client_protocol, int server_protocol)
{
    struct dialog c = mptcp__open(what, at, client_protocol, server_protocol);

    dialog__end_by_client(&c);
    c = mptcp__open(what, at, client_protocol, server_protocol);
    dialog__end_by_server(&c);
}

/* False if the kernel does not have it. */
static bool mptcp(void)
{
    const int mptcp = IPPROTO_MPTCP;
    int fd = socket(AF_INET, SOCK_STREAM, mptcp);

    if (fd < 0)
        return false;
    bool counts_bytes = mptcp__counts_bytes(fd);

    CHECK(!close(fd)); /* which was no connection */
    mptcp__plain("MPTCP", V4_LOOP, mptcp, mptcp);
    mptcp__plain("MPTCP to TCP", V4_LOOP, mptcp, 0);
    mptcp__plain("TCP to MPTCP", V4_LOOP, 0, mptcp);
    if (has_ipv6())
        mptcp__plain("MPTCP over IPv6", V6_LOOP, mptcp, mptcp);
    if (counts_bytes) {
        dialog__end_after_many_bytes(mptcp__open("MPTCP, many bytes", V4_LOOP, mptcp, mptcp));
        shut_down_by_both(mptcp__open("MPTCP, shut down by both", V4_LOOP, mptcp, mptcp));
        unread(mptcp__open("MPTCP, unread", V4_LOOP, mptcp, mptcp));
        struct dialog c = mptcp__open("MPTCP, AF_UNSPEC", V4_LOOP, mptcp, mptcp);

        end_by_disconnect(&c);
        CHECK(!close(c.pair.client));
    }
    return true;
}

/* -------------------------------------------------------------------- all */

static void all(void)
{
    families();
    by_last_dup();
    by_thread();
    by_rings();
    by_exit("exit", false);
    by_exit("killed", true);
    by_child("fork, child last", false);
    by_child("fork, exit of the child last", true);
    by_parent();
    by_who_was_sent_it();
    sent_and_not_taken();
    by_exec();
    peer_resets("reset", false);
    peer_resets("reset, error read", true);
    peer_resets_what_it_has_ended();
    written_to_nobody();
    unread(dialog__open("unread"));
    timed_out();
    shut_down_by_both(dialog__open("shut down by both"));
    shut_down_by_one("shut down by one, which closes first", true);
    shut_down_by_one("shut down by one, which closes last", false);
    shut_down_for_reading();
    dialog__end_after_many_bytes(dialog__open("many bytes"));
    queued("queued", false);
    queued("queued, shut down before", true);
    queued_and_reset("queued, reset", false);
    queued_and_reset("queued, shut down before, reset", true);
    disconnected();
    disconnected_with_queue();
    disconnected_after_the_end();
    never_connected();
    not_accepted("not accepted, client first", true);
    not_accepted("not accepted, listener first", false);
}

int main(int argc, char **argv)
{
    char c;

    if (argc > 1 && !strcmp(argv[1], "wait"))
        return read(STDIN_FILENO, &c, 1) != 0;
    fact__int("pid", getpid());
    fact__str("comm", "case-net-close");
    net_namespace__look();
    fact__array("expected");
    all();
    bool has_mptcp = mptcp();

    fact__array_end();
    fact__children();
    if (!has_mptcp)
        fact__str("skipped_mptcp", "MPTCP: the kernel does not have it");
    return facts__print();
}
