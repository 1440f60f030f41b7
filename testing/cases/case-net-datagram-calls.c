/* SPDX-License-Identifier: BSD-2-Clause */
/* case-net-datagram-calls: UDP datagrams by every call that sends or receives one. */
#include "net-flows.h"

#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#define PROBE_FLAG 0x10 /* MSG_PROBE: nothing is sent */

/* By the calls that are for files too; the receiver reads. */
static void as_file(void)
{
    struct duo d = duo__open(V4_LOOP, V4_LOOP);
    struct ends turned = ends__turned(&d.ends);
    union address to_b = d.ends.destination, to_a = d.ends.source;
    struct iovec parts[2] = {{payload, 10}, {payload, 20}};
    int file = memfd_create("data", MFD_CLOEXEC), pipe_ends[2];
    off_t at = 0;
    char data[100];

    CHECK(file >= 0 && write(file, payload, 40) == 40 && !pipe(pipe_ends));
    CHECK(!connect(d.a, &to_b.any, address__len(&to_b)) && !connect(d.b, &to_a.any, address__len(&to_a)));
    CHECK(write(d.a, payload, 7) == 7 && read(d.b, data, sizeof(data)) == 7);
    is_new("as a file", &d.ends, "SENT", 1, 7);
    is_new("as a file", &turned, "RECEIVED", 1, 7);
    CHECK(writev(d.a, parts, 2) == 30 && readv(d.b, parts, 2) == 30);
    CHECK(sendfile(d.a, file, &at, 40) == 40 && read(d.b, data, sizeof(data)) == 40);
    CHECK(write(pipe_ends[1], payload, 50) == 50);
    CHECK(dup2(pipe_ends[0], PROBE_FLAG) == PROBE_FLAG); /* a descriptor is no flag */
    CHECK(splice(PROBE_FLAG, NULL, d.a, NULL, 50, 0) == 50 && read(d.b, data, sizeof(data)) == 50);
    CHECK(send(d.a, payload, 3, MSG_PEEK) == 3); /* means nothing there, nor the other flag here */
    CHECK(recv(d.b, data, sizeof(data), PROBE_FLAG) == 3);
    CHECK(write(d.a, payload, 0) == 0 && read(d.b, data, sizeof(data)) == 0);
    CHECK(!close(d.a) && !close(d.b) && !close(file) && !close(pipe_ends[0]) && !close(pipe_ends[1]));
    CHECK(!close(PROBE_FLAG));
    is_closed("as a file", &d.ends, "SENT", 6, 130);
    at_calls.has_counts = true; /* a read of no bytes is not counted */
    at_calls.datagrams = 5;
    at_calls.bytes = 130;
    is_closed("as a file", &turned, "RECEIVED", 6, 130);
    memset(&at_calls, 0, sizeof(at_calls));
}

/* Receive a batch, of which one is from somebody else. */
static void in_batches(void)
{
    struct duo d = duo__open(V4_LOOP, V4_LOOP);
    struct ends turned = ends__turned(&d.ends), others;
    int other = udp__at("127.0.0.9");
    struct iovec iov[4];
    union address from[4];
    struct mmsghdr messages[4] = {0};
    static char data[4][100];

    others = (struct ends){.source = d.ends.destination, .destination = socket__name(other)};
    for (int i = 0; i < 3; i++)
        send_to(d.a, &d.ends.destination, 10 + (size_t)i);
    send_to(other, &d.ends.destination, 5);
    for (int i = 0; i < 4; i++) {
        iov[i] = (struct iovec){data[i], sizeof(data[i])};
        messages[i].msg_hdr =
            (struct msghdr){.msg_name = &from[i], .msg_namelen = sizeof(from[i]), .msg_iov = &iov[i], .msg_iovlen = 1};
    }
    CHECK(recvmmsg(d.b, messages, 4, 0, NULL) == 4);
    is_new("batch", &d.ends, "SENT", 1, 10);
    struct ends sent = ends__turned(&others);

    is_new("batch", &sent, "SENT", 1, 5);
    is_new("batch", &turned, "RECEIVED", 1, 10);
    is_new("batch", &others, "RECEIVED", 1, 5);
    CHECK(!close(d.a) && !close(d.b) && !close(other));
    is_closed("batch", &d.ends, "SENT", 3, 33);
    is_closed("batch", &others, "RECEIVED", 1, 5);
    is_closed("batch", &turned, "RECEIVED", 3, 33);
    is_closed("batch", &sent, "SENT", 1, 5);
}

/* socketcall(2), which only 32-bit callers have. Its arguments, and what they point to, have addresses of 32 bits. */
static long socketcall(long call, unsigned int a, const void *b, unsigned int c, unsigned int d, const void *e,
                       unsigned int f)
{
    static unsigned int args[6];

    args[0] = a;
    args[1] = (unsigned int)(uintptr_t)b;
    args[2] = c;
    args[3] = d;
    args[4] = (unsigned int)(uintptr_t)e;
    args[5] = f;
    return int80(102, call, (long)args, 0, 0);
}

