// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sockets.bpf.c - the table of sockets; see Sockets.h.
 *
 * It is in this folder because libbpf's static linker misplaces a map whose declaration it has seen before its
 * definition, and files are linked in the order of their names.
 */
#include "Sockets.h"

struct sockets_map sockets SEC(".maps");
struct socket_storage_map socket_storage SEC(".maps");
struct sockets_more_map sockets_more SEC(".maps");
struct share_map socket_users SEC(".maps");

__noinline int socket__make_share(u64 address)
{
    u32 uid = share__user();
    struct socket_entry none = {.home = SOCKET_IN_SHARE, .uid = uid};

    if (!share__take(&socket_users, uid, SOCKETS_MORE))
        return -1;
    if (!bpf_map_update_elem(&sockets_more, &address, &none, BPF_NOEXIST))
        return 0;
    share__give_back(&socket_users, uid);
    return -1;
}

__noinline int socket__drop_share(u64 address, u32 uid)
{
    if (!bpf_map_delete_elem(&sockets_more, &address))
        share__give_back(&socket_users, uid);
    return 0;
}

int socket__take_over(u64 address, u64 ends)
{
    struct socket_entry *e;

    FOR_EACH_SOCKET_SLOT(e, n, ends) {
        u64 old = e->sk;

        if (!old || !socket__is_gone(old, e->ends) || !claim__try(&e->lock))
            continue; /* also if another program holds the lock: there are more slots */
        bool is_mine = e->sk == old;

        if (is_mine)
            e->sk = address;
        claim__release(&e->lock);
        if (is_mine)
            return n;
    }
    return -1;
}
