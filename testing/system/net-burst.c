/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net-burst - makes TCP connections as fast as it can, each of which is identified by its numbers of bytes.
 *
 *   net-burst COUNT loop|veth read FILE    if FILE, the output of a tracer, is more than AHEAD connections behind, the
 *                                          clients wait
 *   net-burst COUNT loop|veth stop PID     PID is stopped meanwhile, except for the first and the last tenth
 *
 * loop: over the loopback. veth: between two network namespaces of its own, joined by a veth pair; a.b. is the prefix
 * of the addresses there, which are a.b.1.N of the servers and a.b.2.N of the clients, N from 1 to SPREAD.
 *
 * Connection number n, from 0, is made by client n % WORKERS, to the server of that number, which listens at a port of
 * its own. The client sends n + 1 bytes, the server answers with COUNT - n; then one of them closes and the other,
 * which sees that, does too. The server closes first in every other connection of a worker. Prints what it did:
 *   {"count":N,"port":P,"spread":S,"prefix":"a.b","ms":T,"client_namespace":I,"server_namespace":I,"clients":[PID...],
 *    "servers":[PID...],"client_sent":N,"client_received":N,"server_sent":N,"server_received":N}
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AHEAD 1000
#define EVENTS_EACH 4 /* of a connection */
#define PORT 5000
#define SPREAD 8 /* addresses of a side: ports of closed connections stay in use for a while */
#define WAIT_MAX_MS 300000
#define WORKERS 2

enum side { SERVER = 1, CLIENT };

/* Totals of the processes. */
struct done {
    _Atomic long connections;
    _Atomic long long sent[3], received[3]; /* by side */
};

static struct done *done;
static long count;
static const char *prefix;
static pid_t reader;        /* to be stopped; 0: none */
static const char *tracer_output; /* the tracer's output; NULL: do not wait for it */
static ino_t namespaces[3]; /* by side */
static pid_t pids[3][WORKERS];

static void check(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(1);
    }
}

static long now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct sockaddr_in place(enum side side, long n, int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    char text[32];

    snprintf(text, sizeof(text), "%s.%d.%ld", prefix, side, 1 + n % SPREAD);
    check(inet_pton(AF_INET, text, &at.sin_addr) == 1, text);
    return at;
}

/* ------------------------------------------------------------ connections */

static long to_server(long number)
{
    return number + 1;
}

static long to_client(long number)
{
    return count - number;
}

static bool server_is_first(long number)
{
    return number / WORKERS % 2;
}

static void send_all(enum side side, int fd, long len)
{
    static const char data[1 << 16];

    while (len) {
        ssize_t n = send(fd, data, len < (long)sizeof(data) ? len : (long)sizeof(data), 0);

        check(n > 0, "send");
        done->sent[side] += n;
        len -= n;
    }
}

static void receive_all(enum side side, int fd, long len)
{
    static char data[1 << 16];

    while (len) {
        ssize_t n = recv(fd, data, len < (long)sizeof(data) ? len : (long)sizeof(data), 0);

        check(n > 0, "recv");
        done->received[side] += n;
        len -= n;
    }
}

/* Close it; if the peer is to be first, after that. */
static void close_in_turn(int fd, bool is_first)
{
    char c;

    if (!is_first)
        check(recv(fd, &c, 1, 0) == 0, "end of the peer");
    check(!close(fd), "close");
}

/* So that no data waits for an acknowledgement of earlier data. */
static void send_at_once(int fd)
{
    int one = 1;

    check(!setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), "TCP_NODELAY");
}

static int connect_to(long number)
{
    struct sockaddr_in from = place(CLIENT, number / SPREAD, 0);
    struct sockaddr_in to = place(SERVER, number, PORT + (int)(number % WORKERS));
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    /* connect chooses the port: it has to be free for this peer only */
    check(fd >= 0 && !setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)), "socket");
    check(!bind(fd, (struct sockaddr *)&from, sizeof(from)), "bind");
    check(!connect(fd, (struct sockaddr *)&to, sizeof(to)), "connect");
    send_at_once(fd);
    return fd;
}

/* ----------------------------------------------------------------- reader */

/* Return the number of lines since the last call. */
static long new_lines(int fd)
{
    static char text[1 << 16];
    long lines = 0;
    ssize_t n;

    while ((n = read(fd, text, sizeof(text))) > 0)
        for (char *at = text; (at = memchr(at, '\n', (size_t)(text + n - at))); at++)
            lines++;
    return lines;
}

static void await_reader(int fd)
{
    static long lines;
    long until = now_ms() + WAIT_MAX_MS;

    while ((lines += new_lines(fd)) < (done->connections - AHEAD) * EVENTS_EACH) {
        if (now_ms() > until) {
            fprintf(stderr, "%ld connections, but %ld lines in %s\n", (long)done->connections, lines, tracer_output);
            exit(1);
        }
        usleep(2000);
    }
}

/* Only one of the clients does it. */
static void stop_reader(long number)
{
    long tenth = count / 10 / WORKERS * WORKERS;

    if (number == tenth)
        check(!kill(reader, SIGSTOP), "stop");
    else if (number == 9 * tenth)
        check(!kill(reader, SIGCONT), "continue");
}

/* ---------------------------------------------------------------- workers */

