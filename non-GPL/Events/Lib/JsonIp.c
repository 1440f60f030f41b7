// SPDX-License-Identifier: BSD-2-Clause
/*
 * JsonIp.c - addresses as text: IPv4 in dotted decimals, IPv6 as in RFC 5952.
 *
 * inet_ntop is not used: it calls printf, and takes longer than the rest of a network event.
 */
#include "JsonText.h"

#include <arpa/inet.h>

#define GROUPS 8
#define GROUP_BITS 16

static char *write_ipv4(char *p, const unsigned char bytes[4])
{
    for (int i = 0; i < 4; i++) {
        p = write_number(p, bytes[i]);
        *p++ = '.';
    }
    return p - 1;
}

static char *write_group(char *p, unsigned int group)
{
    int shift = GROUP_BITS - 4;

    while (shift && !(group >> shift))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        *p++ = "0123456789abcdef"[group >> shift & 15];
    return p;
}

/* Find the first longest run of zero groups, of at least two. Returns its length, 1 if there is none. */
static int zero_run(const unsigned int groups[GROUPS], int *ret_start)
{
    int longest = 1;

    for (int i = 0; i < GROUPS; i++) {
        int n = 0;

        while (i + n < GROUPS && !groups[i + n])
            n++;
        if (n > longest) {
            longest = n;
            *ret_start = i;
        }
        i += n;
    }
    return longest > 1 ? longest : 0;
}

static char *write_ipv6(char *p, const unsigned char bytes[16])
{
    unsigned int groups[GROUPS];
    int start = GROUPS, run;

    for (int i = 0; i < GROUPS; i++)
        groups[i] = (unsigned int)bytes[2 * i] << 8 | bytes[2 * i + 1];
    run = zero_run(groups, &start);
    for (int i = 0; i < GROUPS; i++) {
        if (i == start) {
            *p++ = ':';
            i += run - 1;
            if (i == GROUPS - 1)
                *p++ = ':';
            continue;
        }
        if (i)
            *p++ = ':';
        p = write_group(p, groups[i]);
    }
    return p;
}

static char *format_ip(char *p, const struct ebpf_ip *ip)
{
    if (!ip->words[0] && !ip->words[1] && ip->words[2] == htonl(0xffff))
        return write_ipv4(p, (const unsigned char *)&ip->words[3]);
    return write_ipv6(p, (const unsigned char *)ip->words);
}

/* One end is this host and the other often a server, so the text of the last addresses is cached, by a hash. */
#define IP_CACHE_BITS 3

struct cached_ip {
    struct ebpf_ip of;
    uint64_t len; /* 0: the bucket is empty */
    char text[JSON_IP_MAX];
};

static __attribute__((noinline)) void cached_ip__set(struct cached_ip *cached, const struct ebpf_ip *ip)
{
    cached->of = *ip;
    cached->len = (uint64_t)(format_ip(cached->text, ip) - cached->text);
}

char *ebpf_json__write_ip(char *p, const struct ebpf_ip *ip)
{
    static _Thread_local struct cached_ip cache[1 << IP_CACHE_BITS];
    const char *words = (const char *)ip->words;
    struct cached_ip *cached =
        *THREADS_OWN(cache) + word__bucket(load_word(words) ^ load_word(words + 8), IP_CACHE_BITS);

    if (!cached->len || !all16(load16(words) == load16((const char *)cached->of.words)))
        cached_ip__set(cached, ip);
    memcpy(p, cached->text, JSON_IP_MAX);
    return p + cached->len;
}
