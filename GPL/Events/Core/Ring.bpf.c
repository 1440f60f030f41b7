// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Ring.bpf.c - how full the rings are, and who may put records into one that is crowded; see Ring.h. */
#include "Ring.h"

struct ring_users_map ring_users SEC(".maps");

/*
 * Return whether a user may put `len` bytes into a ring that holds so many in this round, and count them. Programs that
 * do this at once for one user may put in one record more each.
 */
static __always_inline bool ring__admits(struct ring_user user, u64 round, u64 held, u32 len)
{
    struct ring_share first = {.bytes = len, .round = round}, *share;

    if (!user.uid && user.what != RING_PEERS)
        return true;
    share = bpf_map_lookup_elem(&ring_users, &user);
    if (!share) {
        bpf_map_update_elem(&ring_users, &user, &first, BPF_NOEXIST);
        return true;
    }
    if (READ_ONCE(share->round) != round) {
        WRITE_ONCE(share->round, round);
        WRITE_ONCE(share->bytes, 0);
    }
    if (held + READ_ONCE(share->bytes) + len > emit_constants.ring_bytes)
        return false;
    ATOMIC_ADD(&share->bytes, len);
    return true;
}

#define PEER_TYPES (1ULL << EBPF_EVENT_NETWORK_CONNECTION_ACCEPTED | 1ULL << EBPF_EVENT_NETWORK_CONNECTION_CLOSED)

static __always_inline struct ring_user record__user(u32 ring, u32 type)
{
    return (struct ring_user){
        .uid = type == EBPF_EVENT_NETWORK_CONNECTION_FAILED ? SHARE_FAILED : share__find_user(),
        .what = type < 64 && PEER_TYPES >> type & 1 ? RING_PEERS : ring,
    };
}

int ring__look(u32 ring, u32 type, u32 len)
{
    struct ring_state *state = &emit_runtime.rings[ring % EBPF_RING_COUNT];
    u64 held = ring == EBPF_RING_BULK ? bpf_ringbuf_query(&ring_bulk, BPF_RB_AVAIL_DATA)
                                      : bpf_ringbuf_query(&ring_main, BPF_RB_AVAIL_DATA);
    u64 is_crowded = held >= emit_constants.ring_bytes / 2;

    if (READ_ONCE(state->is_crowded) != is_crowded) {
        WRITE_ONCE(state->is_crowded, is_crowded);
        if (is_crowded)
            ATOMIC_ADD(&state->round, 1);
    }
    if (is_crowded && !ring__admits(record__user(ring, type), READ_ONCE(state->round), held, len))
        return -1;
    if (!emit_constants.wakeup_bytes)
        return 0;
    return held >= emit_constants.wakeup_bytes ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}
