// SPDX-License-Identifier: BSD-2-Clause
/*
 * SearchDatagrams.c - sockets of UDP, and datagrams; see TraceSearch.h.
 *
 * This process sends a datagram to itself. It is the same struct sk_buff that waits at the receiving socket.
 */
#include "TraceSearch.h"

#include <arpa/inet.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define UDP_WORDS (4 * PEEK_WORDS)
#define SKB_BYTES 320 /* a struct sk_buff at most */
#define GSO_SIZE 1231

struct datagram {
    struct search *s;
    int from_fd, to_fd;
    struct sockaddr_in from, to;
    uint64_t sk, skb;
    uint64_t sk_words[PEEK_WATCH_WORDS]; /* the skb, when it is sent */
};

/* Send it. The receiving socket keeps it. */
static bool datagram__send(struct datagram *d)
{
    struct search *s = d->s;
    int by_call = trace_peek__watch(&s->peek, "udp_sendmsg", false);
    int by_skb = trace_peek__watch(&s->peek, "ip_send_skb", true);
    struct trace_watched watched;
    static const char payload[77];

    d->from_fd = search__bind(SOCK_DGRAM, SEARCH_SOURCE, &d->from);
    d->to_fd = search__bind(SOCK_DGRAM, SEARCH_DESTINATION, &d->to);
    if (d->from_fd < 0 || d->to_fd < 0)
        return false;
    for (int i = 0; i < 2; i++) { /* each watch reads away what the other one has seen */
        if (sendto(d->from_fd, payload, sizeof(payload), 0, (struct sockaddr *)&d->to, sizeof(d->to)) < 0 ||
            !trace_peek__watched(&s->peek, i ? by_skb : by_call, &watched))
            return false;
        d->sk = i ? d->sk : watched.arguments[0];
    }
    d->skb = watched.arguments[1];
    memcpy(d->sk_words, watched.words, sizeof(d->sk_words));
    return true;
}

/* Return whether the header of the datagram is before an address. */
static bool datagram__is_at(const struct datagram *d, uint64_t address)
{
    uint64_t words[PEEK_WORDS], begin = address - sizeof(struct udphdr);
    uint32_t ports = d->from.sin_port | (uint32_t)d->to.sin_port << 16;

    return word__is_pointer(address) && trace_peek__read(&d->s->peek, begin & ~UINT64_C(7), words) &&
           words__u32(words, begin & 7) == ports;
}

static void datagram__find_skb(const struct datagram *d)
{
    int *of = d->s->offsets->of;
    uint64_t words[PEEK_WORDS];

    for (int i = 0; i < PEEK_WATCH_WORDS; i++) {
        if (d->sk_words[i] == d->sk)
            of[TRACE_MEMBER_skb_sk] = i * 8;
    }
    if (!trace_peek__read(&d->s->peek, d->skb, words))
        return;
    for (size_t byte = 8; byte < SKB_BYTES; byte += 8) {
        uint64_t data = words__u64(words, byte), head = words__u64(words, byte - 8);

        if (head <= data && data - head < 4096 && datagram__is_at(d, data)) {
            of[TRACE_MEMBER_skb_data] = (int)byte;
            return;
        }
    }
}

static void datagram__find_gso_size(const struct datagram *d, uint64_t *before, uint64_t *after)
{
    int size = GSO_SIZE;

    if (!search__read(d->s, d->sk, before, UDP_WORDS) ||
        setsockopt(d->from_fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)) ||
        !search__read(d->s, d->sk, after, UDP_WORDS))
        return;
    for (size_t byte = 0; byte + 8 <= (size_t)UDP_WORDS * 8; byte += 2) {
        if (!(words__u32(before, byte) & 0xffff) && (words__u32(after, byte) & 0xffff) == GSO_SIZE) {
            d->s->offsets->of[TRACE_MEMBER_udp_gso_size] = (int)byte;
            return;
        }
    }
}

void search__datagrams(struct search *s)
{
    struct datagram d = {.s = s, .from_fd = -1, .to_fd = -1};
    uint64_t before[UDP_WORDS], after[UDP_WORDS];

    if (datagram__send(&d)) {
        datagram__find_skb(&d);
        datagram__find_gso_size(&d, before, after);
    }
    if (d.from_fd >= 0)
        close(d.from_fd);
    if (d.to_fd >= 0)
        close(d.to_fd);
}
