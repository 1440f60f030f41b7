// SPDX-License-Identifier: BSD-2-Clause
/* TraceSockets.c - see TraceSockets.h. */
#include "TraceSockets.h"

#include <errno.h>
#include <stdlib.h>

#define BUCKETS 16384
#define SWEEP_EVERY 1024 /* connections without room, so that not each one goes through the table */

/* Return where the entry of a socket hangs, or would. */
static struct trace_socket **socket__link(const struct trace_sockets *sockets, uint64_t sk)
{
    struct trace_socket **link = &sockets->buckets[(sk * UINT64_C(0x9e3779b97f4a7c15) >> 40) % BUCKETS];

    while (*link && (*link)->sk != sk)
        link = &(*link)->next;
    return link;
}

static void link__cut(struct trace_sockets *sockets, struct trace_socket **link)
{
    struct trace_socket *e = *link;

    *link = e->next;
    free(e);
    sockets->count--;
}

int trace_sockets__init(struct trace_sockets *sockets)
{
    sockets->buckets = calloc(BUCKETS, sizeof(struct trace_socket *));
    return sockets->buckets ? 0 : -ENOMEM;
}

void trace_sockets__fini(struct trace_sockets *sockets)
{
    for (uint32_t i = 0; sockets->buckets && i < BUCKETS; i++) {
        while (sockets->buckets[i])
            link__cut(sockets, &sockets->buckets[i]);
    }
    free(sockets->buckets);
    sockets->buckets = NULL;
}

struct trace_socket *trace_sockets__find(const struct trace_sockets *sockets, uint64_t sk)
{
    return *socket__link(sockets, sk);
}

/* Drop the connections of processes that have ended: their closes may have been lost. */
static void sockets__sweep(struct trace_sockets *sockets, const struct processes *processes)
{
    for (uint32_t i = 0; i < BUCKETS; i++) {
        struct trace_socket **link = &sockets->buckets[i];

        while (*link) {
            const struct process *p = processes__find(processes, (*link)->owner.tgid);

            if (p && !p->has_ended && p->pids.start_time_ns == (*link)->owner.start_time_ns)
                link = &(*link)->next;
            else
                link__cut(sockets, link);
        }
    }
}

struct trace_socket *trace_sockets__put(struct trace_sockets *sockets, const struct processes *processes, uint64_t sk)
{
    struct trace_socket **link = socket__link(sockets, sk), *next = NULL;

    if (!*link) {
        if (sockets->count >= TRACE_SOCKETS_MAX && !(sockets->untracked % SWEEP_EVERY)) {
            sockets__sweep(sockets, processes);
            link = socket__link(sockets, sk);
        }
        if (sockets->count < TRACE_SOCKETS_MAX)
            *link = malloc(sizeof(**link));
        if (!*link) {
            sockets->untracked++;
            return NULL;
        }
        sockets->count++;
    } else {
        next = (*link)->next;
    }
    **link = (struct trace_socket){.sk = sk, .next = next};
    return *link;
}

void trace_sockets__remove(struct trace_sockets *sockets, uint64_t sk)
{
    struct trace_socket **link = socket__link(sockets, sk);

    if (*link)
        link__cut(sockets, link);
}
