/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case-net-connect: connections that are attempted in every way, successful and failed ones.
 *
 *   case-net-connect          all of them
 *   case-net-connect two      a successful one and a refused one
 */
#include "net-ops.h"

#include "net-connect-failed.h"

#include <linux/bpf.h>
#include <sched.h>
#include <sys/mount.h>

#include "ring.h"

#define PAYLOAD 1000

/* -------------------------------------------------------------- successes */

/* How to connect. */
typedef void connect_fn(int fd, const union address *to);

static void connect__plain(int fd, const union address *to)
{
    CHECK(!connect(fd, &to->any, address__len(to)));
}

static void connect__nonblocking(int fd, const union address *to)
{
    int one = 1, zero = 0;

    CHECK(!ioctl(fd, FIONBIO, &one));
    CHECK(!connect(fd, &to->any, address__len(to)) || errno == EINPROGRESS);
    await(fd, POLLOUT);
    CHECK(!ioctl(fd, FIONBIO, &zero));
}

static void connect__int80(int fd, const union address *to)
{
    static union address below_4g;

    below_4g = *to;
    CHECK(!int80(362, fd, (long)&below_4g, address__len(to), 0));
}

static struct ring ring;
static const struct ring_way *ring_way;

static void connect__ring(int fd, const union address *to)
{
    struct io_uring_sqe sqe = {.opcode = IORING_OP_CONNECT,
                               .flags = ring_way->sqe_flags,
                               .fd = fd,
                               .addr = (uintptr_t)to,
                               .off = address__len(to)};

    CHECK(ring__do(&ring, &sqe) == 0);
}

static int accept__ring(int listener)
{
    struct io_uring_sqe sqe = {
        .opcode = IORING_OP_ACCEPT, .flags = ring_way->sqe_flags, .fd = listener, .accept_flags = SOCK_CLOEXEC};
    int fd = ring__do(&ring, &sqe);

    CHECK(fd >= 0);
    return fd;
}

/* Connect to an address of this host by `fn`, send something, close. */
static void succeed(const char *what, const char *listen_at, const char *connect_to, int protocol, connect_fn *fn)
{
    int listener = listen__at(listen_at, protocol, 5);
    union address at = socket__name(listener), to = address__of(connect_to, address__port(&at));
    struct pair p = {.client = socket__open(to.any.sa_family, SOCK_STREAM, protocol)};

    fn(p.client, &to);
    p.server = fn == connect__ring ? accept__ring(listener) : accept(listener, NULL, NULL);
    CHECK(p.server >= 0);
    p.ends = ends__of(p.client);
    p.ends.mptcp = protocol == IPPROTO_MPTCP;
    struct ends turned = ends__turned(&p.ends);

    expect__attempted(what, &p.ends);
    expect__accepted(what, &turned);
    send__all(p.client, PAYLOAD);
    receive__all(p.server, PAYLOAD);
    pair__close(what, &p, PAYLOAD, 0);
    CHECK(!close(listener));
}

/* With fast open the connection begins with the first data, which are in the SYN if there is a cookie. */
static void fast_open(const char *what, bool by_option)
{
    int listener = listen__at(V4_LOOP, 0, 5), queue = 5, one = 1;
    union address to = socket__name(listener);

    CHECK(!setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue)));
    for (int i = 0; i < 3; i++) {
        struct pair p = {.client = socket__open(AF_INET, SOCK_STREAM, 0)};

        if (by_option) {
            CHECK(!setsockopt(p.client, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one)));
            CHECK(!connect(p.client, &to.any, address__len(&to)));
            send__all(p.client, PAYLOAD);
        } else {
            static const char data[PAYLOAD];

            CHECK(sendto(p.client, data, PAYLOAD, MSG_FASTOPEN, &to.any, address__len(&to)) == PAYLOAD);
        }
        p.server = accept(listener, NULL, NULL);
        CHECK(p.server >= 0);
        receive__all(p.server, PAYLOAD);
        p.ends = ends__of(p.client);
        struct ends turned = ends__turned(&p.ends);

        expect__attempted(what, &p.ends);
        expect__accepted(what, &turned);
        pair__close(what, &p, PAYLOAD, 0);
    }
    CHECK(!close(listener));
}

static void *in_thread(void *tid)
{
    *(pid_t *)tid = thread__id();
    succeed("thread", V4_LOOP, V4_LOOP, 0, connect__plain);
    return NULL;
}

