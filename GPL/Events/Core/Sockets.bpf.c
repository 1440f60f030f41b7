// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sockets.bpf.c - the table of sockets; see Sockets.h.
 *
 * In this folder, because the static linker of libbpf places a map wrongly whose declaration it has seen before its
 * definition, and files are linked in the order of their names.
 */
#include "Sockets.h"

struct sockets_map sockets SEC(".maps");
struct socket_storage_map socket_storage SEC(".maps");
struct sockets_more_map sockets_more SEC(".maps");
struct share_map socket_users SEC(".maps");

int socket__take_over(u64 address, u64 ends)
{
    for (u32 n = 0; n < SOCKETS_TRIES; n++) {
        struct socket_entry *e = socket__place(ends, n);
        u64 old = e ? e->sk : 0;

        if (!old || !socket__is_gone(old, e->ends) || !socket__try_lock(e))
            continue; /* also when another one is at it: there are more places */
        bool is_mine = e->sk == old;

        if (is_mine)
            e->sk = address;
        CLAIM_ADD(&e->lock, -1);
        if (is_mine)
            return n;
    }
    return -1;
}
