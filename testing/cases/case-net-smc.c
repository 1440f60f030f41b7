/* SPDX-License-Identifier: BSD-2-Clause */
/* case-net-smc: AF_SMC sockets, which are TCP connections if there is no hardware for more. */
#include "net-ops.h"

#ifndef AF_SMC
#define AF_SMC 43
#endif

static void is_closed(const char *what, const struct ends *ends)
{
    expect__begin(what, "NETWORK_CONNECTION_CLOSED", ends, getpid());
    fact__int("owner", getpid());
    expect__end();
}

/* Without bytes, because the bytes of SMC's own handshake are among them. */
static void close_both(const char *what, struct pair *p)
{
    struct ends turned = ends__turned(&p->ends);

    CHECK(!close(p->client));
    receive__end(p->server);
    CHECK(!close(p->server));
    is_closed(what, &p->ends);
    is_closed(what, &turned);
}

static void exchange(const char *what, int client_family)
{
    int listener = socket__open(AF_SMC, SOCK_STREAM, 0);
    union address at = address__of(V4_LOOP, 0);

    CHECK(!bind(listener, &at.any, address__len(&at)) && !listen(listener, 5));
    union address to = socket__name(listener);
    struct dialog c = {.what = what, .opener = getpid()};

    c.pair.client = socket__open(client_family, SOCK_STREAM, 0);
    CHECK(!connect(c.pair.client, &to.any, address__len(&to)));
    c.pair.server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK(c.pair.server >= 0 && !close(listener));
    c.pair.ends = ends__of(c.pair.client);
    struct ends server = ends__turned(&c.pair.ends);

    expect__attempted(what, &c.pair.ends);
    expect__accepted(what, &server);
    if (client_family == AF_SMC)
        close_both(what, &c.pair);
    else
        dialog__end_by_client(&c);
}

int main(void)
{
    int fd = system("modprobe smc 2>/dev/null") ? -1 : socket(AF_SMC, SOCK_STREAM, 0);

    if (fd < 0)
        case__skip("AF_SMC: the kernel does not have it");
    CHECK(!close(fd));
    fact__int("pid", getpid());
    fact__str("comm", "case-net-smc");
    net_namespace__look();
    fact__array("expected");
    exchange("from TCP", AF_INET);
    exchange("both", AF_SMC);
    fact__array_end();
    return facts__print();
}
