/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Flows.h - the flows of datagrams of a socket, which belong to the socket.
 *
 * They are in socket storage, which the kernel allocates with the first datagram and frees with the socket: room for
 * FLOWS_FIRST at first, for FLOWS_A_SOCKET if there are more. So there is no table that others could fill. Before 5.11
 * tracing programs have no such storage, and 7.2 provides none on a CPU without cmpxchg16b; there, two hash maps
 * indexed by the address of the socket are used. Each user has a share of the first one. If the second one is full, a
 * socket keeps FLOWS_FIRST flows, and its flows age sooner.
 *
 * A flow is found without a lock, and entered under one, which belongs to the socket too. Slots are filled from the
 * first on; when all are used, a clock hand goes round and takes the first one that was not used since it last passed.
 */
#ifndef EBPF_NETWORK_FLOWS_H
#define EBPF_NETWORK_FLOWS_H

#include "Network.h"

#define FLOWS_FIRST 4 /* a resolver with two servers; with its head and the kernel's, 600 bytes */
#define FLOWS_MORE 59
#define FLOWS_A_SOCKET (FLOWS_FIRST + FLOWS_MORE)
#define FLOW_LISTS_MAX 4096
#define FLOW_MORES_MAX 128
#define FLOW_HAND_TRIES 4
#define FLOW_RECENT 2
#define LOCK_TRIES 32
#define RECENT_BITS 12
#define RECENT_NS_BITS 30 /* about a second */
#define UDP_HEADER_SIZE 8

/* Words of 64 bits; the first one differs most. */
struct flow_key {
    union {
        struct {
            u16 peer_port, local_port; /* network byte order */
            u32 direction;             /* 0: no flow */
        };
        u64 word; /* the ports and the direction, which are written at once */
    };
    struct ebpf_ip peer, local;
};

struct flow {
    struct flow_key key;
    u64 datagrams, bytes;
    u64 since;       /* boot time, ns */
    u32 is_filtered; /* the process of its first datagram is */
    u16 was_used;    /* since the hand last passed */
    u16 from_caller; /* the caller's memory had the peer */
    struct ebpf_pid_info owner;
    char comm[EBPF_COMM_LEN];
};

struct flow_list {
    u64 lock;   /* see Claim.h */
    u64 socket; /* inode number, if the list is in a hash map; see flow_list__by_address */
    u32 count;
    u32 hand;
    u32 net_ns;
    u32 slot; /* see flow_list__choose */
    u32 puts; /* flows so far; `recent` has the slots of the last ones */
    u16 recent[FLOW_RECENT];
    u32 uid; /* the user whose share of a hash map it uses */
    u32 reserved;
    struct flow flows[FLOWS_FIRST];
};

struct flow_more {
    struct flow flows[FLOWS_MORE];
};

/* A copy of both, in a scratch slot. */
struct flows_copy {
    u64 net_ns;
    struct flow flows[FLOWS_A_SOCKET];
};

_Static_assert(sizeof(struct flows_copy) <= SCRATCH_DATA, "the flows of a socket are copied to a slot");

struct flow_lists_map {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct flow_list);
};

struct flow_mores_map {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct flow_more);
};

/* Used if the kernel has no socket storage, or the programs cannot use it. */
struct flow_lists_by_sk_map {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, FLOW_LISTS_MAX);
    __type(key, u64);
    __type(value, struct flow_list);
};

struct flow_mores_by_sk_map {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, FLOW_MORES_MAX);
    __type(key, u64);
    __type(value, struct flow_more);
};

/* The initial value of an entry of a hash map, which is too large for the stack. */
struct flow_none_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct flow_more);
};

/* Untracked flows that were reported in this second. */
struct flow_recent_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1 << RECENT_BITS);
    __type(key, u32);
    __type(value, u64);
};

extern struct flow_lists_map flow_lists SEC(".maps");
extern struct flow_mores_map flow_mores SEC(".maps");
extern struct flow_lists_by_sk_map flow_lists_by_sk SEC(".maps");
extern struct flow_mores_by_sk_map flow_mores_by_sk SEC(".maps");
extern struct share_map flow_users SEC(".maps"); /* the number of sockets of each user in them */
extern struct flow_none_map flow_none SEC(".maps");
extern struct flow_recent_map flow_recent SEC(".maps");

/* ----------------------------------------------------------- hash maps */

/* Return the inode number of a socket; unlike its address, no later socket has it. */
static __always_inline u64 sock__inode_number(bool typed, struct sock *sk)
{
    struct socket *socket = sock__socket(typed, sk);
    struct file *file = socket ? KREAD(typed, socket, file) : NULL;

    return file ? compat__inode_number_at(KREAD(typed, file, f_inode)) : 0;
}

/* Begin a list that is new, or that belonged to a socket whose close was not seen. */
static __always_inline void flow_list__begin(struct flow_list *list, u64 address, u64 inode)
{
    list->socket = inode;
    list->count = 0;
    for (int i = 0; i < FLOWS_FIRST; i++)
        *(u64 *)&list->flows[i].key = 0;
    bpf_map_delete_elem(&flow_mores_by_sk, &address);
}

