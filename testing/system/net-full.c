/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net-full - more than the probes' tables hold.
 *
 *   net-full flows N      a socket that sends a datagram to each of N peers, and is closed
 *   net-full sockets N    N connections within the process at the same time, then all are closed
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORTS_A_PEER 20000

static void check(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(1);
    }
}

/* The n-th of many addresses of this host. */
static struct sockaddr_in place(int n, int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (unsigned int)n);
    return to;
}

static void flows(int count)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    check(fd >= 0, "socket");
    for (int i = 0; i < count; i++) {
        struct sockaddr_in to = place(i / PORTS_A_PEER, 10000 + i % PORTS_A_PEER);

        check(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1, "sendto");
    }
    close(fd);
}

static void sockets(int count)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0), *fds = calloc((size_t)count * 2, sizeof(*fds));
    struct rlimit limit = {(rlim_t)count * 2 + 100, (rlim_t)count * 2 + 100};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(5000)};

    check(fds && !setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    check(!bind(listener, (struct sockaddr *)&at, sizeof(at)) && !listen(listener, 100), "listen");
    for (int i = 0; i < count; i++) {
        struct sockaddr_in to = place(i / PORTS_A_PEER, 5000);

        fds[2 * i] = socket(AF_INET, SOCK_STREAM, 0);
        check(fds[2 * i] >= 0 && !connect(fds[2 * i], (struct sockaddr *)&to, sizeof(to)), "connect");
        fds[2 * i + 1] = accept(listener, NULL, NULL);
        check(fds[2 * i + 1] >= 0, "accept");
    }
    for (int i = 0; i < 2 * count; i++)
        close(fds[i]);
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "flows"))
        flows(atoi(argv[2]));
    else if (argc == 3 && !strcmp(argv[1], "sockets"))
        sockets(atoi(argv[2]));
    else
        return 2;
    return 0;
}
