// SPDX-License-Identifier: BSD-2-Clause
/* TraceSpecimen.c - see TraceSpecimen.h. */
#include "TraceSpecimen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)
#define ID_BASE 2000000011u /* no user has such ids */
#define STAT_TTY 7          /* fields of /proc/PID/stat, from 1 */
#define STAT_ARG_START 48
#define TERMINALS 6 /* the last one is taken: small numbers are everywhere */
#define EXIT_STATUS 0x5b
#define PATIENCE_MS 5000 /* with a child: on a loaded machine it may have to wait for a processor */
#define STEP_NS 1000000
#define EXIT_SIGNAL (SIGRTMIN + 7)

static uint64_t clock__now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Get a terminal whose number and size are odd ones as the controlling terminal. */
static void terminal__take(void)
{
    const struct winsize size = {SPECIMEN_WINDOW & 0xffff, SPECIMEN_WINDOW >> 16 & 0xffff,
                                 SPECIMEN_WINDOW >> 32 & 0xffff, SPECIMEN_WINDOW >> 48};
    int master = -1, unlocked = 0;

    for (int i = 0; i < TERMINALS; i++) /* the end of this process closes them */
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked))
        return;
    int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_CLOEXEC);

    if (slave >= 0 && !ioctl(slave, TIOCSWINSZ, &size))
        ioctl(slave, TIOCSCTTY, 0);
}

/* Handle signals as a new program would, and none by the handlers of this one. All are blocked until then. */
static void signals__reset(void)
{
    sigset_t none;

    for (int number = 1; number <= SIGRTMAX; number++)
        signal(number, SIG_DFL);
    signal(SIGHUP, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child: become odd, report that, and wait. `parent` is the process that has created it. */
static void child__run(int number, int socket, const struct specimen *self, pid_t parent)
{
    char byte = 0;

    signals__reset();
    prctl(PR_SET_NAME, self->name);
    if (number)
        setpgid(0, 0);
    else if (setsid() > 0)
        terminal__take();
    if (chdir(number ? SPECIMEN_DIR : "/"))
        byte = 1;
    /* by the call itself: the C library would have all threads do it */
    syscall(SYS_setgroups, 0, NULL);
    syscall(SYS_setresgid, self->ids[1], self->ids[5], self->ids[3]);
    syscall(SYS_setresuid, self->ids[0], self->ids[4], self->ids[2]);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* other ids would take that back */
    if (getppid() == parent && write(socket, &byte, 1) == 1 && read(socket, &byte, 1) < 0)
        _exit(1);
    _exit(EXIT_STATUS);
}

/* Read the number in a field of /proc/PID/stat, counted from 1 and behind the name. */
static uint64_t stat__field(pid_t pid, int field)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    char *stat = trace_file__read(AT_FDCWD, path, NULL);
    char *at = stat ? strrchr(stat, ')') : NULL;
    uint64_t value = 0;

    for (int n = 2; at && n < field; n++) {
        at = strchr(at + 1, ' ');
    }
    if (at)
        value = strtoull(at + 1, NULL, 10);
    free(stat);
    return value;
}

/* Read the bounding set of capabilities of a process; 0 if that fails. */
static uint64_t status__bounding(pid_t pid)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    char *status = trace_file__read(AT_FDCWD, path, NULL);
    const char *line = status ? strstr(status, "CapBnd:") : NULL;
    uint64_t set = line ? strtoull(line + strlen("CapBnd:"), NULL, 16) : 0;

    free(status);
    return set;
}

static bool specimen__read(struct trace_peek *peek, struct specimen *child)
{
    for (size_t i = 0; i < TASK_WORDS; i += PEEK_WORDS) {
        if (!trace_peek__read(peek, child->task + i * 8, child->words + i))
            return false;
    }
    return true;
}

/* Create the process of a child, which then is in child__run. 0 or -errno. */
static int specimen__start(struct specimen *child, int number)
{
    const pid_t parent = getpid();
    int sockets[2];
    sigset_t all, before;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
        return -errno;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    child->started = clock__now();
    /* without a signal at its end, so that nothing else in this process waits for it */
    child->pid = (pid_t)syscall(SYS_clone, 0L, NULL, NULL, NULL, NULL);
    child->seen = clock__now();
    if (!child->pid) {
        close(sockets[0]);
        child__run(number, sockets[1], child, parent);
    }
    int err = child->pid < 0 ? -errno : 0;

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(sockets[1]);
    if (err)
        close(sockets[0]);
    child->socket = sockets[0];
    return err;
}

/* Wait until a child is as it is to be. */
static bool specimen__is_ready(const struct specimen *child)
{
    const uint64_t end = clock__now() + PATIENCE_MS * (NS_PER_S / 1000);
    struct pollfd ready = {.fd = child->socket, .events = POLLIN};
    char byte = 1;
    int got;

    do
        got = poll(&ready, 1, PATIENCE_MS);
    while (got < 0 && errno == EINTR && clock__now() < end);
    return got == 1 && recv(child->socket, &byte, 1, MSG_DONTWAIT) == 1 && !byte;
}

int specimen__create(struct trace_peek *peek, struct specimen *child, int number)
{
    snprintf(child->name, sizeof(child->name), "odd-%d-%d", number, (int)getpid() % 100000);
    for (int i = 0; i < 6; i++)
        child->ids[i] = ID_BASE + (uint32_t)(number * 1000 + i * 101);
    child->socket = -1;
    int err = specimen__start(child, number);

    if (err)
        return err;
    if (!specimen__is_ready(child))
        return -ETIMEDOUT;
    child->task = trace_peek__new_task(peek);
    child->pgid = getpgid(child->pid);
    child->sid = getsid(child->pid);
    child->arg_start = stat__field(getpid(), STAT_ARG_START); /* the same, and a process may always read its own */
    child->bounding = status__bounding(child->pid);
    uint64_t tty = stat__field(child->pid, STAT_TTY); /* as the kernel's new_encode_dev has it */

    child->tty_major = (uint32_t)(tty >> 8 & 0xfff);
    child->tty_minor = (uint32_t)((tty & 0xff) | (tty >> 12 & 0xfff00));
    return child->task && specimen__read(peek, child) ? 0 : -ENODATA;
}

/* Wait until a child has ended, and leave it to be waited for. */
static bool specimen__has_ended(const struct specimen *child)
{
    const uint64_t end = clock__now() + PATIENCE_MS * (NS_PER_S / 1000);
    siginfo_t info = {0};

    while (!info.si_pid && clock__now() < end) {
        if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOWAIT | WNOHANG | __WALL) && errno != EINTR)
            return false;
        if (!info.si_pid)
            nanosleep(&(struct timespec){.tv_nsec = STEP_NS}, NULL);
    }
    return info.si_pid;
}

bool specimen__finish(struct trace_peek *peek, struct specimen *child, int number)
{
    child->status = number ? (uint32_t)EXIT_SIGNAL : EXIT_STATUS << 8;
    bool ends = number ? !kill(child->pid, EXIT_SIGNAL) : send(child->socket, "", 1, MSG_NOSIGNAL) == 1;

    return ends && specimen__has_ended(child) && specimen__read(peek, child);
}

void specimen__end(struct specimen *child)
{
    if (child->pid > 0) {
        close(child->socket);
        kill(child->pid, SIGKILL);
        while (waitpid(child->pid, NULL, __WALL) < 0 && errno == EINTR)
            ;
    }
}