static void by_rings(void)
{
    for (size_t i = 0; i < ARRAY_LEN(ring_ways); i++) {
        ring_way = &ring_ways[i];
        CHECK(ring__open(&ring, ring_way->setup_flags));
        succeed(ring_way->name, V4_LOOP, V4_LOOP, 0, connect__ring);
        if (has_ipv6())
            succeed(ring_way->name, V6_LOOP, V6_LOOP, 0, connect__ring);
        CHECK(!close(ring.fd));
    }
}

/* Reset before it is accepted: it is still accepted, and has ended by then. */
static void reset_in_queue(void)
{
    struct linger none = {1, 0};
    int listener = listen__at(V4_LOOP, 0, 5);
    union address to = socket__name(listener);
    struct pair p = {.client = socket__open(AF_INET, SOCK_STREAM, 0)};

    CHECK(!connect(p.client, &to.any, address__len(&to)));
    p.ends = ends__of(p.client);
    struct ends turned = ends__turned(&p.ends);

    CHECK(!setsockopt(p.client, SOL_SOCKET, SO_LINGER, &none, sizeof(none)) && !close(p.client));
    p.server = accept(listener, NULL, NULL);
    CHECK(p.server >= 0 && !close(p.server) && !close(listener));
    expect__attempted("reset in the queue", &p.ends);
    expect__closed("reset in the queue", &p.ends, &(struct closed){getpid(), getpid(), 0, 0, "HERE"});
    expect__accepted("reset in the queue", &turned);
    expect__closed("reset in the queue", &turned, &(struct closed){getpid(), getpid(), 0, 0, "RESET"});
}

static void successes(bool takes_int80)
{
    pid_t tid;

    succeed("plain", V4_LOOP, V4_LOOP, 0, connect__plain);
    succeed("non-blocking", V4_LOOP, V4_LOOP, 0, connect__nonblocking);
    succeed("any address", "0.0.0.0", "127.0.0.2", 0, connect__plain);
    if (takes_int80)
        succeed("int80", V4_LOOP, V4_LOOP, 0, connect__int80);
    thread__run(in_thread, &tid);
    if (has_ipv6()) {
        succeed("IPv6", V6_LOOP, V6_LOOP, 0, connect__plain);
        succeed("IPv6, non-blocking", V6_LOOP, V6_LOOP, 0, connect__nonblocking);
        succeed("mapped", V4_LOOP, V4_MAPPED_LOOP, 0, connect__plain);
        succeed("mapped, non-blocking", V4_LOOP, V4_MAPPED_LOOP, 0, connect__nonblocking);
        succeed("to a socket of both families", "::", V4_LOOP, 0, connect__plain);
        succeed("mapped, to a socket of both families", "::", V4_MAPPED_LOOP, 0, connect__plain);
    }
    fast_open("MSG_FASTOPEN", false);
    fast_open("TCP_FASTOPEN_CONNECT", true);
    by_rings();
    reset_in_queue();
}

static bool mptcp(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);

    if (fd < 0)
        return false;
    close(fd);
    succeed("MPTCP", V4_LOOP, V4_LOOP, IPPROTO_MPTCP, connect__plain);
    succeed("MPTCP, non-blocking", V4_LOOP, V4_LOOP, IPPROTO_MPTCP, connect__nonblocking);
    if (has_ipv6())
        succeed("MPTCP over IPv6", V6_LOOP, V6_LOOP, IPPROTO_MPTCP, connect__plain);
    return true;
}

/* --------------------------------------------------------------- policies */

#define LANDLOCK_CREATE_RULESET 444
#define LANDLOCK_RESTRICT_SELF 446
#define LANDLOCK_VERSION 1
#define LANDLOCK_HAS_NET 4 /* since this version */
#define LANDLOCK_CONNECT_TCP (UINT64_C(1) << 1)

static bool landlock__has_net(void)
{
    return syscall(LANDLOCK_CREATE_RULESET, NULL, 0, LANDLOCK_VERSION) >= LANDLOCK_HAS_NET;
}

/* A forbidden attempt: it has no source yet. */
static void forbidden(const char *what, const char *address, const char *none, int error)
{
    union address to = address__of(address, NOBODY_LISTENS);
    int fd = socket__open(to.any.sa_family, SOCK_STREAM, 0);
    struct ends ends = {.source = address__of(none, 0), .destination = to};

    CHECK(connect(fd, &to.any, address__len(&to)) < 0 && errno == error && !close(fd));
    attempt_and_failure(what, &ends, error == EPERM ? "EPERM" : "EACCES");
}

