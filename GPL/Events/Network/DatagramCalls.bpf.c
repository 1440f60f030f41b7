// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * DatagramCalls.bpf.c - NETWORK_DATAGRAM_FLOW where no hook has the datagrams: from the ends of the calls that send and
 * receive, and of requests of io_uring.
 *
 * The socket has its own ends, and the peer if it is connected. Else the peer is where the caller passed it, or had the
 * kernel put it; another thread may have changed it since, so such a flow is flagged (peer_from_caller). A call that
 * receives and asks for no address leaves the peer unknown: zero. A socket that is bound to no address has none here.
 *
 * A datagram that is sent in pieces counts with its last one. One that the caller has no room for counts with what he
 * got. The flows are kept by the address of the socket, since a descriptor leads to no pointer with a type. They end
 * where the kernel asks the programs of cgroups about a socket that is released; on a kernel that refuses such a
 * program a flow has no end: it is reported as untracked, at most once a second.
 *
 * Misses: requests of io_uring before 5.18, and those that complete more than once (multishot); what a vector of no
 * bytes receives. What aio does on a socket, what splice takes from one, and requests that report no success count as
 * lost.
 */
#include "../Core/Udp.h"
#include "Datagrams.h"

#define MSG_PEEK 0x2
#define MSG_PROBE 0x10
#define MSG_ERRQUEUE 0x2000
#define MSG_CMSG_COMPAT 0x80000000 /* a request's struct msghdr has pointers of 32 bits */
#define RCV_SHUTDOWN 1
#define NOT_SENT MSG_PROBE
#define NOT_TAKEN (MSG_PEEK | MSG_ERRQUEUE)
#define MESSAGES_INNER 32
#define MESSAGES_OUTER 32 /* 1,024 in all: the kernel's limit for one call */

/* An address of a peer, as calls take and return it. */
struct peer_address {
    u16 family, port;
    u32 v4_or_flow;
    struct ebpf_ip v6;
};

/* Read the peer at an address in the caller's memory. Return false if there is none. */
static __always_inline bool peer__read(struct flow_key *key, u64 name, bool is_v6)
{
    struct peer_address peer = {};

    if (!name || bpf_probe_read_user(&peer, 8, (void *)name))
        return false;
    if (is_v6 && peer.family == AF_INET6) {
        bpf_probe_read_user(&peer.v6, sizeof(peer.v6), (void *)(name + 8));
        key->peer = peer.v6;
    } else if (!is_v6 || peer.family == AF_INET) {
        ip__set_v4(&key->peer, peer.v4_or_flow);
    } else {
        return false;
    }
    key->peer_port = peer.port;
    return true;
}

