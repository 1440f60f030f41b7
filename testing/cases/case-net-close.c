/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case-net-close: connections that are closed in every way, by every process that may hold them.
 *
 *   case-net-close         all of them
 *   case-net-close wait    only an image to be executed: lives until its standard input ends
 */
#include "net-ops.h"

#include "net-close-who.h"

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

/* No process receives what is sent to a peer that is gone. */
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

/* Closing with unread data resets the connection. */
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

/* A peer that receives nothing, with a short timeout. */
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

/* At the end the state is CLOSE. */
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

/* Shutting down reading does not end the connection. */
static void shut_down_for_reading(void)
{
    struct dialog c = dialog__open("shut down for reading");

    CHECK(!shutdown(c.pair.client, SHUT_RD));
    dialog__end_by_client(&c);
}

/* ------------------------------------------------------------------ bytes */

/* Data that waits to be sent when the connection is closed is sent, and counts as such. */
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

/* Data that waits to be sent when the connection is reset is lost, and counts as well. */
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

/* The peer takes this for a reset. */
static void end_by_disconnect(struct dialog *c)
{
    dialog__up(c, 1000);
    disconnect(c->pair.client);
    expect__client_closed(c, getpid(), "HERE");
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
    expect__client_closed(&c, getpid(), "HERE");
    await_state(c.pair.server, TCP_CLOSE);
    c.up = (long long)unread_bytes(c.pair.server);
    server__close(&c, "RESET");
    CHECK(!close(c.pair.client));
}

/* The end of a connection that has ended already is reported, once. */
static void disconnected_after_the_end(void)
{
    struct dialog c = dialog__open("AF_UNSPEC after the peer's end");

    dialog__down(&c, 10);
    server__close(&c, "HERE");
    receive__end(c.pair.client);
    disconnect(c.pair.client);
    expect__client_closed(&c, getpid(), "PEER");
    disconnect(c.pair.client);
    CHECK(!close(c.pair.client));

    c = dialog__open("AF_UNSPEC after a reset");
    linger__none(c.pair.server);
    server__close(&c, "HERE");
    await_state(c.pair.client, TCP_CLOSE);
    disconnect(c.pair.client);
    expect__client_closed(&c, getpid(), "RESET");
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

/* Only the client had a connection. */
static void not_accepted(const char *what, bool client_is_first)
{
    int listener = listen__at(V4_LOOP, 0, 5);
    union address to = socket__name(listener);
    struct dialog c = {.what = what, .opener = getpid(), .up = 10};

    c.pair.client = socket__open(AF_INET, SOCK_STREAM, 0);
    CHECK(!connect(c.pair.client, &to.any, address__len(&to)));
    c.pair.ends = ends__of(c.pair.client);
    expect__attempted(what, &c.pair.ends);
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

/* Return false if the kernel does not have it. */
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
