/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net-full - exceeds the sizes of the probes' tables.
 *
 *   net-full flows N      a socket that sends a datagram to each of N peers, and is closed
 *   net-full idle N       as flows, but before the socket is closed, a line is printed and the end of the input awaited
 *   net-full sockets N M [mptcp|smc]
 *                         N simultaneous TCP connections within a process of another user, who has many ids in a
 *                         namespace; meanwhile this one makes M connections of TCP, MPTCP or SMC, which end in the ways
 *                         below in turn, and M attempts that are refused
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORTS_A_PEER 20000
#define NOBODY 65534
#define WAIT_S 300 /* as long as may pass on a loaded machine */
#define FIRST_USER 100000
#define USERS 1101
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef AF_SMC
#define AF_SMC 43
#endif

/* Ends of the connections that are made, not of those that fill the table. */
static int family = AF_INET, protocol;

static void check(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(1);
    }
}

/* Return the n-th of many addresses of this host. */
static struct sockaddr_in place(int n, int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (unsigned int)n);
    return to;
}

static void flows(int count, int is_idle)
{
    char byte;

    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    check(fd >= 0, "socket");
    for (int i = 0; i < count; i++) {
        struct sockaddr_in to = place(i / PORTS_A_PEER, 10000 + i % PORTS_A_PEER);

        check(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1, "sendto");
    }
    if (is_idle)
        check(puts("sent") >= 0 && !fflush(stdout) && !read(STDIN_FILENO, &byte, 1), "input");
    close(fd);
}

static int listen_at(int port)
{
    int listener = socket(family, SOCK_STREAM, protocol), on = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};

    check(!setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), "SO_REUSEADDR");
    check(!bind(listener, (struct sockaddr *)&at, sizeof(at)) && !listen(listener, 100), "listen");
    return listener;
}

static void pair(int listener, const struct sockaddr_in *to, int fds[2])
{
    fds[0] = socket(family, SOCK_STREAM, protocol);
    check(fds[0] >= 0 && !connect(fds[0], (const struct sockaddr *)to, sizeof(*to)), "connect");
    fds[1] = accept(listener, NULL, NULL);
    check(fds[1] >= 0, "accept");
}

static void map__write(const char *name, pid_t pid, const char *map)
{
    char path[64];
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    file = fopen(path, "we");
    check(file && fputs(map, file) >= 0 && !fclose(file), path);
}

/* Become an unprivileged user who is root of a namespace with many ids, as by newuidmap. */
static void have_namespace(void)
{
    int made[2];
    char byte, map[64];

    snprintf(map, sizeof(map), "0 %d %d", FIRST_USER, USERS);
    check(!pipe(made), "pipe");
    pid_t pid = fork();

    check(pid >= 0, "fork");
    if (!pid) {
        check(read(made[0], &byte, 1) == 1, "pipe");
        map__write("uid_map", getppid(), map);
        map__write("gid_map", getppid(), map);
        exit(0);
    }
    check(!setgid(NOBODY) && !setuid(NOBODY) && !prctl(PR_SET_DUMPABLE, 1) && !unshare(CLONE_NEWUSER), "a namespace");
    check(write(made[1], "", 1) == 1 && waitpid(pid, NULL, 0) == pid && !setresuid(0, 0, 0), "ids of the namespace");
}

/*
 * As an unprivileged user with many ids, open connections. Write a byte when they are open, and close them when one can
 * be read.
 */
static void have(int count, int out, int in)
{
    struct rlimit limit = {(rlim_t)count * 2 + 100, (rlim_t)count * 2 + 100};
    int listener = listen_at(5000), *fds = calloc((size_t)count * 2, sizeof(*fds));
    char byte;

    check(fds && !setrlimit(RLIMIT_NOFILE, &limit), "descriptors");
    have_namespace();
    for (int i = 0; i < count; i++) {
        struct sockaddr_in to = place(i / PORTS_A_PEER, 5000);

        check(!setresuid((uid_t)(1 + i % (USERS - 1)), (uid_t)-1, (uid_t)-1), "another id");
        pair(listener, &to, &fds[2 * i]);
    }
    check(write(out, "", 1) == 1 && read(in, &byte, 1) == 1, "pipe");
    for (int i = 0; i < 2 * count; i++)
        close(fds[i]);
    exit(0);
}

