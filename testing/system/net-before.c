/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net-before READY - opens connections within the process, creates the file READY, waits for a byte on its standard
 * input, and ends them in every way. Prints the events expected of that, as the cases do (net-ops.h).
 */
#include "../cases/net-ops.h"

/* Data that has gone through a connection before. */
#define TO_SERVER 1000
#define TO_CLIENT 30000

#define PATIENCE_S 300

/* The state of a connection when the tracer starts, and how it ends then. */
struct early {
    const char *what, *address;
    void (*before)(struct early *c);
    void (*after)(struct early *c);
    int listener, client, server;
    struct ends ends, turned; /* of the client, of the server */
};

static void early__open(struct early *c)
{
    c->listener = listen__at(c->address, 0, 5);
    union address to = socket__name(c->listener);

    c->client = socket__open(to.any.sa_family, SOCK_STREAM, 0);
    CHECK(!connect(c->client, &to.any, address__len(&to)));
    c->ends = ends__of(c->client);
    c->turned = ends__turned(&c->ends);
}

static void accept_it(struct early *c)
{
    c->server = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK(c->server >= 0);
}

static void exchange(struct early *c)
{
    send__all(c->client, TO_SERVER);
    receive__all(c->server, TO_SERVER);
    send__all(c->server, TO_CLIENT);
    receive__all(c->client, TO_CLIENT);
}

static void client_is_expected(struct early *c, pid_t pid, int sent, const char *reason)
{
    expect__closed(c->what, &c->ends, &(struct closed){pid, 0, sent, TO_CLIENT, reason});
}

static void server_is_expected(struct early *c, pid_t pid, int received, const char *reason)
{
    expect__closed(c->what, &c->turned, &(struct closed){pid, 0, TO_CLIENT, received, reason});
}

static void reset(int fd)
{
    struct linger at_once = {.l_onoff = 1};

    CHECK(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) && !close(fd));
}

/* ----------------------------------------------------- ends of connections */

static void client_then_server(struct early *c)
{
    CHECK(!close(c->client));
    client_is_expected(c, getpid(), TO_SERVER, "HERE");
    receive__end(c->server);
    CHECK(!close(c->server));
    server_is_expected(c, getpid(), TO_SERVER, "PEER");
}

/* Later data is counted together with earlier data. */
static void more_then_server_first(struct early *c)
{
    send__all(c->client, 7);
    receive__all(c->server, 7);
    CHECK(!close(c->server));
    server_is_expected(c, getpid(), TO_SERVER + 7, "HERE");
    receive__end(c->client);
    CHECK(!close(c->client));
    client_is_expected(c, getpid(), TO_SERVER + 7, "PEER");
}

static void client_resets(struct early *c)
{
    char byte;

    reset(c->client);
    client_is_expected(c, getpid(), TO_SERVER, "HERE");
    CHECK(recv(c->server, &byte, 1, 0) < 0 && errno == ECONNRESET);
    CHECK(!close(c->server));
    server_is_expected(c, getpid(), TO_SERVER, "RESET");
}

static void wait_and_exit(void *gate)
{
    gate__wait(gate);
}

static pid_t child;

/* The client, by the exit of the last process that has it. */
static void by_child(struct early *c)
{
    struct gate gate;

    gate__init(&gate);
    child = child__start(wait_and_exit, &gate);

    CHECK(!close(c->client));
    gate__open(&gate);
    CHECK(child__wait(child) == 0);
    client_is_expected(c, child, TO_SERVER, "HERE");
    receive__end(c->server);
    CHECK(!close(c->server));
    server_is_expected(c, getpid(), TO_SERVER, "PEER");
}

/* The socket is disconnected, which ends the connection, and closed afterwards. */
static void disconnect(struct early *c)
{
    union address none = {.any = {.sa_family = AF_UNSPEC}};
    char byte;

    CHECK(!connect(c->client, &none.any, sizeof(none.any)));
    client_is_expected(c, getpid(), TO_SERVER, "HERE");
    CHECK(recv(c->server, &byte, 1, 0) < 0 && errno == ECONNRESET);
    CHECK(!close(c->client) && !close(c->server));
    server_is_expected(c, getpid(), TO_SERVER, "RESET");
}

static void server_closed_before(struct early *c)
{
    CHECK(!close(c->server));
    receive__end(c->client);
}

static void client_goes(struct early *c)
{
    CHECK(!close(c->client));
    client_is_expected(c, getpid(), TO_SERVER, "PEER");
}

/* The client has shut down sending, and continues to read. */
static void client_shut_before(struct early *c)
{
    CHECK(!shutdown(c->client, SHUT_WR));
    receive__end(c->server);
}

static void server_then_client(struct early *c)
{
    CHECK(!close(c->server));
    server_is_expected(c, getpid(), TO_SERVER, "PEER");
    receive__end(c->client);
    CHECK(!close(c->client));
    client_is_expected(c, getpid(), TO_SERVER, "HERE");
}

