/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case-net-share: other users have more peers and more sockets, and sockets with more peers, than any table has room
 * for, and more ids than a table of users has; the actions of this process and one of another user meanwhile are all
 * reported, and completely.
 */
#include "net-ops.h"

#include <sched.h>

#define PEERS 9000
#define SOCKETS 4500
#define PORTS 200
#define SOCKET_PEERS 6 /* more than a socket has room for at first */
#define WIDE_SOCKETS 200
#define NAMESPACE_USERS 1100 /* the user is in a user namespace of his own */
#define USERS 5
#define USER_SOCKETS 1100
#define FIRST_USER 100000
#define USERS_MAPPED 65536
#define CONTAINERS 2
#define CONTAINER_SOCKETS 600 /* more than half a share */

static struct gate full, done, has_namespace;

/* Become an unprivileged user, with that many descriptors. */
static void have_descriptors(rlim_t descriptors)
{
    struct rlimit limit = {descriptors, descriptors};

    CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
    become_nobody();
}

/* The n-th of many ends on this host. */
static union address nth(int n)
{
    union address a = {.v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(20000 + n % PORTS))}};

    a.v4.sin_addr.s_addr = htonl(0x7f010000u + (uint32_t)(n / PORTS));
    return a;
}

#define UNPACED 64 /* datagrams between two pauses, so that the reader keeps up on the single processor */
#define REST_US 10000

static void send_one(int fd, int n)
{
    static int sent;
    union address to = nth(n);

    if (++sent % UNPACED == 0)
        usleep(REST_US);
    CHECK(sendto(fd, "q", 1, 0, &to.any, sizeof(to.v4)) == 1);
}

static void have_peers(void)
{
    int fd = socket__open(AF_INET, SOCK_DGRAM, 0);

    for (int i = 0; i < PEERS; i++)
        send_one(fd, i);
}

/* The last one has as many peers, for which it finds no room if sockets have a share. */
static void have_sockets(void)
{
    int fd;

    for (int i = 0; i < SOCKETS; i++) {
        fd = socket__open(AF_INET, SOCK_DGRAM, 0);
        send_one(fd, 0);
    }
    for (int i = 1; i < PEERS; i++)
        send_one(fd, i);
}

static void have_peers_each(int sockets)
{
    for (int i = 0; i < sockets; i++) {
        int fd = socket__open(AF_INET, SOCK_DGRAM, 0);

        for (int n = 0; n < SOCKET_PEERS; n++)
            send_one(fd, n);
    }
}

static void have_wide_sockets(void)
{
    have_peers_each(WIDE_SOCKETS);
}

static void map__write(const char *format, pid_t pid, const char *map)
{
    char path[64];
    int fd;

    snprintf(path, sizeof(path), format, (int)pid);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0 && write(fd, map, strlen(map)) == (ssize_t)strlen(map) && !close(fd));
}

/* As newuidmap does it for every user. */
static void maps__write(void *map)
{
    gate__wait(&has_namespace);
    map__write("/proc/%d/uid_map", getppid(), map);
    map__write("/proc/%d/gid_map", getppid(), map);
}

/* None of them has more than a share. */
static void have_sockets_as_many(void)
{
    for (int i = 0; i < SOCKETS; i++) {
        CHECK(!setresuid(1 + (uid_t)i % NAMESPACE_USERS, (uid_t)-1, (uid_t)-1));
        send_one(socket__open(AF_INET, SOCK_DGRAM, 0), 0);
    }
}

static void fill_in_namespace(void *fn)
{
    char map[64];

    snprintf(map, sizeof(map), "0 %d %d", FIRST_USER, USERS_MAPPED);
    pid_t mapper = child__start(maps__write, map);

    have_descriptors(2 * SOCKETS + 100);
    CHECK(!prctl(PR_SET_DUMPABLE, 1) && !unshare(CLONE_NEWUSER));
    gate__open(&has_namespace);
    CHECK(child__wait(mapper) == 0 && !setresuid(0, 0, 0));
    ((void (*)(void))fn)();
    gate__open(&full);
    gate__wait(&done);
}

/* Its ids are in more ranges than the kernel has room for in the namespace itself; the last one is root's. */
static void live_in_container(void *first_user)
{
    int first = *(int *)first_user, len = 0;
    char map[256];

    for (int i = 6; i >= 0; i--)
        len += snprintf(map + len, sizeof(map) - (size_t)len, "%d %d 1\n", 2 * i, first + i);
    pid_t mapper = child__start(maps__write, map);

    CHECK(!unshare(CLONE_NEWUSER));
    gate__open(&has_namespace);
    CHECK(child__wait(mapper) == 0 && !setresuid(0, 0, 0));
    for (int i = 0; i < CONTAINER_SOCKETS; i++)
        send_one(socket__open(AF_INET, SOCK_DGRAM, 0), 0);
    gate__open(&full);
    gate__wait(&done);
}

/* Two namespaces that root has created, and that have users of their own, each with a share of its own. */
static void containers(pid_t pids[CONTAINERS])
{
    static int first_users[CONTAINERS] = {2 * FIRST_USER, 4 * FIRST_USER};
    struct rlimit limit = {2 * CONTAINER_SOCKETS, 2 * CONTAINER_SOCKETS};
    struct gate dones[CONTAINERS];

    CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
    for (int i = 0; i < CONTAINERS; i++) {
        gate__init(&full);
        gate__init(&done);
        gate__init(&has_namespace);
        dones[i] = done;
        pids[i] = child__start(live_in_container, &first_users[i]);
        gate__wait(&full);
    }
    for (int i = 0; i < CONTAINERS; i++) {
        gate__open(&dones[i]);
        CHECK(child__wait(pids[i]) == 0);
    }
}