static __always_inline struct flow_list *flow_list__make(u64 address)
{
    u32 none = 0, uid = share__user();
    void *empty = bpf_map_lookup_elem(&flow_none, &none);
    struct flow_list *list;
    bool is_made;

    if (!empty || !share__take(&flow_users, uid, FLOW_LISTS_MAX))
        return NULL;
    is_made = !bpf_map_update_elem(&flow_lists_by_sk, &address, empty, BPF_NOEXIST);
    list = bpf_map_lookup_elem(&flow_lists_by_sk, &address);
    if (is_made && list)
        list->uid = uid;
    else
        share__give_back(&flow_users, uid);
    return list;
}

static __always_inline struct flow_list *flow_list__by_address(bool typed, struct sock *sk, bool make)
{
    u64 address = sock__address(sk), inode = sock__inode_number(typed, sk);
    struct flow_list *list = bpf_map_lookup_elem(&flow_lists_by_sk, &address);

    if (!list && make)
        list = flow_list__make(address);
    if (list && list->socket != inode)
        flow_list__begin(list, address, inode);
    return list;
}

static __always_inline struct flow_more *flow_more__by_address(struct sock *sk, bool make)
{
    u64 address = sock__address(sk);
    u32 none = 0;
    void *empty = make ? bpf_map_lookup_elem(&flow_none, &none) : NULL;

    if (empty)
        bpf_map_update_elem(&flow_mores_by_sk, &address, empty, BPF_NOEXIST);
    return bpf_map_lookup_elem(&flow_mores_by_sk, &address);
}

/* --------------------------------------------------------------- slots */

/*
 * The storage of a socket takes a pointer with a type, which a kprobe does not give; nor does a descriptor. `typed`, of
 * all programs that are used together or of none: the pointers to sockets have one.
 */
static __always_inline bool flows__have_storage(bool typed)
{
    return typed && emit_constants.sk_storage && !emit_constants.untyped;
}

/* Return the list of a socket; NULL if there is none, and, with `make`, none could be allocated. */
static __always_inline struct flow_list *flow_list__of(bool typed, struct sock *sk, bool make)
{
    if (flows__have_storage(typed))
        return bpf_sk_storage_get(&flow_lists, sk, NULL, make ? BPF_SK_STORAGE_GET_F_CREATE : 0);
    return flow_list__by_address(typed, sk, make);
}

/* Return the further slots of a list, if it has any. */
static __always_inline struct flow_more *flow_more__of(bool typed, struct sock *sk, const struct flow_list *list,
                                                       bool make)
{
    if (!make && list->count <= FLOWS_FIRST)
        return NULL;
    if (flows__have_storage(typed))
        return bpf_sk_storage_get(&flow_mores, sk, NULL, make ? BPF_SK_STORAGE_GET_F_CREATE : 0);
    return flow_more__by_address(sk, make);
}

/* Remove the list of a socket that is closed. Socket storage is freed with the socket. */
static __always_inline void flow_list__forget(bool typed, struct sock *sk)
{
    if (flows__have_storage(typed))
        return;
    u64 address = sock__address(sk);
    struct flow_list *list = bpf_map_lookup_elem(&flow_lists_by_sk, &address);
    u32 uid = list ? list->uid : 0;

    bpf_map_delete_elem(&flow_mores_by_sk, &address);
    if (list && !bpf_map_delete_elem(&flow_lists_by_sk, &address))
        share__give_back(&flow_users, uid);
}

static __always_inline bool flow_list__lock(struct flow_list *list)
{
    return claim__spin(&list->lock, LOCK_TRIES);
}

static __always_inline void flow_list__unlock(struct flow_list *list)
{
    claim__release(&list->lock);
}

static __always_inline bool flow_key__is(const struct flow_key *one, const struct flow_key *other)
{
    const u64 *a = (const void *)one, *b = (const void *)other;

    return a[0] == b[0] && !((a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4]));
}

#define FLOW_NO_SLOT FLOWS_A_SOCKET

/* Adding a number that the verifier does not know keeps it from checking the following code once for each slot. */
#define FLOW_SEARCH(flows_, count_, first_slot, key_)                                                                  \
    ({                                                                                                                 \
        u32 slot_ = FLOW_NO_SLOT;                                                                                      \
                                                                                                                       \
        for (u32 i_ = 0; i_ < (count_); i_++) {                                                                        \
            if (flow_key__is(&(flows_)[i_].key, key_)) {                                                               \
                slot_ = (first_slot) + i_ + emit_runtime.zero;                                                         \
                break;                                                                                                 \
            }                                                                                                          \
        }                                                                                                              \
        slot_;                                                                                                         \
    })