/* Fill in the ends that the socket has. */
static __always_inline void flow_key__fill(struct flow_key *key, struct sock *sk, bool is_v6)
{
    key->local_port = sock__sport_at(sk);
    key->peer_port = BPF_CORE_READ(sk, __sk_common.skc_dport);
    if (is_v6) {
        kernel__copy(false, &key->local, &sk->__sk_common.skc_v6_rcv_saddr, sizeof(key->local));
        kernel__copy(false, &key->peer, &sk->__sk_common.skc_v6_daddr, sizeof(key->peer));
    } else {
        ip__set_v4(&key->local, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
        ip__set_v4(&key->peer, BPF_CORE_READ(sk, __sk_common.skc_daddr));
    }
}

static __always_inline bool ip__is_any(const struct ebpf_ip *ip)
{
    return !(ip->words[0] | ip->words[1] | ip->words[2] | ip->words[3]);
}

/*
 * Where a message is, and what it is: a direction, whether a struct msghdr has pointers of 32 bits, whether it is
 * followed by the number of its bytes (struct mmsghdr), and the descriptor. A function that is verified once takes five
 * arguments.
 */
#define HOW_DIRECTION 0xff
#define HOW_OF_32_BITS 0x100
#define HOW_HAS_LENGTH 0x200
#define HOW_FD_SHIFT 32
#define FD_NONE 0xffffffff /* of a request, which keeps its file open */

static __always_inline u64 how__of(u32 direction, u32 fd)
{
    return direction | (u64)fd << HOW_FD_SHIFT;
}

/*
 * Return whether a socket may have been closed since its address was read: another thread has closed the descriptor. It
 * does so before the socket ends, so flows that are kept after this check are removed at that end.
 */
static __always_inline bool sock__may_be_closed(struct sock *sk, u64 how)
{
    u32 fd = how >> HOW_FD_SHIFT;

    return fd != FD_NONE && fd__sock(fd) != sk;
}

/* Forget the only flow of such a socket. If it has others, it was alive when they were found. */
static __always_inline void flow_list__forget_only(struct sock *sk)
{
    struct flow_list *list = flow_list__of(false, sk, false);

    if (list && list->count <= 1)
        flow_list__forget(false, sk);
}

/* Count what was sent or received by a call on a UDP socket. `name`: of the peer, in the caller's memory, or 0. */
__attribute__((noinline)) int datagram__called(u64 address, u64 name, u64 bytes, u64 how)
{
    struct udp_sock *udp = (void *)address;
    struct sock *sk = (void *)address;
    u32 direction = how & HOW_DIRECTION;
    struct flow_key key = {.direction = direction};
    bool is_v6 = BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET6, from_caller = false;
    u64 datagrams = 1;

    flow_key__fill(&key, sk, is_v6);
    if (direction == EBPF_DIRECTION_SENT || !key.peer_port)
        from_caller = peer__read(&key, name, is_v6);
    from_caller |= direction == EBPF_DIRECTION_SENT && !key.peer_port; /* it could not be read there any more */
    if (ip__is_v4(&key.peer) && ip__is_any(&key.local))
        ip__set_v4(&key.local, 0);
    if (direction == EBPF_DIRECTION_SENT)
        datagrams = BPF_CORE_READ(udp, pending) ? 0 : payload__datagrams(bytes, BPF_CORE_READ(udp, gso_size));
    flow_key__launder(&key);
    if (datagrams__count(false, sk, &key, datagrams, bytes, from_caller) && sock__may_be_closed(sk, how))
        flow_list__forget_only(sk);
    return 0;
}

/* The beginning of a struct msghdr, as the caller has it. */
struct message_name {
    u64 name;
    u32 len;
};

struct message_name_32 {
    u32 name, len;
};

#define MESSAGE_BYTES 56
#define MESSAGE_BYTES_32 28

/* Likewise for a struct msghdr. */
__attribute__((noinline)) int datagram__of_message(u64 address, u64 message, u64 bytes, u64 how)
{
    struct message_name of_64 = {};
    struct message_name_32 of_32 = {};
    u32 len = bytes, header = how & HOW_OF_32_BITS ? MESSAGE_BYTES_32 : MESSAGE_BYTES;

    if (how & HOW_OF_32_BITS) {
        bpf_probe_read_user(&of_32, sizeof(of_32), (void *)message);
        of_64.name = of_32.name;
        of_64.len = of_32.len;
    } else {
        bpf_probe_read_user(&of_64, sizeof(of_64), (void *)message);
    }
    if (how & HOW_HAS_LENGTH)
        bpf_probe_read_user(&len, sizeof(len), (void *)(message + header));
    return datagram__called(address, of_64.len ? of_64.name : 0, len, how);
}

/* Likewise for some of an array of struct mmsghdr. */
__attribute__((noinline)) int datagram__of_messages(u64 address, u64 messages, u32 count, u64 how)
{
    u32 size = how & HOW_OF_32_BITS ? MESSAGE_BYTES_32 + 4 : MESSAGE_BYTES + 8;

    for (u32 n = 0; n < MESSAGES_INNER && n < count; n++)
        datagram__of_message(address, messages + n * size, 0, how | HOW_HAS_LENGTH);
    return 0;
}

/* Return where the caller has the peer's address, for a call that may take it as an argument; 0 if it has none. */
static __always_inline u64 call__peer(const struct syscall_end *call)
{
    u32 socketcall = call->vector ? (u32)SYSCALL_ARG_32(call->regs, 1) : 0;

    if (!(call->form.what & PEER_IN_ARGUMENT) || socketcall == SOCKETCALL_SEND || socketcall == SOCKETCALL_RECV)
        return 0;
    return syscall__arg(call, 5);
}

static __always_inline int messages__called(const struct syscall_end *call, struct sock *sk, u64 how)
{
    bool is_32 = call->is_32 || call->form.what & POINTERS_OF_32_BITS;
    u32 count = call->ret;
    u64 message = syscall__arg(call, 2), size = is_32 ? MESSAGE_BYTES_32 + 4 : MESSAGE_BYTES + 8;

    how = scalar__hide(how | (is_32 ? HOW_OF_32_BITS : 0));
    if (call->form.what & PEER_IN_MESSAGE)
        return datagram__of_message((u64)sk, message, call->ret, how);
    for (u32 n = 0; n < MESSAGES_OUTER && n * MESSAGES_INNER < count; n++)
        datagram__of_messages((u64)sk, message + n * MESSAGES_INNER * size, count - n * MESSAGES_INNER, how);
    return 0;
}

#define PEER_SOMEWHERE (PEER_IN_ARGUMENT | PEER_IN_MESSAGE | PEER_IN_MESSAGES)

/*
 * The calls that write to files come here by way of their own programs, if the file is a socket. A read of no bytes
 * takes no datagram. One that returns none may have taken one without payload; it is not counted.
 */
SYSCALL_END(datagram, call)
{
    u32 fd = syscall__arg(call, call->form.fd), what = call->form.what;
    bool receives = what & RECEIVES;
    struct sock *sk = call->ret >= 0 || call->ret == -EFAULT ? file__udp_sock(fd__file(fd)) : NULL;
    bool has_flags = call->form.extra && what != COPIES_BYTES; /* of splice, that argument is a descriptor */
    u32 flags = sk && has_flags ? syscall__arg(call, call->form.extra) : 0;
    u64 how = how__of(receives ? EBPF_DIRECTION_RECEIVED : EBPF_DIRECTION_SENT, fd);

    if (sk && call->ret < 0) { /* sent or received, but the caller's memory cannot be written */
        count__unreadable(EBPF_EVENT_NETWORK_DATAGRAM_FLOW);
        return 0;
    }
    if (!sk || flags & (receives ? NOT_TAKEN : NOT_SENT) ||
        (!call->ret && receives && (!(what & PEER_SOMEWHERE) || BPF_CORE_READ(sk, sk_shutdown) & RCV_SHUTDOWN)))
        return 0;
    if (what & (PEER_IN_MESSAGE | PEER_IN_MESSAGES))
        return messages__called(call, sk, how);
    return datagram__called((u64)sk, call__peer(call), call->ret, how);
}

int datagram__written(u32 fd, u64 bytes)
{
    struct sock *sk = file__udp_sock(fd__file(fd));

    return sk ? datagram__called((u64)sk, 0, bytes, how__of(EBPF_DIRECTION_SENT, fd)) : 0;
}

/* ----------------------------------------------------------------- io_uring */

/* A request to send or receive whose operands are not known counts as lost. */
static __always_inline int uring__datagram(const struct uring_end *end, struct sock *sk, u32 direction, bool is_message)
{
    bool is_sent = direction == EBPF_DIRECTION_SENT;
    struct io_sr_msg *operands = compat__send_operands(end->req);

    if (!operands) {
        count__unreadable(EBPF_EVENT_NETWORK_DATAGRAM_FLOW);
        return 0;
    }
    u32 flags = BPF_CORE_READ(operands, msg_flags);
    u64 how = how__of(direction, FD_NONE) | (flags & MSG_CMSG_COMPAT ? HOW_OF_32_BITS : 0);

    if (flags & (is_sent ? NOT_SENT : NOT_TAKEN))
        return 0;
    if (is_message)
        return datagram__of_message((u64)sk, (u64)BPF_CORE_READ(operands, umsg), end->res, how);
    return datagram__called((u64)sk, is_sent ? compat__send_address(operands) : 0, end->res, how);
}

URING_END(datagram, end)
{
    struct io_kiocb *req = end->req;
    struct sock *sk = end->res >= 0 ? file__udp_sock(BPF_CORE_READ(req, file)) : NULL;
    const u64 sent = how__of(EBPF_DIRECTION_SENT, FD_NONE), received = how__of(EBPF_DIRECTION_RECEIVED, FD_NONE);

    if (!sk)
        return 0;
    if (compat__is_writev_fixed(end->opcode))
        return datagram__called((u64)sk, 0, end->res, sent);
    switch (end->opcode) {
    case IORING_OP_SENDMSG:
    case IORING_OP_SENDMSG_ZC:
        return uring__datagram(end, sk, EBPF_DIRECTION_SENT, true);
    case IORING_OP_SEND:
    case IORING_OP_SEND_ZC:
        return uring__datagram(end, sk, EBPF_DIRECTION_SENT, false);
    case IORING_OP_RECVMSG:
        return uring__datagram(end, sk, EBPF_DIRECTION_RECEIVED, true);
    case IORING_OP_RECV:
        return uring__datagram(end, sk, EBPF_DIRECTION_RECEIVED, false);
    case IORING_OP_WRITE:
    case IORING_OP_WRITE_FIXED:
    case IORING_OP_WRITEV:
        return datagram__called((u64)sk, 0, end->res, sent);
    case IORING_OP_SPLICE:
        return end->res ? datagram__called((u64)sk, 0, end->res, sent) : 0;
    case IORING_OP_READ:
    case IORING_OP_READ_FIXED:
    case IORING_OP_READV:
        return end->res ? datagram__called((u64)sk, 0, end->res, received) : 0;
    }
    return 0;
}

/* ---------------------------------------------------------------- the end */

/*
 * Before a socket is closed. The context of this program is the socket itself, which the verifier takes for something
 * else; so its address is used.
 */
SEC("ebpf.cgroup/__cgroup_bpf_run_filter_sk")
int cgroup__sock_release(void *ctx)
{
    u64 address = (u64)ctx;

    BARRIER(address);
    if (emit_runtime.live && sock__is_udp_at((void *)address))
        flows__close(false, (void *)address);
    return 1;
}