static void serve(int listener, long worker)
{
    for (long number = worker; number < count; number += WORKERS) {
        int fd = accept(listener, NULL, NULL);

        check(fd >= 0, "accept");
        send_at_once(fd);
        receive_all(SERVER, fd, to_server(number));
        send_all(SERVER, fd, to_client(number));
        close_in_turn(fd, server_is_first(number));
    }
}

static void be_client(int unused, long worker)
{
    int output = tracer_output ? open(tracer_output, O_RDONLY) : -1;

    (void)unused;
    for (long number = worker; number < count; number += WORKERS) {
        if (reader)
            stop_reader(number);
        int fd = connect_to(number);

        send_all(CLIENT, fd, to_server(number));
        receive_all(CLIENT, fd, to_client(number));
        close_in_turn(fd, !server_is_first(number));
        done->connections++;
        if (output >= 0 && number / WORKERS % 50 == 0)
            await_reader(output);
    }
}

static pid_t start(void (*run)(int, long), int fd, long worker)
{
    pid_t pid = fork();

    check(pid >= 0, "fork");
    if (!pid) {
        /* if one fails, the others would wait for it */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run(fd, worker);
        _exit(0);
    }
    return pid;
}

static void start_servers(void)
{
    for (int i = 0; i < WORKERS; i++) {
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)(PORT + i))};
        int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

        check(fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), "socket");
        check(!bind(fd, (struct sockaddr *)&at, sizeof(at)) && !listen(fd, 10), "listen");
        pids[SERVER][i] = start(serve, fd, i);
        close(fd);
    }
}

static void start_clients(void)
{
    for (int i = 0; i < WORKERS; i++)
        pids[CLIENT][i] = start(be_client, -1, i);
}

static void await_all(void)
{
    int status;

    for (int i = 0; i < 2 * WORKERS; i++)
        check(wait(&status) > 0 && !status, "a process failed");
}

/* ------------------------------------------------------------- namespaces */

/* A connection that was closed first and finds no room in the backlog resets its peer. */
#define CLOSED_ONES_MAX "65536"

static void enter_namespace(enum side side)
{
    int fd = open("/proc/sys/net/ipv4/tcp_max_tw_buckets", O_WRONLY);
    struct stat st;

    check(fd >= 0 && write(fd, CLOSED_ONES_MAX, strlen(CLOSED_ONES_MAX)) > 0 && !close(fd), "tcp_max_tw_buckets");
    check(!stat("/proc/self/ns/net", &st), "namespace");
    namespaces[side] = st.st_ino;
}

static void run(const char *format, ...)
{
    char command[256];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    check(!system(command), command);
}

static void set_up_side(enum side side, const char *device)
{
    run("for n in $(seq %d); do ip addr add %s.%d.$n/16 dev %s || exit; done; ip link set %s up", SPREAD, prefix, side,
        device, device);
    enter_namespace(side);
}

/* The servers are in a namespace, with their end of the pair; this process and the clients are in another one. */
static void start_servers_apart(void)
{
    check(!unshare(CLONE_NEWNET), "unshare");
    start_servers();
    int theirs = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

    check(!unshare(CLONE_NEWNET), "unshare");
    int ours = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

    /* the kernel names the other end veth0 */
    run("ip link add burst type veth && ip link set veth0 netns %d", pids[SERVER][0]);
    check(!setns(theirs, CLONE_NEWNET), "setns");
    set_up_side(SERVER, "veth0");
    check(!setns(ours, CLONE_NEWNET), "setns");
    set_up_side(CLIENT, "burst");
}

static void start_servers_here(void)
{
    start_servers();
    enter_namespace(SERVER);
    enter_namespace(CLIENT);
}

/* ------------------------------------------------------------------- main */

static void print_pids(const char *name, enum side side)
{
    printf(",\"%s\":[", name);
    for (int i = 0; i < WORKERS; i++)
        printf("%s%d", i ? "," : "", pids[side][i]);
    printf("]");
}

static void print_facts(long ms)
{
    printf("{\"count\":%ld,\"port\":%d,\"spread\":%d,\"prefix\":\"%s\",\"ms\":%ld", count, PORT, SPREAD, prefix, ms);
    printf(",\"client_namespace\":%lu,\"server_namespace\":%lu", namespaces[CLIENT], namespaces[SERVER]);
    print_pids("clients", CLIENT);
    print_pids("servers", SERVER);
    printf(",\"client_sent\":%lld,\"client_received\":%lld", done->sent[CLIENT], done->received[CLIENT]);
    printf(",\"server_sent\":%lld,\"server_received\":%lld}\n", done->sent[SERVER], done->received[SERVER]);
}

int main(int argc, char **argv)
{
    if (argc != 5 || (count = atol(argv[1])) < 10 * WORKERS) {
        fprintf(stderr, "usage: net-burst COUNT loop|veth read FILE|stop PID\n");
        return 2;
    }
    bool apart = !strcmp(argv[2], "veth");

    prefix = apart ? "10.9" : "127.9";
    if (!strcmp(argv[3], "stop"))
        reader = atoi(argv[4]);
    else
        tracer_output = argv[4];
    done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(done != MAP_FAILED, "mmap");
    if (apart)
        start_servers_apart();
    else
        start_servers_here();
    long begin = now_ms();

    start_clients();
    await_all();
    print_facts(now_ms() - begin);
    return 0;
}