struct msghdr_32 {
    unsigned int name, name_len, iov, iov_len, control, control_len, flags;
};

struct mmsghdr_32 {
    struct msghdr_32 hdr;
    unsigned int len;
};

struct iovec_32 {
    unsigned int base, len;
};

static struct msghdr_32 message_32(union address *name, struct iovec_32 *iov)
{
    return (struct msghdr_32){.name = (unsigned int)(uintptr_t)name,
                              .name_len = sizeof(name->v4),
                              .iov = (unsigned int)(uintptr_t)iov,
                              .iov_len = 1};
}

static void by_socketcall(void)
{
    static union address to_b, to_a, from;
    static char data[100];
    static unsigned int from_len;
    static struct iovec_32 iov;
    static struct msghdr_32 message;
    static struct mmsghdr_32 messages[2];
    static union address froms[2];
    struct duo d = duo__open(V4_LOOP, V4_LOOP);
    struct ends turned = ends__turned(&d.ends);
    unsigned int a = (unsigned int)d.a, b = (unsigned int)d.b;

    to_b = d.ends.destination;
    to_a = d.ends.source;
    from_len = sizeof(from);
    iov = (struct iovec_32){(unsigned int)(uintptr_t)data, 20};
    CHECK(socketcall(11, a, data, 20, 0, &to_b, sizeof(to_b.v4)) == 20); /* sendto */
    is_new("socketcall", &d.ends, "SENT", 1, 20);
    CHECK(socketcall(12, b, data, 20, 0, &from, (unsigned int)(uintptr_t)&from_len) == 20); /* recvfrom */
    is_new("socketcall", &turned, "RECEIVED", 1, 20);
    message = message_32(&to_b, &iov);
    CHECK(socketcall(16, a, &message, 0, 0, NULL, 0) == 20); /* sendmsg */
    message = message_32(&from, &iov);
    CHECK(socketcall(17, b, &message, 0, 0, NULL, 0) == 20); /* recvmsg */
    for (int i = 0; i < 2; i++)
        messages[i].hdr = message_32(&to_b, &iov);
    CHECK(socketcall(20, a, messages, 2, 0, NULL, 0) == 2); /* sendmmsg */
    for (int i = 0; i < 2; i++)
        messages[i].hdr = message_32(&froms[i], &iov);
    CHECK(socketcall(19, b, messages, 2, 0, NULL, 0) == 2); /* recvmmsg */
    CHECK(!connect(d.a, &to_b.any, address__len(&to_b)) && !connect(d.b, &to_a.any, address__len(&to_a)));
    CHECK(socketcall(9, a, data, 7, 0, &to_a, 0) == 7);            /* send has no address */
    CHECK(socketcall(10, b, data, sizeof(data), 0, NULL, 0) == 7); /* recv */
    CHECK(int80(4, d.a, (long)data, 5, 0) == 5 && int80(3, d.b, (long)data, sizeof(data), 0) == 5);
    CHECK(!close(d.a) && !close(d.b));
    is_closed("socketcall", &d.ends, "SENT", 6, 92);
    is_closed("socketcall", &turned, "RECEIVED", 6, 92);
}

/* A call that asks for no address leaves the peer of a socket that is not connected unknown. */
static void from_somebody(void)
{
    struct duo d = duo__open(V4_LOOP, V4_LOOP);
    struct ends turned = ends__turned(&d.ends);
    char data[100];

    send_to(d.a, &d.ends.destination, 9);
    CHECK(recv(d.b, data, sizeof(data), 0) == 9);
    is_new("from somebody", &d.ends, "SENT", 1, 9);
    at_calls.destination = "0.0.0.0";
    is_new("from somebody", &turned, "RECEIVED", 1, 9);
    CHECK(!close(d.b));
    is_closed("from somebody", &turned, "RECEIVED", 1, 9);
    at_calls.destination = NULL;
    CHECK(!close(d.a));
    is_closed("from somebody", &d.ends, "SENT", 1, 9);
}

/* No datagrams: calls on sockets of other kinds, and calls that fail. */
static void none(void)
{
    int pair[2], unconnected = udp__at(V4_LOOP);
    char data[10];

    CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    CHECK(send(pair[0], payload, 10, 0) == 10 && recv(pair[1], data, sizeof(data), 0) == 10);
    CHECK(write(unconnected, payload, 10) < 0 && errno == EDESTADDRREQ);
    CHECK(recv(unconnected, data, sizeof(data), MSG_DONTWAIT) < 0 && errno == EAGAIN);
    CHECK(!close(pair[0]) && !close(pair[1]) && !close(unconnected));
}

int main(void)
{
    fact__int("pid", getpid());
    fact__str("comm", "case-net-datagr");
    net_namespace__look();
    bool takes_int80 = int80__available();

    fact__array("expected");
    as_file();
    in_batches();
    from_somebody();
    if (takes_int80)
        by_socketcall();
    none();
    fact__array_end();
    return facts__print();
}
