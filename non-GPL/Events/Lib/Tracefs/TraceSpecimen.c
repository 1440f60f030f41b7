// SPDX-License-Identifier: BSD-2-Clause
/* TraceSpecimen.c - see TraceSpecimen.h. */
#include "TraceSpecimen.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
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

static void child__run(int number, int ready, int end, const struct specimen *self)
{
    char byte = 0;

    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGHUP, SIG_IGN);
    signal(EXIT_SIGNAL, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
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
    if (write(ready, &byte, 1) == 1 && read(end, &byte, 1) < 0)
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

/* Create a child, and wait until it is as it is to be. */
int specimen__create(struct trace_peek *peek, struct specimen *child, int number)
{
    int ready[2], end[2];
    char byte = 1;

    snprintf(child->name, sizeof(child->name), "odd-%d-%d", number, (int)getpid() % 100000);
    for (int i = 0; i < 6; i++)
        child->ids[i] = ID_BASE + (uint32_t)(number * 1000 + i * 101);
    if (pipe2(ready, O_CLOEXEC))
        return -errno;
    if (pipe2(end, O_CLOEXEC)) {
        close(ready[0]);
        close(ready[1]);
        return -errno;
    }
    child->started = clock__now();
    /* without a signal at its end, so that nothing else in this process waits for it */
    child->pid = (pid_t)syscall(SYS_clone, 0L, NULL, NULL, NULL, NULL);
    child->seen = clock__now();
    if (!child->pid) {
        close(end[1]);
        child__run(number, ready[1], end[0], child);
    }
    close(ready[1]);
    close(end[0]);
    child->end = end[1];
    bool ok = child->pid > 0 && read(ready[0], &byte, 1) == 1 && !byte;

    close(ready[0]);
    if (!ok)
        return child->pid < 0 ? -EAGAIN : -EPERM;
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

bool specimen__finish(struct trace_peek *peek, struct specimen *child, int number)
{
    siginfo_t info;

    child->status = number ? (uint32_t)EXIT_SIGNAL : EXIT_STATUS << 8;
    bool ended = number ? !kill(child->pid, EXIT_SIGNAL) : write(child->end, "", 1) == 1;

    return ended && !waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOWAIT | __WALL) && specimen__read(peek, child);
}

void specimen__end(struct specimen *child)
{
    if (child->end > 0)
        close(child->end);
    if (child->pid > 0) {
        kill(child->pid, SIGKILL);
        waitpid(child->pid, NULL, __WALL);
    }
}
