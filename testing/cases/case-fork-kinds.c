/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every way to create a process, by the main thread, by another one, and for the parent; and threads, which are not
 * reported.
 */
#include "case.h"

#include <linux/sched.h>
#include <netinet/in.h>

#define CGROUPS "/sys/fs/cgroup"

static struct gate gate;
static char cgroup[64];
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

/* A child that lives until its namespaces have been read. */
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

/* A close that is no event; the note that a probe has stored with the task must survive it. */
static void close_listener(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0 && !bind(fd, (void *)&any, sizeof(any)) && !listen(fd, 1) && !close(fd));
}

/* A macro, because the child of clone must not continue in another function's stack frame. */
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

/* Creates a sibling of itself: the creator is this process, the parent is its parent. */
static void creator(void *unused)
{
    (void)unused;
    long pid = clone_raw(CLONE_PARENT | SIGCHLD);

    CHECK(pid >= 0);
    if (!pid)
        _exit(0);
    number__send(pid_pipe[1], pid);
}

/* A process of its own that shares everything that threads share. */
static int run_beside(void *unused)
{
    (void)unused;
    return 0;
}

static void create_beside(const char *kind, int flags)
{
    static char stack[65536] __attribute__((aligned(16)));
    pid_t pid = clone(run_beside, stack + sizeof(stack), flags | SIGCHLD, NULL);

    CHECK(pid >= 0);
    fact__object(NULL);
    fact__str("kind", kind);
    fact__int("creator_tgid", getpid());
    fact__int("creator_tid", thread__id());
    fact__int("ppid", getpid());
    fact__int("pid", pid);
    fact__object_end();
    CHECK(child__wait(pid) == 0);
}

static void create_into_cgroup(void)
{
    struct clone_args args = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD};

    if (mkdir(cgroup, 0755))
        return; /* no cgroups of version 2 */
    int fd = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    CHECK(fd >= 0);
    args.cgroup = (uint64_t)fd;
    CREATE("clone3 into a cgroup", syscall(SYS_clone3, &args, sizeof(args)));
    CHECK(!close(fd) && !rmdir(cgroup));
}

/* As the first process of a new pid namespace. */
static void create_in_pid_namespace(void)
{
    struct clone_args args = {.flags = CLONE_NEWPID, .exit_signal = SIGCHLD};

    CREATE("clone3 in a new pid namespace", syscall(SYS_clone3, &args, sizeof(args)));
}

/* With an id of the creator's choice, far from those in use and at most 32,767. */
static void create_with_number(void)
{
    pid_t number = getpid() > 16384 ? getpid() - 10000 : getpid() + 10000;
    struct clone_args args = {
        .exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)&number, .set_tid_size = 1};

    CREATE("clone3 with a number", syscall(SYS_clone3, &args, sizeof(args)));
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
    snprintf(cgroup, sizeof(cgroup), CGROUPS "/case-%d", getpid());
    fact__str("cgroup", cgroup + sizeof(CGROUPS) - 1);
    fact__array("children");
    CREATE("fork", fork());
#ifdef SYS_fork /* not on arm64, where fork is a clone */
    CREATE("fork system call", syscall(SYS_fork));
#endif
    create_by_vfork();
    CREATE("clone", clone_raw(SIGCHLD));
    CREATE("clone without a signal", clone_raw(0));
    CREATE("clone with a shared directory", clone_raw(CLONE_FS | CLONE_SYSVSEM | SIGCHLD));
    CREATE("clone in a new namespace", clone_raw(CLONE_NEWUTS | CLONE_NEWIPC | SIGCHLD));
    CREATE("clone3", clone3_raw(0, SIGCHLD));
    CREATE("clone3 in a new cgroup namespace", clone3_raw(CLONE_NEWCGROUP, SIGCHLD));
    create_beside("clone with shared memory", CLONE_VM);
    create_beside("clone with all that is shared but the process", CLONE_VM | CLONE_SIGHAND | CLONE_FILES | CLONE_FS);
    create_beside("clone as vfork does", CLONE_VM | CLONE_VFORK);
    create_into_cgroup();
    create_in_pid_namespace();
    create_with_number();
    create_for_parent();
    thread__run(create_in_thread, NULL);
    thread__run(idle_thread, NULL);
    fact__array_end();
    return facts__print();
}
