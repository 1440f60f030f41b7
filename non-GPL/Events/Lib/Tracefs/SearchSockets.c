// SPDX-License-Identifier: BSD-2-Clause
/*
 * SearchSockets.c - sockets of TCP; see TraceSearch.h.
 *
 * This process makes two connections between odd addresses of the loopback. The kernel says what it has of them
 * (TCP_INFO), and a member is where a socket has that, in both connections and at each stage of them.
 */
#include "SearchConnections.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define COMMON_BYTES 160 /* of struct sock_common at most */
#define SOCK_DONE 2      /* bit of sock_common.skc_flags since the peer's end */
#define SS_CONNECTED 3

typedef bool (*has_fn)(const struct connections *k, const struct connection *c, size_t byte);

/* Find the lowest place, in steps of `step` bytes, where both sockets have it. */
static int sockets__find(const struct connections *k, has_fn has, size_t step, size_t bytes)
{
    for (size_t byte = 0; byte + 32 <= bytes; byte += step) {
        bool all = true;

        for (int i = 0; i < CONNECTIONS && all; i++)
            all = has(k, &k->of[i], byte);
        if (all)
            return (int)byte;
    }
    return TRACE_OFFSET_UNKNOWN;
}

static bool has_addresses(const struct connections *k, const struct connection *c, size_t byte)
{
    const uint64_t *words = c->words[STAGE_USED];

    (void)k;
    return words__u32(words, byte) == c->daddr && words__u32(words, byte + 4) == c->saddr;
}

static bool has_ports(const struct connections *k, const struct connection *c, size_t byte)
{
    uint64_t word = words__u64(c->words[STAGE_USED], byte), num = ntohs(c->sport);

    (void)k;
    return (word & 0xffffffffffffff) == (c->dport | num << 16 | (uint64_t)AF_INET << 32 | UINT64_C(1) << 48);
}

static bool has_v6_addresses(const struct connections *k, const struct connection *c, size_t byte)
{
    const uint64_t *words = c->words[STAGE_USED];

    (void)k;
    return !words__u64(words, byte) && words__u32(words, byte + 8) == htonl(0xffff) &&
           words__u32(words, byte + 12) == c->daddr && !words__u64(words, byte + 16) &&
           words__u32(words, byte + 24) == htonl(0xffff) && words__u32(words, byte + 28) == c->saddr;
}

static bool has_end_flag(const struct connections *k, const struct connection *c, size_t byte)
{
    (void)k;
    return (words__u64(c->words[STAGE_ENDED], byte) ^ words__u64(c->words[STAGE_AGAIN], byte)) == SOCK_DONE;
}

/* The address of this process' network namespace. */
static bool has_net(const struct connections *k, const struct connection *c, size_t byte)
{
    const int *of = k->s->offsets->of;
    uint64_t nsproxy[PEEK_WORDS], task_nsproxy = k->s->children[0].words[of[TRACE_MEMBER_task_nsproxy] / 8];

    return trace_peek__read(&k->s->peek, task_nsproxy, nsproxy) &&
           words__u64(c->words[STAGE_USED], byte) == nsproxy[of[TRACE_MEMBER_nsproxy_net] / 8];
}

/* The source port behind the source address, which is outside of struct sock_common. */
static bool has_sport(const struct connections *k, const struct connection *c, size_t byte)
{
    const uint64_t *words = c->words[STAGE_USED];

    (void)k;
    if (byte < COMMON_BYTES || (words__u32(words, byte) & 0xffff) != c->sport)
        return false;
    for (size_t near = 4; near <= 32; near += 4) {
        if (words__u32(words, (byte & ~(size_t)3) - near) == c->saddr)
            return true;
    }
    return false;
}

/* How far a number is from what it was when the connection had been used. */
static uint32_t stage__moved(const struct connection *c, enum stage stage, size_t byte)
{
    return words__u32(c->words[stage], byte) - words__u32(c->words[STAGE_USED], byte);
}

static bool has_write_seq(const struct connections *k, const struct connection *c, size_t byte)
{
    (void)k;
    return stage__moved(c, STAGE_CORKED, byte) == CORKED_BYTES &&
           stage__moved(c, STAGE_DROPPED, byte) == CORKED_BYTES + DROPPED_BYTES + WAITING_BYTES;
}

