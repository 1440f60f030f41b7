/* SPDX-License-Identifier: BSD-2-Clause */
/* net-connect-failed.h - for case-net-connect: attempts that fail. */
#ifndef NET_CONNECT_FAILED_H
#define NET_CONNECT_FAILED_H

#include "net-ops.h"

#define NOBODY_LISTENS 1 /* a port */

/* --------------------------------------------------------------- failures */

static void attempt_and_failure(const char *what, const struct ends *ends, const char *error)
{
    expect__attempted(what, ends);
    expect__failed(what, ends, error);
}

/* The port that connect assigns to a socket is forgotten if it fails, so the socket is bound to a port first. */
static int bound_socket(const char *source, struct ends *ends, const union address *to)
{
    int fd = socket__open(to->any.sa_family, SOCK_STREAM, 0);
    union address from = address__of(source, 0);

    CHECK(!bind(fd, &from.any, address__len(&from)));
    *ends = (struct ends){.source = socket__name(fd), .destination = *to};
    return fd;
}

static void refused(const char *what, const char *source, const char *address, bool blocking)
{
    union address to = address__of(address, NOBODY_LISTENS);
    struct ends ends;
    int fd = bound_socket(source, &ends, &to), error = 0, one = 1;
    socklen_t len = sizeof(error);

    if (blocking) {
        CHECK(connect(fd, &to.any, address__len(&to)) && errno == ECONNREFUSED);
    } else {
        CHECK(!ioctl(fd, FIONBIO, &one) && connect(fd, &to.any, address__len(&to)));
        if (errno == EINPROGRESS) {
            await(fd, POLLOUT);
            CHECK(!getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) && error == ECONNREFUSED);
        } else {
            CHECK(errno == ECONNREFUSED);
        }
    }
    attempt_and_failure(what, &ends, "ECONNREFUSED");
    CHECK(!close(fd));
}

/* No route: nothing is sent, and no port is chosen. */
static void unreachable(const char *what, const char *address, const char *none)
{
    union address to = address__of(address, 80);
    struct ends ends = {.source = address__of(none, 0), .destination = to};
    int fd = socket__open(to.any.sa_family, SOCK_STREAM, 0);

    CHECK(connect(fd, &to.any, address__len(&to)) && errno == ENETUNREACH);
    attempt_and_failure(what, &ends, "ENETUNREACH");
    CHECK(!close(fd));
}

/* An IPv4 address with a socket for IPv6 only, and a link-local address without the link. */
static void not_of_this_socket(void)
{
    union address mapped = address__of(V4_MAPPED_LOOP, 80), link = address__of("fe80::1", 80);
    struct ends ends = {.source = address__of("0.0.0.0", 0), .destination = mapped};
    int fd = socket__open(AF_INET6, SOCK_STREAM, 0), one = 1;

    CHECK(!setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)));
    CHECK(connect(fd, &mapped.any, address__len(&mapped)) && errno == ENETUNREACH);
    attempt_and_failure("mapped, IPv6 only", &ends, "ENETUNREACH");
    ends = (struct ends){.source = address__of("::", 0), .destination = link};
    CHECK(connect(fd, &link.any, address__len(&link)) && errno == EINVAL);
    attempt_and_failure("of a link", &ends, "EINVAL");
    CHECK(!close(fd));
}

/* A listener whose queue is full answers no SYN. */
struct deaf {
    int listener, filler[8], fillers;
    union address to;
};

static void deaf__open(struct deaf *d)
{
    int one = 1;

    d->listener = listen__at(V4_LOOP, 0, 0);
    d->to = socket__name(d->listener);
    d->fillers = 0;
    for (; d->fillers < 8; d->fillers++) {
        int fd = socket__open(AF_INET, SOCK_STREAM, 0);
        struct pollfd p = {.fd = fd, .events = POLLOUT};

        CHECK(!ioctl(fd, FIONBIO, &one));
        CHECK(!connect(fd, &d->to.any, address__len(&d->to)) || errno == EINPROGRESS);
        d->filler[d->fillers] = fd;
        if (!poll(&p, 1, 3000))
            break; /* this one is not answered any more */
        struct ends ends = ends__of(fd);

        expect__attempted("deaf", &ends);
    }
    CHECK(d->fillers < 8);
    struct ends ends = {.source = socket__name(d->filler[d->fillers]), .destination = d->to};

    expect__attempted("deaf", &ends);
    CHECK(!close(d->filler[d->fillers]));
    expect__failed("closed before it was up", &ends, "ECONNABORTED");
}

static void deaf__close(struct deaf *d)
{
    for (int i = 0; i < d->fillers; i++) {
        struct ends ends = ends__of(d->filler[i]);

        CHECK(!close(d->filler[i]));
        expect__closed("deaf", &ends, &(struct closed){getpid(), getpid(), 0, 0, "HERE"});
    }
    CHECK(!close(d->listener));
}

