/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sockets.h - the process that opened or accepted a TCP connection, and how the connection ended, stored until then.
 *
 * Most entries are in a table of fixed size. A connection has eight slots there, which follow from its addresses, and
 * claims one (Claim.h) for a hundred instructions. If all are taken, because there are so many connections or because
 * an attacker has filled them, the entry is in the storage of the socket, for 1,300 to 2,500 instructions. If the
 * kernel has no such storage, the entry is in a hash map in which each user has a share. That map also serves
 * connections of MPTCP and those that a socket of SMC has accepted, because programs that are given such a socket have
 * only the address of the TCP socket below it. So a process that fills the table makes others slower, and hides
 * nothing. A connection that finds no room at all is marked `untracked` in its event, and its end is reported by what
 * can be seen then (emit_runtime.sockets_untracked). That is nothing for a connection of MPTCP or SMC that has ended
 * before it is closed.
 *
 * An entry stays until the kernel destroys the socket (tcp_destroy_sock), even if its end has been reported, its
 * attempt has failed, or the socket is disconnected. The kernel may reuse the address of a socket, so an entry belongs
 * only to a socket with its ports and peer. If the kernel has skipped the program that frees the entry (on PREEMPT_RT,
 * where that program can be preempted too), the next connection that looks for a slot finds that the socket is gone.
 *
 * A process can close a connection at the very moment at which an interrupt ends it on another CPU. The one that takes
 * the entry (socket__take) reports it.
 */
#ifndef EBPF_CORE_SOCKETS_H
#define EBPF_CORE_SOCKETS_H

#include "CompatNet.h"
#include "Select.h"
#include "Share.h"
#include "Spare.h"
#include "Table.h"
#include "Task.h"

#define SOCKETS_BITS 14
#define SOCKETS_MAX (1 << SOCKETS_BITS)
#define SOCKETS_TRIES 8
#define SOCKETS_MORE 8192 /* entries for connections that find no slot, and have no storage */

enum socket_role {
    SOCKET_OPENED = 1,
    SOCKET_ACCEPTED,
    SOCKET_OPENING, /* being opened, and the attempt is not reported yet; see Network/Opening.bpf.c */
    SOCKET_FOUND,   /* established before the probes were attached: only its end is known */
};

/* Where an entry is stored. */
enum socket_home {
    SOCKET_IN_TABLE,
    SOCKET_IN_STORAGE,
    SOCKET_IN_SHARE, /* in sockets_more, counted as a user's */
};

struct socket_entry {
    u64 sk; /* struct sock; 0: free */
    u64 claims;
    u64 lock;  /* a try-lock as well */
    u64 since; /* boot time, ns */
    u64 ends;  /* ports and peer */
    u16 role;
    u16 fate;        /* fate of its attempt or accept */
    u16 is_reported; /* its end is reported */
    u16 ended_in;    /* TCP state in which the connection ended; 0: it has not */
    u16 error;       /* of the socket, at that time */
    u16 home;
    u32 uid; /* user whose share it takes */
    struct ebpf_pid_info owner;
    char comm[EBPF_COMM_LEN];
};

struct sockets_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, SOCKETS_MAX);
    __type(key, u32);
    __type(value, struct socket_entry);
};

/* For connections that find no slot in the table. */
struct socket_storage_map {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct socket_entry);
};

struct sockets_more_map {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, SOCKETS_MORE);
    __type(key, u64);
    __type(value, struct socket_entry);
};

extern struct sockets_map sockets SEC(".maps");
extern struct socket_storage_map socket_storage SEC(".maps");
extern struct sockets_more_map sockets_more SEC(".maps");
extern struct share_map socket_users SEC(".maps");

static __always_inline u64 socket__ends_of(u16 sport, u16 dport, u32 daddr)
{
    return (u64)sport << 48 | (u64)dport << 32 | daddr;
}

/* Return both ports and the last word of the peer's address, which stay until the socket is used again. */
static __always_inline u64 socket__ends_at(bool typed, struct sock *sk, u16 sport)
{
    u32 daddr = KREAD(typed, sk, __sk_common.skc_family) == AF_INET6
                    ? KREAD(typed, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr32[3])
                    : KREAD(typed, sk, __sk_common.skc_daddr);

    return socket__ends_of(sport, KREAD(typed, sk, __sk_common.skc_dport), daddr);
}

static __always_inline u64 socket__ends(struct sock *sk, u16 sport)
{
    return socket__ends_at(true, sk, sport);
}

/* FOR_EACH_SLOT for the slots of a connection. */
#define FOR_EACH_SOCKET_SLOT(e, n, ends)                                                                               \
    FOR_EACH_SLOT(e, n, &sockets, SOCKETS_MAX, hash__of(ends, SOCKETS_BITS), SOCKETS_TRIES)

/* Return the entry of a connection in the table; NULL if it has none there. */
static __always_inline struct socket_entry *socket__find_in_table(const struct sock *sk, u64 ends)
{
    struct socket_entry *e;

    FOR_EACH_SOCKET_SLOT(e, n, ends) {
        if (e->sk == (u64)sk && e->ends == ends)
            return e;
    }
    return NULL;
}

/* Create and delete an entry of sockets_more; in Sockets.bpf.c. */
extern int socket__make_share(u64 address);
extern int socket__drop_share(u64 address, u32 uid);

/*
 * Return the entry of a connection that has no slot in the table. `keeper` is its socket, typed, for that socket's
 * storage; NULL for a connection of MPTCP or SMC. bpf_skc_to_mptcp_sock would give the socket of MPTCP as keeper, but
 * takes no pointer that tracing programs have (6.1 to 7.2).
 */
