/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case-file-actor: the acting process: threads, children, processes and threads that have changed their ids, io_uring
 * in every way that the kernel runs it, and kernel threads, whose actions are no events.
 */
#include "file-ops.h"

#include <linux/fs.h>
#include <linux/loop.h>
#include <poll.h>
#include <sys/ioctl.h>

#define USER 1001
#define OTHER_USER 1002
#define LOOP_NUMBER 77

struct actor {
    const char *what;
    pid_t tgid, tid, ppid; /* 0: not compared */
    uid_t ruid, euid;
};

static void by(const struct actor *actor)
{
    fact__object("by");
    fact__int("tgid", actor->tgid);
    if (actor->tid)
        fact__int("tid", actor->tid);
    if (actor->ppid)
        fact__int("ppid", actor->ppid);
    fact__int("ruid", actor->ruid);
    fact__int("euid", actor->euid);
    fact__object_end();
}

/* The event that act() causes: the file is gone when it is written down. */
static void acted(const struct actor *actor, const char *file)
{
    char renamed[64];

    snprintf(renamed, sizeof(renamed), "%s2", file);
    for (int i = 0; i < 4; i++) {
        static const char *const types[] = {"FILE_CREATE", "FILE_MODIFY", "FILE_RENAME", "FILE_DELETE"};

        expected__begin(actor->what, types[i]);
        if (i == 2) {
            expected__path("old_path", file);
            expected__path("new_path", renamed);
        } else {
            expected__path("path", i == 3 ? renamed : file);
        }
        by(actor);
        fact__object_end();
    }
}

static void act(const char *file)
{
    char renamed[64];
    int fd = open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

    snprintf(renamed, sizeof(renamed), "%s2", file);
    CHECK(fd >= 0 && write(fd, "abc", 3) == 3 && !close(fd));
    CHECK(!rename(file, renamed) && !unlink(renamed));
}

/* -------------------------------------------------- threads and processes */

static void *thread_acts(void *tid)
{
    *(pid_t *)tid = thread__id();
    act("thread");
    return NULL;
}

/* Ids of this thread alone: the system call does not change others. */
static void *thread_of_user_acts(void *tid)
{
    *(pid_t *)tid = thread__id();
    CHECK(!syscall(SYS_setresuid, OTHER_USER, OTHER_USER, 0));
    act("thread-of-user");
    return NULL;
}

static void child_acts(void *unused)
{
    (void)unused;
    act("child");
}

/* Effective id back to 0 and away again, as daemons do. */
static void user_acts(void *unused)
{
    (void)unused;
    CHECK(!setresuid(OTHER_USER, USER, 0));
    act("user");
    CHECK(!seteuid(0));
    act("root-again");
    CHECK(!seteuid(USER));
    act("user-again");
}

static void threads(void)
{
    pid_t tid;

    act("main");
    acted(&(struct actor){.what = "first thread", .tgid = getpid(), .tid = getpid(), .ppid = getppid()}, "main");
    thread__run(thread_acts, &tid);
    acted(&(struct actor){.what = "thread", .tgid = getpid(), .tid = tid, .ppid = getppid()}, "thread");
    thread__run(thread_of_user_acts, &tid);
    acted(&(struct actor){.what = "thread of another user", .tgid = getpid(), .tid = tid, .ruid = OTHER_USER,
                          .euid = OTHER_USER}, "thread-of-user");
    act("main");
    acted(&(struct actor){.what = "first thread again", .tgid = getpid(), .tid = getpid()}, "main");
}

static void processes(void)
{
    pid_t child = child__run(child_acts, NULL);

    acted(&(struct actor){.what = "child", .tgid = child, .tid = child, .ppid = getpid()}, "child");
    struct actor user = {.tgid = child__run(user_acts, NULL), .ppid = getpid(), .ruid = OTHER_USER, .euid = USER};

    user.what = "another user";
    acted(&user, "user");
    user.what = "another user's effective id back";
    user.euid = 0;
    acted(&user, "root-again");
    user.euid = USER;
    acted(&user, "user-again");
}

/* ---------------------------------------------------------------- io_uring */

/* Like act(). The task that runs the request reads the names from the memory of the ring's owner. */
static void ring__act(struct ring *r, unsigned char flags, const char *file, const char *renamed)
{
    struct io_uring_sqe sqe = {.opcode = IORING_OP_OPENAT, .flags = flags, .fd = AT_FDCWD, .addr = (uintptr_t)file,
                               .len = 0600, .open_flags = O_CREAT | O_EXCL | O_WRONLY};
    int fd = ring__do(r, &sqe);

    CHECK(fd >= 0);
    sqe = (struct io_uring_sqe){
        .opcode = IORING_OP_WRITE, .flags = flags, .fd = fd, .addr = (uintptr_t) "abc", .len = 3};
    CHECK(ring__do(r, &sqe) == 3);
    close(fd); /* the thread that polls is no thread of a child */
    sqe = (struct io_uring_sqe){.opcode = IORING_OP_RENAMEAT, .flags = flags, .fd = AT_FDCWD, .addr = (uintptr_t)file,
                                .len = AT_FDCWD, .addr2 = (uintptr_t)renamed};
    CHECK(ring__do(r, &sqe) == 0);
    sqe = (struct io_uring_sqe){
        .opcode = IORING_OP_UNLINKAT, .flags = flags, .fd = AT_FDCWD, .addr = (uintptr_t)renamed};
    CHECK(ring__do(r, &sqe) == 0);
}

