// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Ring.bpf.c - how full the rings are, and who may put records into one that is crowded; see Ring.h. */
#include "Ring.h"

#define RECORD_HEAD 8 /* that the kernel puts before each record, whose length it rounds up to a multiple of 8 */

struct ring_users_map ring_users SEC(".maps");

static __always_inline u64 ring__query(u32 ring, u64 what)
{
    return ring == EBPF_RING_BULK ? bpf_ringbuf_query(&ring_bulk, what) : bpf_ringbuf_query(&ring_main, what);
}

/*
 * Return whether a user may put `len` bytes into a ring that holds so many in this round, and count them. Programs that
 * do this at once for one user may put in one record more each.
 */
static __always_inline bool ring__admits(struct ring_user user, u64 round, u64 held, u32 len)
{
    const bool is_one_of_several = user.what >= RING_PEERS || user.uid >= SHARE_KERNEL;
    u64 limit = emit_constants.ring_bytes - (is_one_of_several ? emit_constants.ring_bytes / 4 : 0);
    u64 takes = (RECORD_HEAD + len + 7) & ~7ULL;
    struct ring_share none = {.round = round}, *share;

    if (!user.uid && user.what < RING_PEERS)
        return true;
    share = bpf_map_lookup_elem(&ring_users, &user);
    if (!share) {
        bpf_map_update_elem(&ring_users, &user, &none, BPF_NOEXIST);
        share = bpf_map_lookup_elem(&ring_users, &user);
    }
    if (!share)
        return held + takes <= limit;
    if (READ_ONCE(share->round) != round) {
        WRITE_ONCE(share->round, round);
        WRITE_ONCE(share->bytes, 0);
    }
    if (held + READ_ONCE(share->bytes) + takes > limit)
        return false;
    ATOMIC_ADD(&share->bytes, takes);
    return true;
}

/* What a peer can cause. */
#define PEER_TYPES                                                                                                     \
    (1ULL << EBPF_EVENT_NETWORK_CONNECTION_ACCEPTED | 1ULL << EBPF_EVENT_NETWORK_CONNECTION_CLOSED |                   \
     1ULL << EBPF_EVENT_NETWORK_DATAGRAM_FLOW)

static __always_inline struct ring_user record__user(u32 ring, u32 type)
{
    return (struct ring_user){
        .uid = type == EBPF_EVENT_NETWORK_CONNECTION_FAILED ? SHARE_FAILED : share__find_user(),
        .what = ring + (type < 64 && PEER_TYPES >> type & 1 ? RING_PEERS : 0),
    };
}

int ring__look(u32 ring, u32 type, u32 len)
{
    u32 *is_crowded = &emit_runtime.ring_is_crowded[ring % EBPF_RING_COUNT];
    u64 held = ring__query(ring, BPF_RB_AVAIL_DATA);
    u32 crowds = held >= emit_constants.ring_bytes / 2;

    if (READ_ONCE(*is_crowded) != crowds)
        WRITE_ONCE(*is_crowded, crowds);
    if (crowds) {
        u64 round = ring__query(ring, BPF_RB_CONS_POS) / emit_constants.ring_bytes;

        if (!ring__admits(record__user(ring, type), round, held, len))
            return -1;
    }
    if (!emit_constants.wakeup_bytes)
        return 0;
    return held >= emit_constants.wakeup_bytes ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}
