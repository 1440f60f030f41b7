// SPDX-License-Identifier: BSD-2-Clause
/*
 * SearchMptcp.c - sockets of MPTCP; see TraceSearch.h.
 *
 * This process connects to itself by MPTCP. The TCP socket below points to what the kernel registers under that name.
 */
#include "TraceSearch.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define SOCK_WORDS (3 * PEEK_WORDS)
#define ULP_BYTES 128 /* of a struct tcp_ulp_ops at most */

/* Return whether a struct tcp_ulp_ops is that of MPTCP. */
static bool ulp__is_mptcp(struct search *s, uint64_t address)
{
    uint64_t words[PEEK_WORDS];

    if (!word__is_pointer(address) || !trace_peek__read(&s->peek, address, words))
        return false;
    for (size_t byte = 16; byte < ULP_BYTES; byte += 8) { /* behind its place in a list */
        if (!memcmp((const char *)words + byte, "mptcp", sizeof("mptcp")))
            return true;
    }
    return false;
}

static void mptcp__find(struct search *s, int fd, const struct sockaddr_in *to)
{
    uint64_t words[SOCK_WORDS];
    struct trace_watched watched;
    int watch = trace_peek__watch(&s->peek, "tcp_connect", false);
    const struct timeval patience = {.tv_sec = 1};

    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
        connect(fd, (const struct sockaddr *)to, sizeof(*to)) || !trace_peek__watched(&s->peek, watch, &watched) ||
        !search__read(s, watched.arguments[0], words, SOCK_WORDS))
        return;
    for (int i = 0; i < SOCK_WORDS; i++) {
        if (!ulp__is_mptcp(s, words[i]))
            continue;
        s->offsets->of[TRACE_MEMBER_sock_ulp] = i * 8;
        s->offsets->mptcp_ulp = words[i];
        return;
    }
}

void search__mptcp(struct search *s)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(SEARCH_DESTINATION)};
    socklen_t len = sizeof(to);

    if (fd < 0)
        search__leave(s, TRACE_MEMBER_sock_ulp);
    else if (listener >= 0 && !bind(listener, (struct sockaddr *)&to, len) && !listen(listener, 128) &&
             !getsockname(listener, (struct sockaddr *)&to, &len))
        mptcp__find(s, fd, &to);
    if (fd >= 0)
        close(fd);
    if (listener >= 0)
        close(listener);
}
