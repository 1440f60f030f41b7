// SPDX-License-Identifier: BSD-2-Clause
/* PointsSockets.c - see PointsSockets.h. */
#include "PointsSockets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH UINT64_C(0x9e3779b97f4a7c15)
#define HASH_BITS 12

_Static_assert(1 << HASH_BITS == POINTS_SOCKETS_BUCKETS, "a hash is a bucket");

int points_sockets__init(struct points_sockets *sockets)
{
    *sockets = (struct points_sockets){.all = calloc(POINTS_SOCKETS_MAX + 1, sizeof(*sockets->all))};
    return sockets->all ? 0 : -ENOMEM;
}

void points_sockets__fini(struct points_sockets *sockets)
{
    free(sockets->all);
    sockets->all = NULL;
}

/* Return the number that leads to an entry, or would; NULL if the table is closed. */
static uint32_t *socket__link(struct points_sockets *sockets, uint64_t sk)
{
    uint32_t *link = &sockets->buckets[sk * HASH >> (64 - HASH_BITS)];

    while (*link && sockets->all[*link].sk != sk)
        link = &sockets->all[*link].next;
    return link;
}

struct points_socket *points_sockets__find(struct points_sockets *sockets, uint64_t sk)
{
    uint32_t n = *socket__link(sockets, sk);

    return n ? &sockets->all[n] : NULL;
}

struct points_socket *points_sockets__get(struct points_sockets *sockets, uint64_t sk)
{
    uint32_t *link = socket__link(sockets, sk), n = *link;

    if (n)
        return &sockets->all[n];
    n = sockets->free;
    if (n)
        sockets->free = sockets->all[n].next;
    else if (sockets->used < POINTS_SOCKETS_MAX)
        n = ++sockets->used;
    else
        return NULL;
    sockets->all[n] = (struct points_socket){.sk = sk};
    *link = n;
    return &sockets->all[n];
}

void points_sockets__drop(struct points_sockets *sockets, uint64_t sk)
{
    uint32_t *link = socket__link(sockets, sk), n = *link;

    if (!n)
        return;
    *link = sockets->all[n].next;
    sockets->all[n] = (struct points_socket){.next = sockets->free};
    sockets->free = n;
}

void points_sockets__clear(struct points_sockets *sockets)
{
    memset(sockets->buckets, 0, sizeof(sockets->buckets));
    sockets->used = sockets->free = 0;
}