static void have_sockets_as(void *user)
{
    struct rlimit limit = {USER_SOCKETS + 100, USER_SOCKETS + 100};
    uid_t uid = FIRST_USER + (uid_t)*(int *)user;

    CHECK(!setrlimit(RLIMIT_NOFILE, &limit) && !setresuid(uid, uid, uid));
    for (int i = 0; i < USER_SOCKETS; i++)
        send_one(socket__open(AF_INET, SOCK_DGRAM, 0), 0);
    gate__open(&full);
    gate__wait(&done);
}

/* Users of the machine, who together have more than there is room for. */
static void fill_as_users(void *unused)
{
    struct gate dones[USERS], all_full = full, all_done = done;
    pid_t pids[USERS];

    (void)unused;
    for (int i = 0; i < USERS; i++) {
        gate__init(&full);
        gate__init(&done);
        dones[i] = done;
        pids[i] = child__start(have_sockets_as, &i);
        gate__wait(&full);
    }
    gate__open(&all_full);
    gate__wait(&all_done);
    for (int i = 0; i < USERS; i++) {
        gate__open(&dones[i]);
        CHECK(child__wait(pids[i]) == 0);
    }
}

/* One more of them. */
static void be_user(void *unused)
{
    uid_t uid = FIRST_USER + USERS;

    (void)unused;
    CHECK(!setresuid(uid, uid, uid));
    have_peers_each(1);
}

static void fact__flows(pid_t pid, int count, bool totals)
{
    fact__object(NULL);
    fact__int("pid", pid);
    fact__int("count", count);
    fact__bool("totals", totals);
    fact__object_end();
}

static void fill(void *fn)
{
    have_descriptors(2 * SOCKETS + 100);
    ((void (*)(void))fn)();
    gate__open(&full);
    gate__wait(&done);
}

static void flow(const char *what, const struct ends *ends, const char *direction, const char *state, long datagrams)
{
    bool is_closed = !strcmp(state, "CLOSED");

    expect__begin(what, "NETWORK_DATAGRAM_FLOW", ends, getpid());
    fact__str("transport", "UDP");
    fact__str("direction", direction);
    fact__str("flow_state", state);
    fact__int("datagrams", datagrams);
    fact__int("bytes", 10 * datagrams);
    fact__int("owner", is_closed ? getpid() : 0);
    expect__end();
}

static int udp__at(const char *address)
{
    union address at = address__of(address, 0);
    int fd = socket__open(AF_INET, SOCK_DGRAM, 0);

    CHECK(!bind(fd, &at.any, address__len(&at)));
    return fd;
}

/* Two datagrams, each seen at both ends. */
static void datagrams(const char *what)
{
    int a = udp__at(V4_LOOP), b = udp__at(V4_LOOP);
    struct ends ends = {.source = socket__name(a), .destination = socket__name(b)}, turned = ends__turned(&ends);
    char data[10] = {0};
    union address from;
    socklen_t len = sizeof(from);

    for (int i = 0; i < 2; i++) {
        CHECK(sendto(a, data, 10, 0, &ends.destination.any, address__len(&ends.destination)) == 10);
        CHECK(recvfrom(b, data, 10, 0, &from.any, &len) == 10);
    }
    flow(what, &ends, "SENT", "NEW", 1);
    flow(what, &turned, "RECEIVED", "NEW", 1);
    CHECK(!close(a) && !close(b));
    flow(what, &ends, "SENT", "CLOSED", 2);
    flow(what, &turned, "RECEIVED", "CLOSED", 2);
}

static pid_t others[5];
static int others_count;

/* Act as this process, and as one of another user, while another one has filled all it can. Return that one. */
static pid_t beside(const char *what, void (*filler)(void *fn), void (*fn)(void))
{
    gate__init(&full);
    gate__init(&done);
    gate__init(&has_namespace);
    pid_t pid = child__start(filler, (void *)fn);

    gate__wait(&full);
    datagrams(what);
    others[others_count++] = child__run(be_user, NULL);
    gate__open(&done);
    CHECK(child__wait(pid) == 0);
    return pid;
}

int main(void)
{
    pid_t pids[CONTAINERS];

    fact__int("pid", getpid());
    fact__str("comm", "case-net-share");
    net_namespace__look();
    fact__array("expected");
    pid_t peers = beside("beside many peers", fill, have_peers);
    pid_t sockets = beside("beside many sockets", fill, have_sockets);
    pid_t wide = beside("beside sockets with some peers", fill, have_wide_sockets);
    pid_t as_many = beside("beside sockets of many users", fill_in_namespace, have_sockets_as_many);

    beside("beside sockets of several users", fill_as_users, NULL);
    fact__array_end();
    containers(pids);
    fact__array("flows");
    fact__flows(peers, PEERS, true);
    fact__flows(sockets, SOCKETS + PEERS - 1, false);
    fact__flows(wide, WIDE_SOCKETS * SOCKET_PEERS, true);
    fact__flows(as_many, SOCKETS, false);
    for (int i = 0; i < CONTAINERS; i++)
        fact__flows(pids[i], CONTAINER_SOCKETS, true);
    for (int i = 0; i < others_count; i++)
        fact__flows(others[i], SOCKET_PEERS, true);
    fact__array_end();
    return facts__print();
}