/* A byte from one end to the other makes the connection MPTCP at both. */
static void greet(const int fds[2])
{
    char byte;

    check(write(fds[0], "x", 1) == 1 && read(fds[1], &byte, 1) == 1, "a byte");
}

static void await_end(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char byte;

    check(poll(&p, 1, WAIT_S * 1000) == 1, "the other end is closed");
    (void)!read(fd, &byte, 1);
}

static void close_one_and_other(int one, int other)
{
    close(one);
    await_end(other);
    close(other);
}

static void reset_one_and_close_other(int one, int other)
{
    struct linger reset = {.l_onoff = 1};

    check(!setsockopt(one, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), "SO_LINGER");
    close_one_and_other(one, other);
}

static void await_state_close(int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    for (int tries = 0; tries < WAIT_S * 1000; tries++) {
        check(!getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), "TCP_INFO");
        if (info.tcpi_state == TCP_CLOSE)
            return;
        usleep(1000);
    }
    check(0, "the state CLOSE in time");
}

/* Their state is CLOSE when they are closed. */
static void shut_down_and_close(int one, int other)
{
    check(!shutdown(one, SHUT_WR), "shutdown");
    await_end(other);
    check(!shutdown(other, SHUT_WR), "shutdown");
    await_end(one);
    await_state_close(one);
    close(one);
    await_state_close(other);
    close(other);
}

static void (*const ways_to_end[])(int one, int other) = {
    close_one_and_other,
    reset_one_and_close_other,
    shut_down_and_close,
};

#define WAYS (int)(sizeof(ways_to_end) / sizeof(*ways_to_end))

static void make(int count)
{
    struct sockaddr_in to = place(0, 5001), refused = place(0, 5002);
    int listener = listen_at(5001), fds[2];

    for (int i = 0; i < count; i++) {
        pair(listener, &to, fds);
        greet(fds);
        ways_to_end[i / 2 % WAYS](fds[i % 2], fds[!(i % 2)]);
        fds[0] = socket(family, SOCK_STREAM, protocol);
        check(connect(fds[0], (struct sockaddr *)&refused, sizeof(refused)) < 0, "a connection that is not refused");
        close(fds[0]);
    }
}

static void sockets(int many, int few, int own_family, int own_protocol)
{
    int full[2], done[2], status;
    char byte;

    check(!pipe(full) && !pipe(done), "pipe");
    pid_t pid = fork();

    check(pid >= 0, "fork");
    if (!pid)
        have(many, full[1], done[0]);
    close(full[1]);
    check(read(full[0], &byte, 1) == 1, "the other process");
    family = own_family;
    protocol = own_protocol;
    make(few);
    check(write(done[1], "", 1) == 1 && waitpid(pid, &status, 0) == pid && !status, "the other process");
    printf("%d\n", getpid());
}

int main(int argc, char **argv)
{
    if (argc == 3 && (!strcmp(argv[1], "flows") || !strcmp(argv[1], "idle")))
        flows(atoi(argv[2]), argv[1][0] == 'i');
    else if (argc == 4 && !strcmp(argv[1], "sockets"))
        sockets(atoi(argv[2]), atoi(argv[3]), AF_INET, 0);
    else if (argc == 5 && !strcmp(argv[1], "sockets") && !strcmp(argv[4], "mptcp"))
        sockets(atoi(argv[2]), atoi(argv[3]), AF_INET, IPPROTO_MPTCP);
    else if (argc == 5 && !strcmp(argv[1], "sockets") && !strcmp(argv[4], "smc"))
        sockets(atoi(argv[2]), atoi(argv[3]), AF_SMC, 0);
    else
        return 2;
    return 0;
}