struct ring_use {
    struct ring ring;
    const struct ring_way *way;
};

static void child_of_owner_acts(void *arg)
{
    struct ring_use *use = arg;

    ring__act(&use->ring, use->way->sqe_flags, "ring-child", "ring-child2");
}

static void user_with_ring_acts(void *way_ptr)
{
    const struct ring_way *way = way_ptr;
    struct ring r;

    CHECK(!setresuid(OTHER_USER, USER, 0) && ring__open(&r, way->setup_flags));
    ring__act(&r, way->sqe_flags, "ring-user", "ring-user2");
}

/* A child that submits a request to the ring of its parent: the thread that polls is the parent's. */
static void ring_of_parent(struct ring_use *use)
{
    bool polls = use->ring.setup_flags & IORING_SETUP_SQPOLL;
    pid_t child = child__run(child_of_owner_acts, use);

    acted(&(struct actor){.what = use->way->name, .tgid = polls ? getpid() : child}, "ring-child");
}

static void rings(const struct ring_way *way)
{
    struct ring_use use = {.way = way};
    char renamed[64];

    snprintf(renamed, sizeof(renamed), "%s2", way->name);
    if (!ring__open(&use.ring, way->setup_flags))
        return;
    ring__act(&use.ring, way->sqe_flags, way->name, renamed);
    acted(&(struct actor){.what = way->name, .tgid = getpid(), .ppid = getppid()}, way->name);
    ring_of_parent(&use);
    pid_t user = child__run(user_with_ring_acts, (void *)way);

    acted(&(struct actor){.what = way->name, .tgid = user, .ruid = OTHER_USER, .euid = USER}, "ring-user");
    CHECK(!close(use.ring.fd));
}

/* ---------------------------------------------------------- kernel threads */

static void await_node(const char *path, bool there)
{
    for (int i = 0; i < DEADLINE_MS / 10 && (access(path, F_OK) == 0) != there; i++)
        poll(NULL, 0, 10);
    CHECK((access(path, F_OK) == 0) == there);
}

/* A loop device: one kernel thread creates and removes its node, another one frees blocks of the file below. */
static void kernel_threads(void)
{
    char node[64];
    static char block[512];
    uint64_t range[2] = {0, 1 << 20};

    fact__bool("module", !system("modprobe -q loop 2>/dev/null")); /* it may be built in, or missing */
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

    if (control < 0) {
        fact__str("skipped_part", "kernel threads: no loop devices");
        return;
    }
    snprintf(node, sizeof(node), "/dev/loop%d", LOOP_NUMBER);
    CHECK(ioctl(control, LOOP_CTL_ADD, LOOP_NUMBER) == LOOP_NUMBER);
    await_node(node, true);
    int loop = open(node, O_RDWR | O_CLOEXEC), file = open("below", O_RDWR | O_CLOEXEC);

    CHECK(loop >= 0 && file >= 0 && !ioctl(loop, LOOP_SET_FD, file));
    fact__bool("discarded", !ioctl(loop, BLKDISCARD, range));
    CHECK(write(loop, block, sizeof(block)) == sizeof(block) && !fsync(loop));
    CHECK(!ioctl(loop, LOOP_CLR_FD, 0) && !close(loop) && !close(file));
    CHECK(ioctl(control, LOOP_CTL_REMOVE, LOOP_NUMBER) >= 0 && !close(control));
    await_node(node, false);
}

/* The event that it would be if a process did it. */
static void node_by_process(void)
{
    char node[64];

    snprintf(node, sizeof(node), "/dev/loop%d", LOOP_NUMBER + 1);
    CHECK(!mknod(node, S_IFBLK | 0600, makedev(7, LOOP_NUMBER + 1)));
    expected__begin("node by a process", "FILE_CREATE");
    expected__path("path", node);
    by(&(struct actor){.tgid = getpid()});
    expected__file(node);
    expected__begin("node by a process", "FILE_DELETE");
    expected__path("path", node);
    by(&(struct actor){.tgid = getpid()});
    fact__object_end();
    CHECK(!unlink(node));
}

static void make_below(void *unused)
{
    (void)unused;
    file__write("below", "", 0, 0600);
    CHECK(!truncate("below", 4 << 20));
}

int main(void)
{
    fact__int("pid", getpid());
    case__dir();
    CHECK(!chmod(case_dir, 0777));
    fact__int("maker", child__run(make_below, NULL));
    fact__array("expected");
    threads();
    processes();
    for (size_t i = 0; i < ARRAY_LEN(ring_ways); i++)
        rings(&ring_ways[i]);
    node_by_process();
    fact__array_end();
    kernel_threads();
    return facts__print();
}