/* Return the slot of a flow, FLOW_NO_SLOT if it has none. */
static __always_inline u32 flow_list__search(const struct flow_list *list, const struct flow_more *more,
                                             const struct flow_key *key)
{
    u32 slot = FLOW_SEARCH(list->flows, FLOWS_FIRST, 0, key);

    if (slot == FLOW_NO_SLOT && more)
        slot = FLOW_SEARCH(more->flows, FLOWS_MORE, FLOWS_FIRST, key);
    return slot;
}

static __always_inline void flow__count(struct flow *flow, u64 datagrams, u64 bytes, bool from_caller)
{
    flow->was_used = 1;
    if (from_caller)
        flow->from_caller = 1;
    ATOMIC_ADD(&flow->datagrams, datagrams);
    ATOMIC_ADD(&flow->bytes, bytes);
}

/*
 * Element `i` of an array, NULL beyond its end. The compiler multiplies the very value that the verifier saw compared.
 */
#define FLOW_AT(flows_, count_, i_)                                                                                    \
    ({                                                                                                                 \
        struct flow *at_ = NULL;                                                                                       \
        u64 n_ = (i_);                                                                                                 \
                                                                                                                       \
        BARRIER(n_);                                                                                                   \
        if (n_ < (count_)) {                                                                                           \
            BARRIER(n_);                                                                                               \
            at_ = &(flows_)[n_];                                                                                       \
        }                                                                                                              \
        BARRIER(at_); /* or it would be kept in two parts, of which one may be undefined */                            \
        at_;                                                                                                           \
    })

/* Return the flow in a slot; NULL if the socket has no room for so many. */
static __always_inline struct flow *flow_list__at(struct flow_list *list, struct flow_more *more, u32 slot)
{
    if (slot < FLOWS_FIRST)
        return FLOW_AT(list->flows, FLOWS_FIRST, slot);
    return more ? FLOW_AT(more->flows, FLOWS_MORE, slot - FLOWS_FIRST) : NULL;
}

/*
 * Return the slot for a new flow. It goes through memory, because the verifier would otherwise check the following code
 * once for each slot.
 */
static __always_inline u32 flow_list__choose(struct flow_list *list, struct flow_more *more)
{
    u32 room = more ? FLOWS_A_SOCKET : FLOWS_FIRST;

    list->slot = list->count;
    if (list->count < room) {
        list->count++;
        return READ_ONCE(list->slot);
    }
    for (int i = 0; i < FLOW_HAND_TRIES; i++) {
        u32 slot = READ_ONCE(list->hand);

        list->hand = slot + 1 < room ? slot + 1 : 0;
        list->slot = slot;
        struct flow *flow = flow_list__at(list, more, slot);

        if (!flow || !flow->was_used)
            break;
        flow->was_used = 0;
    }
    return READ_ONCE(list->slot);
}

/* Return the flow if another thread has entered it since there were `puts`. */
static __always_inline struct flow *flow_list__find_since(struct flow_list *list, struct flow_more *more, u32 puts,
                                                          const struct flow_key *key)
{
    for (u32 n = list->puts, i = 0; i < FLOW_RECENT && n != puts; i++) {
        struct flow *flow = flow_list__at(list, more, list->recent[--n % FLOW_RECENT]);

        if (flow && flow_key__is(&flow->key, key))
            return flow;
    }
    return NULL;
}

/* Put a flow into a slot, and copy its previous flow to `aged`, which is empty. */
static __always_inline void flow_list__put(bool typed, struct sock *sk, struct flow_list *list, const struct flow *flow,
                                           struct flow *aged)
{
    struct flow_more *more = flow_more__of(typed, sk, list, list->count >= FLOWS_FIRST);
    u32 slot = flow_list__choose(list, more);
    struct flow *at = flow_list__at(list, more, slot);

    if (!at)
        return;
    list->recent[list->puts++ % FLOW_RECENT] = slot;
    *aged = *at;
    WRITE_ONCE(at->key.word, 0); /* no lookup finds it until it is complete */
    at->key.peer = flow->key.peer;
    at->key.local = flow->key.local;
    at->datagrams = flow->datagrams;
    at->bytes = flow->bytes;
    at->since = flow->since;
    at->is_filtered = flow->is_filtered;
    at->was_used = 0;
    at->from_caller = flow->from_caller;
    at->owner = flow->owner;
    __builtin_memcpy(at->comm, flow->comm, EBPF_COMM_LEN);
    WRITE_ONCE(at->key.word, flow->key.word);
}

/* Return whether an untracked flow was already reported in this second, and remember it. */
static __always_inline bool flow__was_reported_lately(struct sock *sk, const struct flow_key *key)
{
    const u64 *words = (const void *)key;
    u64 hash = (sock__address(sk) ^ bpf_ktime_get_boot_ns() >> RECENT_NS_BITS << 48) * HASH_FACTOR;

    for (int i = 0; i < 5; i++)
        hash = (hash ^ hash >> 32 ^ words[i]) * HASH_FACTOR;
    u64 *recent = table__slot(&flow_recent, 1 << RECENT_BITS, hash >> (64 - RECENT_BITS));

    if (!recent)
        return false;
    if (*recent == hash)
        return true;
    *recent = hash;
    return false;
}

#endif
