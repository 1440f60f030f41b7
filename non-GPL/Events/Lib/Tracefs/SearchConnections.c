// SPDX-License-Identifier: BSD-2-Clause
/* SearchConnections.c - see SearchConnections.h. */
#include "SearchConnections.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define BACKLOG 128     /* others may connect, too */
#define CONNECT_MS 1000 /* over the loopback */
#define SEGMENT 1000 /* odd byte counts are multiples of a small segment, or the kernel waits with the rest of them */

int search__bind(int type, uint32_t address, struct sockaddr_in *ret_name)
{
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof(*ret_name);

    *ret_name = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    if (fd >= 0 && !bind(fd, (struct sockaddr *)ret_name, len) && !getsockname(fd, (struct sockaddr *)ret_name, &len))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Send some bytes, and receive them at the other end. */
static bool bytes__move(int from, int to, size_t count)
{
    static const char data[40 * SEGMENT];
    char sink[4096];

    if (send(from, data, count, MSG_NOSIGNAL) != (ssize_t)count)
        return false;
    while (count) {
        struct pollfd p = {.fd = to, .events = POLLIN};
        ssize_t n = poll(&p, 1, RETRANSMIT_MS) == 1 ? recv(to, sink, sizeof(sink), 0) : -1;

        if (n <= 0)
            return false;
        count -= (size_t)n;
    }
    return true;
}

static void info__read(const struct connection *c, struct tcp_info *ret_info)
{
    socklen_t len = sizeof(*ret_info);

    memset(ret_info, 0, len); /* older kernels have less */
    getsockopt(c->client, IPPROTO_TCP, TCP_INFO, ret_info, &len);
}

static bool stage__read(struct connections *k, struct connection *c, enum stage stage)
{
    return search__read(k->s, c->sk, c->words[stage], SOCK_WORDS);
}

uint64_t connections__last(const struct connections *k)
{
    struct trace_watched watched;

    return trace_peek__watched(&k->s->peek, k->watch, &watched) ? watched.arguments[0] : 0;
}

/* Accept the connection of a client; others may connect as well, and are sent away. -1: it does not come. */
static int connection__accept(int listener, const struct sockaddr_in *client)
{
    struct pollfd p = {.fd = listener, .events = POLLIN};
    struct sockaddr_in peer;
    socklen_t len = sizeof(peer);

    for (int i = 0; i < BACKLOG && poll(&p, 1, CONNECT_MS) == 1; i++, len = sizeof(peer)) {
        int fd = accept4(listener, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC);

        if (fd >= 0 && peer.sin_port == client->sin_port && peer.sin_addr.s_addr == client->sin_addr.s_addr)
            return fd;
        if (fd >= 0)
            close(fd);
    }
    return -1;
}

/* Connect, and have both ends send something. */
static bool connection__open(struct connections *k, struct connection *c, int number, const struct sockaddr_in *to)
{
    struct sockaddr_in from;
    const struct timeval patience = {.tv_sec = CONNECT_MS / 1000};
    int segment = SEGMENT, one = 1;

    c->client = search__bind(SOCK_STREAM, SEARCH_SOURCE + (uint32_t)number * 0x10101, &from);
    if (c->client < 0 || setsockopt(c->client, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment)) ||
        setsockopt(c->client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
        connect(c->client, (const struct sockaddr *)to, sizeof(*to)))
        return false;
    c->sk = connections__last(k);
    if (!c->sk || !stage__read(k, c, STAGE_NEW))
        return false;
    c->server = connection__accept(k->listener, &from);
    c->saddr = from.sin_addr.s_addr;
    c->sport = from.sin_port;
    c->daddr = to->sin_addr.s_addr;
    c->dport = to->sin_port;
    info__read(c, &c->used);
    if (c->server < 0 || !c->used.tcpi_snd_mss || c->used.tcpi_snd_mss > SEGMENT ||
        setsockopt(c->server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) ||
        !bytes__move(c->client, c->server, c->used.tcpi_snd_mss * (size_t)(23 + number * 6)) ||
        !bytes__move(c->server, c->client, 2345 + (size_t)number * 1111))
        return false;
    info__read(c, &c->used);
    return stage__read(k, c, STAGE_USED);
}

/* Have the kernel send again what the other end does not get. */
static bool connection__drop(struct connections *k, struct connection *c)
{
    static const char data[DROPPED_BYTES];
    struct sock_filter none[] = {{.code = BPF_RET | BPF_K}};
    const struct sock_fprog filter = {.len = 1, .filter = none};

    return send(c->client, data, CORKED_BYTES, MSG_NOSIGNAL | MSG_MORE) == CORKED_BYTES &&
           stage__read(k, c, STAGE_CORKED) &&
           !setsockopt(c->server, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) &&
           send(c->client, data, DROPPED_BYTES, MSG_NOSIGNAL) == DROPPED_BYTES &&
           send(c->client, data, WAITING_BYTES, MSG_NOSIGNAL) == WAITING_BYTES && stage__read(k, c, STAGE_DROPPED);
}

static bool connection__end(struct connections *k, struct connection *c)
{
    struct pollfd p = {.fd = c->client, .events = POLLRDHUP};

    for (int ms = 0; ms < RETRANSMIT_MS; ms += 10) {
        info__read(c, &c->again);
        if (c->again.tcpi_total_retrans)
            break;
        poll(NULL, 0, 10);
    }
    return stage__read(k, c, STAGE_AGAIN) && !shutdown(c->server, SHUT_WR) && poll(&p, 1, RETRANSMIT_MS) == 1 &&
           stage__read(k, c, STAGE_ENDED);
}

bool connections__open(struct connections *k, struct search *s)
{
    struct sockaddr_in to, nobody;

    k->s = s;
    k->listener = k->deaf = -1;
    for (int i = 0; i < CONNECTIONS; i++)
        k->of[i].client = k->of[i].server = -1;

    k->listener = search__bind(SOCK_STREAM, SEARCH_DESTINATION, &to);
    k->deaf = search__bind(SOCK_STREAM, SEARCH_DESTINATION, &nobody);
    if (k->listener < 0 || k->deaf < 0 || listen(k->listener, BACKLOG))
        return false;
    k->watch = trace_peek__watch(&k->s->peek, "tcp_connect", false);
    for (int i = 0; i < CONNECTIONS; i++) {
        if (!connection__open(k, &k->of[i], i, &to))
            return false;
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        if (!connection__drop(k, &k->of[i]))
            return false;
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        if (!connection__end(k, &k->of[i]))
            return false;
    }
    return true;
}

void connections__close(const struct connections *k)
{
    const int fds[] = {k->listener, k->deaf, k->of[0].client, k->of[0].server, k->of[1].client, k->of[1].server};

    for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
}