/* Return whether a number was write_seq until data had to wait, and then moved so far. */
static bool seq__is_like(const struct connections *k, const struct connection *c, size_t byte, uint32_t dropped)
{
    const size_t write_seq = (size_t)k->s->offsets->of[TRACE_MEMBER_tcp_write_seq];

    return words__u32(c->words[STAGE_NEW], byte) == words__u32(c->words[STAGE_NEW], write_seq) &&
           words__u32(c->words[STAGE_USED], byte) == words__u32(c->words[STAGE_USED], write_seq) &&
           !stage__moved(c, STAGE_CORKED, byte) && stage__moved(c, STAGE_DROPPED, byte) == dropped;
}

static bool has_snd_nxt(const struct connections *k, const struct connection *c, size_t byte)
{
    return seq__is_like(k, c, byte, CORKED_BYTES + DROPPED_BYTES);
}

/* It is behind snd_nxt; before, congestion control may have what is like it. */
static bool has_snd_una(const struct connections *k, const struct connection *c, size_t byte)
{
    return (int)byte > k->s->offsets->of[TRACE_MEMBER_tcp_snd_nxt] && seq__is_like(k, c, byte, 0);
}

static bool has_bytes_acked(const struct connections *k, const struct connection *c, size_t byte)
{
    (void)k;
    return words__u64(c->words[STAGE_USED], byte) == c->used.tcpi_bytes_acked && c->used.tcpi_bytes_acked;
}

static bool has_bytes_received(const struct connections *k, const struct connection *c, size_t byte)
{
    (void)k;
    return words__u64(c->words[STAGE_USED], byte) == c->used.tcpi_bytes_received && c->used.tcpi_bytes_received;
}

static bool has_bytes_sent(const struct connections *k, const struct connection *c, size_t byte)
{
    (void)k;
    return words__u64(c->words[STAGE_USED], byte) == c->used.tcpi_bytes_sent && c->used.tcpi_bytes_sent;
}

static bool has_bytes_retrans(const struct connections *k, const struct connection *c, size_t byte)
{
    (void)k;
    return c->again.tcpi_bytes_retrans && !words__u64(c->words[STAGE_USED], byte) &&
           words__u64(c->words[STAGE_AGAIN], byte) == c->again.tcpi_bytes_retrans;
}

/* Return where a struct socket has its file, before the address of a connection's sock; 0 if it is none. */
static size_t socket__file(const struct connections *k, uint64_t address, uint64_t sk)
{
    uint64_t words[PEEK_WORDS];

    if (!word__is_pointer(address) || !trace_peek__read(&k->s->peek, address, words) ||
        words__u32(words, 0) != SS_CONNECTED || (words__u32(words, 4) & 0xffff) != SOCK_STREAM)
        return 0;
    for (size_t i = 2; i < 8; i++) {
        if (words[i] == sk && word__is_pointer(words[i - 1]))
            return (i - 1) * 8;
    }
    return 0;
}

static bool has_socket(const struct connections *k, const struct connection *c, size_t byte)
{
    return socket__file(k, words__u64(c->words[STAGE_USED], byte), c->sk);
}

/* Whose protocol is at a distance from the type. */
static bool type__is_at(const struct connection *c, size_t byte, int protocol_at, uint32_t mask)
{
    const uint64_t *words = c->words[STAGE_USED];

    return byte >= COMMON_BYTES && (words__u32(words, byte) & 0xffff) == SOCK_STREAM &&
           (words__u32(words, (size_t)((long)byte + protocol_at)) & mask) == IPPROTO_TCP;
}

static bool has_type_before(const struct connections *k, const struct connection *c, size_t byte)
{
    (void)k;
    return type__is_at(c, byte, 2, 0xffff);
}

static bool has_type_behind(const struct connections *k, const struct connection *c, size_t byte)
{
    (void)k;
    return type__is_at(c, byte, -2, 0xffff);
}

static bool has_type_bits(const struct connections *k, const struct connection *c, size_t byte)
{
    (void)k;
    return type__is_at(c, byte, -1, 0xff);
}

static int sockets__find_type(const struct connections *k)
{
    static const has_fn ways[] = {has_type_before, has_type_behind, has_type_bits};
    int at = TRACE_OFFSET_UNKNOWN;

    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways) && at < 0; i++)
        at = sockets__find(k, ways[i], 2, SOCK_BYTES);
    return at;
}