/* A thread that may not connect. */
static void *forbidden_by_landlock(void *unused)
{
    struct {
        uint64_t fs, net;
    } handled = {0, LANDLOCK_CONNECT_TCP};
    long ruleset = syscall(LANDLOCK_CREATE_RULESET, &handled, sizeof(handled), 0);

    (void)unused;
    CHECK(ruleset >= 0 && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0));
    forbidden("Landlock", V4_LOOP, "0.0.0.0", EACCES);
    if (has_ipv6()) {
        forbidden("Landlock, IPv6", V6_LOOP, "::", EACCES);
        forbidden("Landlock, mapped", V4_MAPPED_LOOP, "0.0.0.0", EACCES);
    }
    CHECK(!close((int)ruleset));
    return NULL;
}

static long bpf(int command, union bpf_attr *attr)
{
    return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* A BPF program that refuses every connect. */
static int bpf__forbid(int cgroup, enum bpf_attach_type kind)
{
    static const struct bpf_insn insns[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K},
        {.code = BPF_JMP | BPF_EXIT},
    };
    union bpf_attr load = {.prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
                           .expected_attach_type = kind,
                           .insn_cnt = ARRAY_LEN(insns),
                           .insns = (uintptr_t)insns,
                           .license = (uintptr_t) "GPL"};
    long program = bpf(BPF_PROG_LOAD, &load);
    union bpf_attr attach = {.target_fd = (uint32_t)cgroup, .attach_bpf_fd = (uint32_t)program, .attach_type = kind};

    CHECK(program >= 0 && !bpf(BPF_PROG_ATTACH, &attach));
    return (int)program;
}

#define CGROUPS "/tmp/case-net-connect"

/* Return whether the kernel has cgroups, and programs for them. */
static bool forbidden_by_cgroup(void)
{
    struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY}; /* before 5.11, programs count as locked memory */

    if (bpf(BPF_PROG_LOAD, &(union bpf_attr){0}) < 0 && errno == ENOSYS)
        return false;
    CHECK(!setrlimit(RLIMIT_MEMLOCK, &unlimited));
    CHECK(!mkdir(CGROUPS, 0755) || errno == EEXIST);
    if (mount("none", CGROUPS, "cgroup2", 0, NULL)) {
        CHECK(errno == ENODEV);
        return false;
    }
    CHECK(!mkdir(CGROUPS "/case", 0755));
    int cgroup = open(CGROUPS "/case", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int v4 = bpf__forbid(cgroup, BPF_CGROUP_INET4_CONNECT), v6 = bpf__forbid(cgroup, BPF_CGROUP_INET6_CONNECT);

    file__puts(CGROUPS "/case/cgroup.procs", "0");
    forbidden("cgroup program", V4_LOOP, "0.0.0.0", EPERM);
    if (has_ipv6()) {
        forbidden("cgroup program, IPv6", V6_LOOP, "::", EPERM);
        forbidden("cgroup program, mapped", V4_MAPPED_LOOP, "0.0.0.0", EPERM);
    }
    file__puts(CGROUPS "/cgroup.procs", "0");
    CHECK(!close(cgroup) && !close(v4) && !close(v6) && !rmdir(CGROUPS "/case") && !umount2(CGROUPS, MNT_DETACH));
    return true;
}

/* A network namespace of its own, which has only the loopback, once that is up. */
static void other_namespace(void)
{
    CHECK(!unshare(CLONE_NEWNET) && !system("ifconfig lo up"));
    net_namespace__look();
    succeed("other namespace", V4_LOOP, V4_LOOP, 0, connect__plain);
    refused("other namespace", V4_LOOP, V4_LOOP, true);
    unreachable("other namespace", "192.0.2.1", "0.0.0.0");
}

static void all(bool takes_int80)
{
    successes(takes_int80);
    bool has_mptcp = mptcp();

    bool has_landlock = landlock__has_net();

    failures();
    bool has_cgroups = forbidden_by_cgroup();

    if (has_landlock)
        thread__run(forbidden_by_landlock, NULL);
    other_namespace();
    fact__array_end();
    if (!has_cgroups)
        fact__str("skipped_cgroup", "programs of a cgroup: the kernel has none");
    if (!has_landlock)
        fact__str("skipped_landlock", "Landlock: the kernel does not restrict networks");
    if (!has_mptcp)
        fact__str("skipped_mptcp", "MPTCP: the kernel does not have it");
}

static void two(void)
{
    succeed("plain", V4_LOOP, V4_LOOP, 0, connect__plain);
    refused("refused", V4_LOOP, V4_LOOP, true);
    fact__array_end();
}

int main(int argc, char **argv)
{
    fact__int("pid", getpid());
    fact__str("comm", "case-net-connec");
    net_namespace__look();
    bool takes_int80 = int80__available();

    fact__array("expected");
    if (argc > 1 && !strcmp(argv[1], "two"))
        two();
    else
        all(takes_int80);
    return facts__print();
}
