/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Ring.h - the two rings, and the share of each user in them: otherwise any user could fill a ring, and nothing that
 * others do would be reported.
 *
 * Everybody may fill half of a ring. While it is fuller, a user may put in half of the rest, so however many users do
 * that, the next one still finds something, until the rest is smaller than a record. What a user has put in counts
 * until as many bytes as the ring has were read. Root has no limit. A user who creates user namespaces has one share
 * (Share.h). A record counts for the user of the current task, except for what a peer can cause: connections that a
 * user, even root, accepts and closes, and datagrams, have a share of their own, and connections that fail, which
 * happens in interrupts, have one share altogether. Those shares, and that of kernel threads, end at three quarters of
 * the ring, because one user can use up several of them.
 *
 * A program looks how full a ring is with each eighth record of a slot and with each large one, and, while the ring is
 * crowded, with each record. Waking the reader a few records late does no harm.
 */
#ifndef EBPF_CORE_RING_H
#define EBPF_CORE_RING_H

#include "Share.h"

#define RING_USERS 1024

struct ring_map {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4 << 20);
};

#define RING_PEERS EBPF_RING_COUNT /* added to the number of a ring: what peers cause there */
#define RING_LARGE 1024            /* bytes of a record that is looked at */

/* A user, and for what: the number of a ring, and RING_PEERS or 0. */
struct ring_user {
    u32 uid;
    u32 what;
};

/* What a user has put in. The user who has been idle for longest is evicted, and its share then begins anew. */
struct ring_share {
    u64 bytes;
    u64 round; /* how often the ring had been read from end to end at that time */
};

struct ring_users_map {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, RING_USERS);
    __type(key, struct ring_user);
    __type(value, struct ring_share);
};

extern struct ring_map ring_main SEC(".maps");
extern struct ring_map ring_bulk SEC(".maps");
extern struct ring_users_map ring_users SEC(".maps");

/*
 * Look how full a ring is, before a record of that type and length is put into it. Returns the flags for that, or a
 * negative number if the user of the record has used up its share. In Ring.bpf.c.
 */
extern int ring__look(u32 ring, u32 type, u32 len);

#endif