static void sockets__find_all(const struct connections *k)
{
    int *of = k->s->offsets->of;

    of[TRACE_MEMBER_sock_daddr] = sockets__find(k, has_addresses, 4, COMMON_BYTES);
    of[TRACE_MEMBER_sock_dport] = sockets__find(k, has_ports, 2, COMMON_BYTES);
    of[TRACE_MEMBER_sock_v6_daddr] = sockets__find(k, has_v6_addresses, 4, COMMON_BYTES);
    if (of[TRACE_MEMBER_sock_v6_daddr] >= 0)
        search__leave(k->s, TRACE_MEMBER_sock_v4_daddr);
    else
        of[TRACE_MEMBER_sock_v4_daddr] = of[TRACE_MEMBER_sock_daddr];
    of[TRACE_MEMBER_sock_flags] = sockets__find(k, has_end_flag, 8, COMMON_BYTES);
    if (of[TRACE_MEMBER_task_nsproxy] >= 0 && of[TRACE_MEMBER_nsproxy_net] >= 0)
        of[TRACE_MEMBER_sock_net] = sockets__find(k, has_net, 8, COMMON_BYTES);
    of[TRACE_MEMBER_sock_type] = sockets__find_type(k);
    of[TRACE_MEMBER_inet_sport] = sockets__find(k, has_sport, 2, SOCK_BYTES);
    of[TRACE_MEMBER_tcp_write_seq] = sockets__find(k, has_write_seq, 4, SOCK_BYTES);
    if (of[TRACE_MEMBER_tcp_write_seq] >= 0) {
        of[TRACE_MEMBER_tcp_snd_nxt] = sockets__find(k, has_snd_nxt, 4, SOCK_BYTES);
        if (of[TRACE_MEMBER_tcp_snd_nxt] >= 0)
            of[TRACE_MEMBER_tcp_snd_una] = sockets__find(k, has_snd_una, 4, SOCK_BYTES);
    }
    of[TRACE_MEMBER_tcp_bytes_acked] = sockets__find(k, has_bytes_acked, 8, SOCK_BYTES);
    of[TRACE_MEMBER_tcp_bytes_received] = sockets__find(k, has_bytes_received, 8, SOCK_BYTES);
    of[TRACE_MEMBER_tcp_bytes_sent] = sockets__find(k, has_bytes_sent, 8, SOCK_BYTES);
    of[TRACE_MEMBER_tcp_bytes_retrans] = sockets__find(k, has_bytes_retrans, 8, SOCK_BYTES);
    if (of[TRACE_MEMBER_tcp_bytes_sent] >= 0 && of[TRACE_MEMBER_tcp_bytes_retrans] >= 0) {
        search__leave(k->s, TRACE_MEMBER_tcp_snd_una);
        search__leave(k->s, TRACE_MEMBER_tcp_bytes_acked);
    }
    int at = of[TRACE_MEMBER_sock_socket] = sockets__find(k, has_socket, 8, SOCK_BYTES);

    if (at >= 0)
        of[TRACE_MEMBER_socket_file] =
            (int)socket__file(k, words__u64(k->of[0].words[STAGE_USED], (size_t)at), k->of[0].sk);
}

/* A connection that was refused has an error until that is asked for. */
static void sockets__find_error(const struct connections *k, uint64_t *refused, uint64_t *asked)
{
    struct sockaddr_in from, to;
    socklen_t len = sizeof(to), error_len = sizeof(int);
    int fd = search__bind(SOCK_STREAM, SEARCH_SOURCE, &from), error = 0, found = TRACE_OFFSET_UNKNOWN;
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    if (fd >= 0 && !getsockname(k->deaf, (struct sockaddr *)&to, &len) && !fcntl(fd, F_SETFL, O_NONBLOCK) &&
        connect(fd, (struct sockaddr *)&to, sizeof(to)) && errno == EINPROGRESS && poll(&p, 1, RETRANSMIT_MS) == 1) {
        uint64_t sk = connections__last(k);

        if (sk && search__read(k->s, sk, refused, SOCK_WORDS) &&
            !getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) && error == ECONNREFUSED &&
            search__read(k->s, sk, asked, SOCK_WORDS)) {
            for (size_t byte = COMMON_BYTES; byte < SOCK_BYTES && found < 0; byte += 4) {
                if (words__u32(refused, byte) == ECONNREFUSED && !words__u32(asked, byte))
                    found = (int)byte;
            }
        }
    }
    k->s->offsets->of[TRACE_MEMBER_sock_err] = found;
    if (fd >= 0)
        close(fd);
}

void search__sockets(struct search *s)
{
    struct connections *k = calloc(1, sizeof(*k));

    if (!k)
        return;
    if (connections__open(k, s)) {
        sockets__find_all(k);
        sockets__find_error(k, k->of[0].words[STAGE_USED], k->of[0].words[STAGE_CORKED]);
    }
    connections__close(k);
    free(k);
}