/* Nothing is reported of it, except for the other end, which is closed before. */
static void reset_before(struct early *c)
{
    char byte;

    reset(c->server);
    CHECK(recv(c->client, &byte, 1, 0) < 0 && errno == ECONNRESET);
}

static void client_goes_unseen(struct early *c)
{
    CHECK(!close(c->client));
}

static struct early connections[] = {
    {.what = "client, then server", .address = V4_LOOP, .after = client_then_server},
    {.what = "client, then server, IPv6", .address = V6_LOOP, .after = client_then_server},
    {.what = "more, then server first", .address = V4_LOOP, .after = more_then_server_first},
    {.what = "reset", .address = V4_LOOP, .after = client_resets},
    {.what = "reset, IPv6", .address = V6_LOOP, .after = client_resets},
    {.what = "by a child", .address = V4_LOOP, .after = by_child},
    {.what = "disconnected", .address = V4_LOOP, .after = disconnect},
    {.what = "server had closed", .address = V4_LOOP, .before = server_closed_before, .after = client_goes},
    {.what = "client had shut", .address = V4_LOOP, .before = client_shut_before, .after = server_then_client},
    {.what = "server had reset", .address = V4_LOOP, .before = reset_before, .after = client_goes_unseen},
};

/* ------------------------------------------------------------------- main */

/* One that was established, but not accepted: its accept is reported, and with it the owner of that end. */
static void accepted_later(struct early *c)
{
    accept_it(c);
    expect__accepted(c->what, &c->turned);
    exchange(c);
    CHECK(!close(c->client));
    client_is_expected(c, getpid(), TO_SERVER, "HERE");
    receive__end(c->server);
    CHECK(!close(c->server));
    expect__closed(c->what, &c->turned, &(struct closed){getpid(), getpid(), TO_CLIENT, TO_SERVER, "PEER"});
}

/* ------------------------------------------------------ waiting in accept */

/* A process that waits for its first connection when the tracer starts. */
static pid_t server;
static int waited_at;

static void accept_one(void *unused)
{
    (void)unused;
    CHECK(!prctl(PR_SET_PDEATHSIG, SIGKILL));
    int fd = accept4(waited_at, NULL, NULL, SOCK_CLOEXEC);

    CHECK(fd >= 0);
    send__all(fd, 1);
    receive__end(fd);
    CHECK(!close(fd));
}

/* Return whether a process sleeps: nothing that it does before it waits for a connection makes it sleep. */
static bool process__sleeps(pid_t pid)
{
    char path[64], text[256] = "";

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && !close(fd));
    return strstr(text, ") S ");
}

static void begin_to_wait(void)
{
    waited_at = listen__at(V4_LOOP, 0, 5);
    server = child__start(accept_one, NULL);
    while (!process__sleeps(server))
        poll(NULL, 0, 10);
}

static void end_wait(void)
{
    union address to = socket__name(waited_at);
    int client = socket__open(AF_INET, SOCK_STREAM, 0);

    CHECK(!connect(client, &to.any, address__len(&to)));
    struct ends ends = ends__of(client), turned = ends__turned(&ends);

    receive__all(client, 1); /* it has been accepted */
    CHECK(!close(client) && child__wait(server) == 0);
    expect__attempted("waited for", &ends);
    expect__begin("waited for", "NETWORK_CONNECTION_ACCEPTED", &turned, server);
    expect__end();
    expect__closed("waited for", &ends, &(struct closed){getpid(), getpid(), 0, 1, "HERE"});
    expect__closed("waited for", &turned, &(struct closed){server, server, 1, 0, "PEER"});
}

static void open_all(struct early *waiting)
{
    begin_to_wait(); /* first, because the process has inherited open files */
    for (size_t i = 0; i < ARRAY_LEN(connections); i++) {
        struct early *c = &connections[i];

        early__open(c);
        accept_it(c);
        exchange(c);
        if (c->before)
            c->before(c);
    }
    early__open(waiting);
}

int main(int argc, char **argv)
{
    struct early waiting = {.what = "accepted later", .address = V4_LOOP};
    char byte;

    CHECK(argc == 2);
    alarm(PATIENCE_S);
    open_all(&waiting);
    file__write(argv[1], "", 0, 0600);
    CHECK(read(0, &byte, 1) == 1);

    fact__int("pid", getpid());
    fact__str("comm", "net-before");
    net_namespace__look();
    fact__array("expected");
    for (size_t i = 0; i < ARRAY_LEN(connections); i++)
        connections[i].after(&connections[i]);
    accepted_later(&waiting);
    end_wait();
    fact__array_end();
    fact__array("children");
    fact__int(NULL, child);
    fact__int(NULL, server);
    fact__array_end();
    return facts__print();
}
