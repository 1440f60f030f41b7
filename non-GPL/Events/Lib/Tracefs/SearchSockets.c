// SPDX-License-Identifier: BSD-2-Clause
/*
 * SearchSockets.c - sockets of TCP; see TraceSearch.h.
 *
 * This process makes two connections between odd addresses of the loopback. The kernel says what it has of them
 * (TCP_INFO), and a member is where a socket has that, in both connections and at each stage of them.
 */
#include "TraceNet.h"
#include "TraceSearch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCK_WORDS (4 * PEEK_WORDS)
#define SOCK_BYTES (SOCK_WORDS * 8)
#define COMMON_BYTES 160 /* of struct sock_common at most */
#define CONNECTIONS 2
#define SEGMENT 1000 /* odd byte counts are multiples of a small segment, or the kernel waits with the rest of them */
#define CORKED_BYTES 77
#define DROPPED_BYTES 501
#define WAITING_BYTES 333
#define RETRANSMIT_MS 600
#define SOCK_DONE 2 /* bit of sock_common.skc_flags since the peer's end */
#define SS_CONNECTED 3

/* What has happened to a connection when its socket is read. */
enum stage {
    STAGE_NEW,     /* connected */
    STAGE_USED,    /* both ends have sent something, and all was acknowledged */
    STAGE_CORKED,  /* data waits to be sent */
    STAGE_DROPPED, /* data was sent and not acknowledged, more waits */
    STAGE_AGAIN,   /* the kernel has sent it again */
    STAGE_ENDED,   /* the peer has sent its end */
    STAGES
};

struct connection {
    int client, server;
    uint64_t sk; /* of the client */
    uint32_t saddr, daddr;
    uint16_t sport, dport; /* network byte order, like the addresses */
    struct tcp_info used, again;
    uint64_t words[STAGES][SOCK_WORDS];
};

struct sockets {
    struct search *s;
    int listener, deaf; /* that one does not listen */
    int watch;
    struct connection of[CONNECTIONS];
};

/* ---------------------------------------------------------------- connections */

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

static bool stage__read(struct sockets *k, struct connection *c, enum stage stage)
{
    return search__read(k->s, c->sk, c->words[stage], SOCK_WORDS);
}

/* Return the address of the socket that connected last; 0 if that was not seen. */
static uint64_t sockets__connected(const struct sockets *k)
{
    struct trace_watched watched;

    return trace_peek__watched(&k->s->peek, k->watch, &watched) ? watched.arguments[0] : 0;
}

/* Connect, and have both ends send something. */
static bool connection__open(struct sockets *k, struct connection *c, int number, const struct sockaddr_in *to)
{
    struct sockaddr_in from;
    int segment = SEGMENT, one = 1;

    c->client = search__bind(SOCK_STREAM, SEARCH_SOURCE + (uint32_t)number * 0x10101, &from);
    if (c->client < 0 || setsockopt(c->client, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment)) ||
        connect(c->client, (const struct sockaddr *)to, sizeof(*to)))
        return false;
    c->sk = sockets__connected(k);
    if (!c->sk || !stage__read(k, c, STAGE_NEW))
        return false;
    c->server = accept4(k->listener, NULL, NULL, SOCK_CLOEXEC);
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
static bool connection__drop(struct sockets *k, struct connection *c)
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

static bool connection__end(struct sockets *k, struct connection *c)
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

