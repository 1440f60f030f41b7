/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net-again COUNT - connections one after the other between reused ports, each opened by a child of its own, accepted
 * by this process, and reset by the child. The kernel reuses the sockets of earlier ones. Prints the processes' ids as
 * JSON.
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER_PORT 5000
#define CLIENT_PORT 6000
#define DEADLINE_S 300
#define OTHERS 12 /* sockets that a child opens first, at most: more than an entry of a connection has slots */
#define CHECK(done) ((done) ? (void)0 : err(1, "%s", #done))

static struct sockaddr_in at(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int socket__at(int port)
{
    struct sockaddr_in here = at(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    CHECK(fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
    CHECK(!bind(fd, (struct sockaddr *)&here, sizeof(here)));
    return fd;
}

/*
 * The sockets that it opens first vary the memory that its socket gets. It resets the connection when that has been
 * accepted: on two processors a reset may overtake the end of the handshake, and nothing would be left to accept.
 */
static void be_client(int others, int accepted)
{
    char byte;

    struct linger reset = {.l_onoff = 1};
    struct sockaddr_in to = at(SERVER_PORT);

    for (int i = 0; i < others; i++)
        CHECK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0);
    int fd = socket__at(CLIENT_PORT);

    CHECK(!connect(fd, (struct sockaddr *)&to, sizeof(to)));
    CHECK(read(accepted, &byte, 1) == 1);
    CHECK(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) && !close(fd));
    exit(0);
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 0, listener = socket__at(SERVER_PORT), status;

    alarm(DEADLINE_S);
    CHECK(!listen(listener, 1));
    printf("{\"server\":%d,\"clients\":[", getpid());
    fflush(stdout);
    for (int i = 0; i < count; i++) {
        int accepted[2];

        CHECK(!pipe2(accepted, O_CLOEXEC));
        pid_t pid = fork();

        CHECK(pid >= 0);
        if (!pid)
            be_client(i % OTHERS, accepted[0]);
        int fd = accept(listener, NULL, NULL);

        CHECK(fd >= 0 && write(accepted[1], "", 1) == 1 && !close(accepted[0]) && !close(accepted[1]));
        CHECK(waitpid(pid, &status, 0) == pid && !status && !close(fd));
        printf("%s%d", i ? "," : "", pid);
        fflush(stdout);
    }
    puts("]}");
    return 0;
}
