/* SPDX-License-Identifier: BSD-2-Clause */
/* Every way to make a process, by the main thread, by another one, and for the parent; and threads, which are none. */
#include "case.h"

#include <linux/sched.h>
#include <netinet/in.h>

static struct gate gate;
static int pid_pipe[2];

static long clone_raw(unsigned long flags)
{
    return syscall(SYS_clone, flags, NULL, NULL, NULL, 0);
}

static long clone3_raw(uint64_t flags, int signal)
{
    struct clone_args args = {.flags = flags, .exit_signal = signal};

    return syscall(SYS_clone3, &args, sizeof(args));
}

/* A child that lives until its namespaces have been looked at. */
static void fact__child(const char *kind, pid_t creator_tid, pid_t child)
{
    fact__object(NULL);
    fact__str("kind", kind);
    fact__int("creator_tgid", getpid());
    fact__int("creator_tid", creator_tid);
    fact__int("ppid", getpid());
    fact__int("pid", child);
    fact__namespaces("ns", child);
    fact__object_end();
    gate__open(&gate);
    CHECK(child__wait(child) == 0);
}

static void live(void)
{
    gate__wait(&gate);
    _exit(0);
}

/* A close that makes no event, which what a probe keeps of the task must survive. */
static void close_listener(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0 && !bind(fd, (void *)&any, sizeof(any)) && !listen(fd, 1) && !close(fd));
}

/* A macro: what comes out of clone must not be another function's stack frame. */
#define CREATE(kind, call)                                                                                             \
    do {                                                                                                               \
        gate__init(&gate);                                                                                             \
        close_listener();                                                                                              \
        long pid_ = (call);                                                                                            \
        CHECK(pid_ >= 0);                                                                                              \
        if (!pid_)                                                                                                     \
            live();                                                                                                    \
        fact__child(kind, thread__id(), pid_);                                                                         \
    } while (0)

static void create_by_vfork(void)
{
    pid_t pid = vfork();

    CHECK(pid >= 0);
    if (!pid)
        _exit(0);
    fact__object(NULL);
    fact__str("kind", "vfork");
    fact__int("creator_tgid", getpid());
    fact__int("creator_tid", thread__id());
    fact__int("ppid", getpid());
    fact__int("pid", pid);
    fact__object_end();
    CHECK(child__wait(pid) == 0);
}

static void *create_in_thread(void *unused)
{
    (void)unused;
    CREATE("fork in a thread", fork());
    CREATE("clone3 in a thread", clone3_raw(0, SIGCHLD));
    return NULL;
}

static void *idle_thread(void *unused)
{
    return unused;
}

/* Makes a sibling of itself: the creator is this process, the parent is its parent. */
static void creator(void *unused)
{
    (void)unused;
    long pid = clone_raw(CLONE_PARENT | SIGCHLD);

    CHECK(pid >= 0);
    if (!pid)
        _exit(0);
    number__send(pid_pipe[1], pid);
}

static void create_for_parent(void)
{
    CHECK(!pipe2(pid_pipe, O_CLOEXEC));
    pid_t sibling, middle = child__run(creator, NULL);

    sibling = number__receive(pid_pipe[0]);
    CHECK(child__wait(sibling) == 0);
    fact__object(NULL);
    fact__str("kind", "CLONE_PARENT");
    fact__int("creator_tgid", middle);
    fact__int("creator_tid", middle);
    fact__int("ppid", getpid());
    fact__int("pid", sibling);
    fact__object_end();
}

int main(void)
{
    CHECK(!chdir("/tmp"));
    fact__int("pid", getpid());
    fact__int("pgid", getpgrp());
    fact__int("sid", getsid(0));
    fact__array("children");
    CREATE("fork", fork());
    CREATE("fork system call", syscall(SYS_fork));
    create_by_vfork();
    CREATE("clone", clone_raw(SIGCHLD));
    CREATE("clone without a signal", clone_raw(0));
    CREATE("clone with a shared directory", clone_raw(CLONE_FS | CLONE_SYSVSEM | SIGCHLD));
    CREATE("clone in a new namespace", clone_raw(CLONE_NEWUTS | CLONE_NEWIPC | SIGCHLD));
    CREATE("clone3", clone3_raw(0, SIGCHLD));
    CREATE("clone3 in a new cgroup namespace", clone3_raw(CLONE_NEWCGROUP, SIGCHLD));
    create_for_parent();
    thread__run(create_in_thread, NULL);
    thread__run(idle_thread, NULL);
    fact__array_end();
    return facts__print();
}