static bool sockets__open(struct sockets *k)
{
    struct sockaddr_in to, nobody;

    k->listener = search__bind(SOCK_STREAM, SEARCH_DESTINATION, &to);
    k->deaf = search__bind(SOCK_STREAM, SEARCH_DESTINATION, &nobody);
    if (k->listener < 0 || k->deaf < 0 || listen(k->listener, CONNECTIONS))
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

static void sockets__close(const struct sockets *k)
{
    const int fds[] = {k->listener, k->deaf, k->of[0].client, k->of[0].server, k->of[1].client, k->of[1].server};

    for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
}

/* -------------------------------------------------------------------- members */

typedef bool (*has_fn)(const struct sockets *k, const struct connection *c, size_t byte);

/* Find the lowest place, in steps of `step` bytes, where both sockets have it. */
static int sockets__find(const struct sockets *k, has_fn has, size_t step, size_t bytes)
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

static bool has_addresses(const struct sockets *k, const struct connection *c, size_t byte)
{
    const uint64_t *words = c->words[STAGE_USED];

    (void)k;
    return words__u32(words, byte) == c->daddr && words__u32(words, byte + 4) == c->saddr;
}

static bool has_ports(const struct sockets *k, const struct connection *c, size_t byte)
{
    uint64_t word = words__u64(c->words[STAGE_USED], byte), num = ntohs(c->sport);

    (void)k;
    return (word & 0xffffffffffffff) == (c->dport | num << 16 | (uint64_t)AF_INET << 32 | UINT64_C(1) << 48);
}

static bool has_v6_addresses(const struct sockets *k, const struct connection *c, size_t byte)
{
    const uint64_t *words = c->words[STAGE_USED];

    (void)k;
    return !words__u64(words, byte) && words__u32(words, byte + 8) == htonl(0xffff) &&
           words__u32(words, byte + 12) == c->daddr && !words__u64(words, byte + 16) &&
           words__u32(words, byte + 24) == htonl(0xffff) && words__u32(words, byte + 28) == c->saddr;
}

static bool has_end_flag(const struct sockets *k, const struct connection *c, size_t byte)
{
    (void)k;
    return (words__u64(c->words[STAGE_ENDED], byte) ^ words__u64(c->words[STAGE_AGAIN], byte)) == SOCK_DONE;
}

/* The address of this process' network namespace. */
static bool has_net(const struct sockets *k, const struct connection *c, size_t byte)
{
    const int *of = k->s->offsets->of;
    uint64_t nsproxy[PEEK_WORDS], task_nsproxy = k->s->children[0].words[of[TRACE_MEMBER_task_nsproxy] / 8];

    return trace_peek__read(&k->s->peek, task_nsproxy, nsproxy) &&
           words__u64(c->words[STAGE_USED], byte) == nsproxy[of[TRACE_MEMBER_nsproxy_net] / 8];
}

/* The source port behind the source address, which is outside of struct sock_common. */
static bool has_sport(const struct sockets *k, const struct connection *c, size_t byte)
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

static bool has_write_seq(const struct sockets *k, const struct connection *c, size_t byte)
{
    (void)k;
    return stage__moved(c, STAGE_CORKED, byte) == CORKED_BYTES &&
           stage__moved(c, STAGE_DROPPED, byte) == CORKED_BYTES + DROPPED_BYTES + WAITING_BYTES;
}

/* Return whether a number was write_seq until data had to wait, and then moved so far. */
static bool seq__is_like(const struct sockets *k, const struct connection *c, size_t byte, uint32_t dropped)
{
    const size_t write_seq = (size_t)k->s->offsets->of[TRACE_MEMBER_tcp_write_seq];

    return words__u32(c->words[STAGE_NEW], byte) == words__u32(c->words[STAGE_NEW], write_seq) &&
           words__u32(c->words[STAGE_USED], byte) == words__u32(c->words[STAGE_USED], write_seq) &&
           !stage__moved(c, STAGE_CORKED, byte) && stage__moved(c, STAGE_DROPPED, byte) == dropped;
}

static bool has_snd_nxt(const struct sockets *k, const struct connection *c, size_t byte)
{
    return seq__is_like(k, c, byte, CORKED_BYTES + DROPPED_BYTES);
}

/* It is behind snd_nxt; before, congestion control may have what is like it. */
static bool has_snd_una(const struct sockets *k, const struct connection *c, size_t byte)
{
    return (int)byte > k->s->offsets->of[TRACE_MEMBER_tcp_snd_nxt] && seq__is_like(k, c, byte, 0);
}

static bool has_bytes_acked(const struct sockets *k, const struct connection *c, size_t byte)
{
    (void)k;
    return words__u64(c->words[STAGE_USED], byte) == c->used.tcpi_bytes_acked && c->used.tcpi_bytes_acked;
}

static bool has_bytes_received(const struct sockets *k, const struct connection *c, size_t byte)
{
    (void)k;
    return words__u64(c->words[STAGE_USED], byte) == c->used.tcpi_bytes_received && c->used.tcpi_bytes_received;
}

static bool has_bytes_sent(const struct sockets *k, const struct connection *c, size_t byte)
{
    (void)k;
    return words__u64(c->words[STAGE_USED], byte) == c->used.tcpi_bytes_sent && c->used.tcpi_bytes_sent;
}

static bool has_bytes_retrans(const struct sockets *k, const struct connection *c, size_t byte)
{
    (void)k;
    return c->again.tcpi_bytes_retrans && !words__u64(c->words[STAGE_USED], byte) &&
           words__u64(c->words[STAGE_AGAIN], byte) == c->again.tcpi_bytes_retrans;
}

/* Return where a struct socket has its file, before the address of a connection's sock; 0 if it is none. */
static size_t socket__file(const struct sockets *k, uint64_t address, uint64_t sk)
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

static bool has_socket(const struct sockets *k, const struct connection *c, size_t byte)
{
    return socket__file(k, words__u64(c->words[STAGE_USED], byte), c->sk);
}

static bool has_type(const struct sockets *k, const struct connection *c, size_t byte)
{
    (void)k;
    return byte >= COMMON_BYTES && trace_sock__is_tcp(words__u32(c->words[STAGE_USED], byte));
}

static void sockets__find_all(const struct sockets *k)
{
    int *of = k->s->offsets->of;

    of[TRACE_MEMBER_sock_daddr] = sockets__find(k, has_addresses, 4, COMMON_BYTES);
    of[TRACE_MEMBER_sock_dport] = sockets__find(k, has_ports, 2, COMMON_BYTES);
    of[TRACE_MEMBER_sock_v6_daddr] = sockets__find(k, has_v6_addresses, 4, COMMON_BYTES);
    of[TRACE_MEMBER_sock_v4_daddr] =
        of[TRACE_MEMBER_sock_v6_daddr] < 0 ? of[TRACE_MEMBER_sock_daddr] : TRACE_OFFSET_UNUSED;
    of[TRACE_MEMBER_sock_flags] = sockets__find(k, has_end_flag, 8, COMMON_BYTES);
    if (of[TRACE_MEMBER_task_nsproxy] >= 0 && of[TRACE_MEMBER_nsproxy_net] >= 0)
        of[TRACE_MEMBER_sock_net] = sockets__find(k, has_net, 8, COMMON_BYTES);
    of[TRACE_MEMBER_sock_type] = sockets__find(k, has_type, 2, SOCK_BYTES);
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
    if (of[TRACE_MEMBER_tcp_bytes_sent] >= 0 && of[TRACE_MEMBER_tcp_bytes_retrans] >= 0)
        of[TRACE_MEMBER_tcp_snd_una] = of[TRACE_MEMBER_tcp_bytes_acked] = TRACE_OFFSET_UNUSED;
    int at = of[TRACE_MEMBER_sock_socket] = sockets__find(k, has_socket, 8, SOCK_BYTES);

    if (at >= 0)
        of[TRACE_MEMBER_socket_file] =
            (int)socket__file(k, words__u64(k->of[0].words[STAGE_USED], (size_t)at), k->of[0].sk);
}

/* A connection that was refused has an error until that is asked for. */
static void sockets__find_error(const struct sockets *k, uint64_t *refused, uint64_t *asked)
{
    struct sockaddr_in from, to;
    socklen_t len = sizeof(to), error_len = sizeof(int);
    int fd = search__bind(SOCK_STREAM, SEARCH_SOURCE, &from), error = 0, found = TRACE_OFFSET_UNKNOWN;
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    if (fd >= 0 && !getsockname(k->deaf, (struct sockaddr *)&to, &len) && !fcntl(fd, F_SETFL, O_NONBLOCK) &&
        connect(fd, (struct sockaddr *)&to, sizeof(to)) && errno == EINPROGRESS && poll(&p, 1, RETRANSMIT_MS) == 1) {
        uint64_t sk = sockets__connected(k);

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
    struct sockets *k = calloc(1, sizeof(*k));

    if (!k)
        return;
    k->s = s;
    k->listener = k->deaf = -1;
    for (int i = 0; i < CONNECTIONS; i++)
        k->of[i].client = k->of[i].server = -1;
    if (sockets__open(k)) {
        sockets__find_all(k);
        sockets__find_error(k, k->of[0].words[STAGE_USED], k->of[0].words[STAGE_CORKED]);
    }
    sockets__close(k);
    free(k);
}