static void timed_out(const struct deaf *d)
{
    struct ends ends;
    int fd = bound_socket(V4_LOOP, &ends, &d->to), one = 1;

    CHECK(!setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &one, sizeof(one)));
    CHECK(connect(fd, &d->to.any, address__len(&d->to)) && errno == ETIMEDOUT);
    attempt_and_failure("timed out", &ends, "ETIMEDOUT");
    CHECK(!close(fd));
}

static void given_up(const struct deaf *d)
{
    union address none = {.any = {.sa_family = AF_UNSPEC}};
    struct ends ends;
    int fd = bound_socket(V4_LOOP, &ends, &d->to), one = 1;

    CHECK(!ioctl(fd, FIONBIO, &one) && connect(fd, &d->to.any, address__len(&d->to)) && errno == EINPROGRESS);
    CHECK(!connect(fd, &none.any, sizeof(none.any)));
    attempt_and_failure("given up by AF_UNSPEC", &ends, "ECONNABORTED");
    CHECK(!close(fd));
}

/* A socket that is shut down while it connects, and connects again. */
static void shut_down(const struct deaf *d)
{
    union address nobody = address__of(V4_LOOP, NOBODY_LISTENS), from = address__of(V4_LOOP, 778);
    int fd = socket__open(AF_INET, SOCK_STREAM, 0), one = 1, zero = 0;
    struct ends ends = {.source = from, .destination = d->to};

    CHECK(!bind(fd, &from.any, address__len(&from)) && !ioctl(fd, FIONBIO, &one));
    CHECK(connect(fd, &d->to.any, address__len(&d->to)) && errno == EINPROGRESS);
    shutdown(fd, SHUT_RDWR);
    attempt_and_failure("shut down", &ends, "ECONNABORTED");
    ends.destination = nobody;
    CHECK(!ioctl(fd, FIONBIO, &zero));
    while (connect(fd, &nobody.any, address__len(&nobody)) && errno != ECONNREFUSED)
        CHECK(errno == ECONNABORTED); /* of the first one */
    attempt_and_failure("shut down, again", &ends, "ECONNREFUSED");
    CHECK(!close(fd));
}

/* A failed attempt leaves nothing behind that changes the next one of this socket. */
static void failure_then_success(void)
{
    union address nobody = address__of(V4_LOOP, NOBODY_LISTENS), from = address__of(V4_LOOP, 777);
    int listener = listen__at(V4_LOOP, 0, 5), fd = socket__open(AF_INET, SOCK_STREAM, 0), one = 1;
    union address to = socket__name(listener);

    /* To that port, which is remembered, unlike an assigned one; a run less than a minute ago has left it waiting. */
    CHECK(!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) && !bind(fd, &from.any, address__len(&from)));
    for (int i = 0; i < 3; i++) {
        struct ends ends = {.source = socket__name(fd), .destination = nobody};

        CHECK(connect(fd, &nobody.any, address__len(&nobody)) && errno == ECONNREFUSED);
        attempt_and_failure("failure, then success", &ends, "ECONNREFUSED");
    }
    CHECK(!connect(fd, &to.any, address__len(&to)));
    struct pair p = {.client = fd, .server = accept(listener, NULL, NULL), .ends = ends__of(fd)};
    struct ends turned = ends__turned(&p.ends);

    expect__attempted("failure, then success", &p.ends);
    expect__accepted("failure, then success", &turned);
    pair__close("failure, then success", &p, 0, 0);
    CHECK(!close(listener));
}

/* No attempts: an invalid address, and a socket that is already connected or connecting. */
static void no_attempts(int deaf_listener)
{
    union address to = socket__name(deaf_listener);
    int listener = listen__at(V4_LOOP, 0, 5), fd = socket__open(AF_INET, SOCK_STREAM, 0);

    CHECK(connect(fd, &to.any, 4) && errno == EINVAL);
    to.any.sa_family = AF_INET6;
    CHECK(connect(fd, &to.any, sizeof(to.v4)) && errno == EAFNOSUPPORT);
    CHECK(!close(fd));
    struct pair p = pair__open("connected already", listener);

    to = socket__name(listener);
    CHECK(connect(p.client, &to.any, address__len(&to)) && errno == EISCONN);
    pair__close("connected already", &p, 0, 0);
    CHECK(!close(listener));
}

static void failures(void)
{
    struct deaf d;

    refused("refused", V4_LOOP, V4_LOOP, true);
    refused("refused, non-blocking", V4_LOOP, V4_LOOP, false);
    unreachable("unreachable", "192.0.2.1", "0.0.0.0");
    if (has_ipv6()) {
        refused("refused over IPv6", V6_LOOP, V6_LOOP, true);
        refused("refused, non-blocking, over IPv6", V6_LOOP, V6_LOOP, false);
        refused("refused, mapped", V4_MAPPED_LOOP, V4_MAPPED_LOOP, true);
        unreachable("unreachable over IPv6", "2001:db8::1", "::");
        unreachable("unreachable, mapped", "::ffff:192.0.2.1", "0.0.0.0");
        not_of_this_socket();
    }
    deaf__open(&d);
    timed_out(&d);
    given_up(&d);
    shut_down(&d);
    no_attempts(d.listener);
    deaf__close(&d);
    failure_then_success();
}

#endif