static __always_inline struct socket_entry *socket__more(struct sock *sk, struct sock *keeper, bool make)
{
    u64 address = sock__address(sk);
    struct socket_entry *shared = bpf_map_lookup_elem(&sockets_more, &address);

    if (!keeper || !emit_constants.sk_storage) {
        if (shared || !make || socket__make_share(address))
            return shared;
        return bpf_map_lookup_elem(&sockets_more, &address);
    }
    struct socket_entry *e =
        bpf_sk_storage_get(&socket_storage, keeper, NULL, make || shared ? BPF_SK_STORAGE_GET_F_CREATE : 0);

    if (e && shared) { /* a connection of SMC, whose socket is known now */
        *e = *shared;
        socket__drop_share(address, e->uid);
    }
    if (e)
        e->home = SOCKET_IN_STORAGE;
    return e;
}

/* Return the entry of a connection, wherever it is. For `keeper` see socket__more. */
static __always_inline struct socket_entry *socket__find_entry(struct sock *sk, struct sock *keeper, u64 ends)
{
    struct socket_entry *e = socket__find_in_table(sk, ends);

    if (e || !emit_runtime.sockets_more)
        return e;
    e = socket__more(sk, keeper, false);
    return e && e->sk && e->ends == ends ? e : NULL;
}

/* Return the entry of a connection that is not MPTCP's. Without sockets_more, where there is storage. */
static __always_inline struct socket_entry *socket__find(struct sock *sk, u64 ends)
{
    __builtin_assume(sk != NULL);
    return socket__find_entry(sk, sk, ends);
}

static __always_inline void socket__forget(struct socket_entry *e)
{
    u64 address = READ_ONCE(e->sk); /* or the compiler uses the typed pointer that it was compared with */

    e->sk = 0;
    if (e->home == SOCKET_IN_TABLE)
        claim__release(&e->claims);
    else if (e->home == SOCKET_IN_SHARE)
        socket__drop_share(address, e->uid);
}

#define SOCKET_LOCK_TRIES 32

/*
 * Take an entry, to report its end. If several programs try at the same moment, one gets it. Returns false to the
 * others, and if the entry belongs to another connection by now.
 */
static __always_inline bool socket__take(struct socket_entry *e, const struct sock *sk, u64 ends)
{
    bool is_taken = false;

    if (claim__spin(&e->lock, SOCKET_LOCK_TRIES)) {
        is_taken = e->sk == (u64)sk && e->ends == ends && !e->is_reported;
        if (is_taken)
            e->is_reported = 1;
        claim__release(&e->lock);
    }
    return is_taken;
}

/* Return whether the socket of an entry is gone, or has become another connection's. */
static __always_inline bool socket__is_gone(u64 address, u64 ends)
{
    struct inet_sock *inet = (void *)address;
    struct sock *sk = (void *)address;

    return !BPF_CORE_READ(sk, __sk_common.skc_refcnt.refs.counter) ||
           ends != socket__ends_at(false, sk, BPF_CORE_READ(inet, inet_sport));
}

/*
 * Take the slot of a connection whose end was not seen, for the socket at `address`. Returns which of its slots, or a
 * negative number. In Sockets.bpf.c.
 */
extern int socket__take_over(u64 address, u64 ends);

/*
 * Claim an entry for a connection. An entry that the socket still has from an earlier connection is taken over. Returns
 * NULL, and counts the connection as untracked, if there is no room.
 */
static __always_inline struct socket_entry *socket__claim(struct sock *sk, struct sock *keeper, u64 ends)
{
    struct socket_entry *e;

    FOR_EACH_SOCKET_SLOT(e, n, ends) {
        if (e->sk == (u64)sk || (!e->sk && claim__try(&e->claims)))
            return e;
    }
    int n = socket__take_over(sock__address(sk), ends);

    if (n >= 0)
        return table__slot(&sockets, SOCKETS_MAX, hash__of(ends, SOCKETS_BITS) + n);
    emit_runtime.sockets_more = 1;
    e = socket__more(sk, keeper, true);
    if (!e)
        COUNT(emit_runtime.sockets_untracked);
    return e;
}

/*
 * Store a connection that has begun just now, with the current task as its owner, unless the role is SOCKET_FOUND. For
 * `keeper` see socket__more.
 */
static __always_inline struct socket_entry *socket__track(bool typed, struct sock *sk, struct sock *keeper, u64 ends,
                                                          enum socket_role role, enum fate fate, u64 now)
{
    struct socket_entry *e = socket__claim(sk, keeper, ends);

    if (!e)
        return NULL;
    e->sk = (u64)sk;
    e->ends = ends;
    e->role = role;
    e->ended_in = 0;
    e->error = 0;
    e->is_reported = 0;
    e->fate = fate;
    e->since = now;
    if (role != SOCKET_FOUND) {
        WITH_CURRENT(task, typed, {
            pid_info__fill(&e->owner, typed, task);
            kernel__copy(typed, e->comm, task->comm, EBPF_COMM_LEN);
        });
    }
    return e;
}

/* Store a connection that is not MPTCP's, and is older than the probes. */
static __always_inline struct socket_entry *socket__track_found(struct sock *sk, u64 ends)
{
    __builtin_assume(sk != NULL);
    return socket__track(true, sk, sk, ends, SOCKET_FOUND, FATE_MADE, bpf_ktime_get_boot_ns());
}

#endif
