/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Udp.h - what the programs at the ends of calls that write to files do if the file is a UDP socket. */
#ifndef EBPF_CORE_UDP_H
#define EBPF_CORE_UDP_H

#include "Slot.h"
#include "Syscall.h"

/* Count a datagram that was sent by a UDP socket, given as a descriptor; in Network/DatagramCalls.bpf.c. */
extern int datagram__written(u32 fd, u64 bytes);

static __always_inline bool sock__is_udp_at(struct sock *sk)
{
    u32 family = BPF_CORE_READ(sk, __sk_common.skc_family);

    return (family == AF_INET || family == AF_INET6) && BPF_CORE_READ(sk, sk_protocol) == IPPROTO_UDP &&
           BPF_CORE_READ(sk, sk_type) == SOCK_DGRAM; /* not a raw socket */
}

/* Return the UDP socket that an open file at an address is, if flows are wanted; NULL if it is none. */
static __always_inline struct sock *file__udp_sock(struct file *file)
{
    struct sock *sk = event__is_called(EBPF_EVENT_NETWORK_DATAGRAM_FLOW) ? file__sock(file) : NULL;

    return sk && sock__is_udp_at(sk) ? sk : NULL;
}

/*
 * Count a datagram if the file of a descriptor is a UDP socket; return whether it is one. The program for datagrams
 * does it, which is verified once, where the kernel has tail calls in programs that call functions.
 */
static __always_inline bool call__sends_datagram(const struct syscall_end *call, u64 fd, struct file *file)
{
    if (!file__udp_sock(file))
        return false;
    if (emit_constants.has_tail_calls)
        bpf_tail_call(call->ctx, &syscall_ends, NR_sendto);
    else
        datagram__written(fd, call->ret);
    return true;
}

#endif
