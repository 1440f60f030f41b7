// SPDX-License-Identifier: BSD-2-Clause
/*
 * swapped-files - calls that wait while another thread closes or replaces their descriptor: splice to a file, a write
 * to a terminal, the receipt of a datagram, and a write to a pipe, as if it were one to a file of somebody else. Then
 * opens that create a file, and another thread that closes what they return.
 */
#include "../cases/case.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>

/* A call that another thread makes. */
struct call {
    int fd, from;
    ssize_t (*make)(const struct call *call);
    pid_t tid;
    ssize_t ret;
};

static ssize_t make_splice(const struct call *call)
{
    return splice(call->from, NULL, call->fd, NULL, 1, 0);
}

static ssize_t make_write(const struct call *call)
{
    return write(call->fd, "x", 1);
}

static ssize_t make_receive(const struct call *call)
{
    char byte;

    return recv(call->fd, &byte, 1, 0);
}

static void *call__run(void *arg)
{
    struct call *call = arg;

    __atomic_store_n(&call->tid, gettid(), __ATOMIC_SEQ_CST);
    call->ret = call->make(call);
    return NULL;
}

/* Return whether a thread waits in a system call. */
static bool waits(pid_t tid)
{
    char name[64], text[64] = "";
    snprintf(name, sizeof(name), "/proc/self/task/%d/stat", tid);
    int fd = open(name, O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && !close(fd));
    return strstr(text, ") S ") != NULL;
}

/* Begin a call, wait until it waits, and put another file under its descriptor, or none. */
static pthread_t begin(struct call *call, int other)
{
    pthread_t thread;

    CHECK(!pthread_create(&thread, NULL, call__run, call));
    for (int i = 0; i < 3000 && (!__atomic_load_n(&call->tid, __ATOMIC_SEQ_CST) || !waits(call->tid)); i++)
        usleep(10000);
    usleep(100000); /* in this call, not in what starts a thread */
    CHECK(waits(call->tid));
    CHECK(other < 0 ? !close(call->fd) : dup2(other, call->fd) == call->fd);
    return thread;
}

static void end(pthread_t thread, const struct call *call)
{
    CHECK(!pthread_join(thread, NULL) && call->ret == 1);
}

static void splice_while(int other)
{
    int pipes[2];

    CHECK(!pipe(pipes));
    struct call call = {.fd = open("swapped", O_CREAT | O_WRONLY, 0600), .from = pipes[0], .make = make_splice};
    CHECK(call.fd >= 0);
    pthread_t thread = begin(&call, other);

    CHECK(write(pipes[1], "x", 1) == 1);
    end(thread, &call);
}

/* A terminal has no room while its output is stopped. */
static void write_while(int other)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);

    CHECK(master >= 0 && !grantpt(master) && !unlockpt(master));
    struct call call = {.fd = open(ptsname(master), O_RDWR | O_NOCTTY), .make = make_write};
    CHECK(call.fd >= 0);
    int again = dup(call.fd);

    CHECK(!tcflow(again, TCOOFF));
    pthread_t thread = begin(&call, other);

    CHECK(!tcflow(again, TCOON));
    end(thread, &call);
}

static void receive_while(int other)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(to);
    struct call call = {.fd = socket(AF_INET, SOCK_DGRAM, 0), .make = make_receive};

    CHECK(!bind(call.fd, (struct sockaddr *)&to, sizeof(to)) && !getsockname(call.fd, (struct sockaddr *)&to, &len));
    pthread_t thread = begin(&call, other);
    int sender = socket(AF_INET, SOCK_DGRAM, 0);

    CHECK(sendto(sender, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1);
    end(thread, &call);
}

/* A pipe has no room while nobody reads from it. */
static void claim_write(void)
{
    char bytes[4096] = "";
    int pipes[2], file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

    CHECK(file >= 0 && !pipe(pipes) && fcntl(pipes[1], F_SETPIPE_SZ, sizeof(bytes)) == sizeof(bytes));
    CHECK(write(pipes[1], bytes, sizeof(bytes)) == sizeof(bytes));
    struct call call = {.fd = pipes[1], .make = make_write};
    pthread_t thread = begin(&call, file);

    CHECK(read(pipes[0], bytes, sizeof(bytes)) == sizeof(bytes));
    end(thread, &call);
}

#define OPENS 3000

static int next_fd;
static bool opens_are_over;

static void *close_next(UNUSED void *arg)
{
    while (!__atomic_load_n(&opens_are_over, __ATOMIC_SEQ_CST))
        close(__atomic_load_n(&next_fd, __ATOMIC_SEQ_CST));
    return NULL;
}

/* Create a file again and again. */
static void open_while_closed(void)
{
    pthread_t thread;
    int fd = dup(0);

    CHECK(fd >= 0 && !close(fd));
    __atomic_store_n(&next_fd, fd, __ATOMIC_SEQ_CST);
    CHECK(!pthread_create(&thread, NULL, close_next, NULL));
    for (int i = 0; i < OPENS; i++) {
        CHECK(open("closed", O_CREAT | O_EXCL | O_WRONLY, 0600) == fd && !unlink("closed"));
        close(fd);
    }
    __atomic_store_n(&opens_are_over, true, __ATOMIC_SEQ_CST);
    CHECK(!pthread_join(thread, NULL));
}

int main(void)
{
    int decoy = open("/dev/null", O_RDWR);

    CHECK(decoy >= 0);
    splice_while(decoy);
    splice_while(-1);
    write_while(decoy);
    receive_while(decoy);
    claim_write();
    open_while_closed();
    printf("%d\n", OPENS);
    return 0;
}
