/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that change their root: by every kind of path, out of their root, in a thread; and those that may not. */
#include "case.h"

#include <sched.h>
#include <sys/mount.h>

#define INT80_CHROOT 61

static void succeed_by_path(void *unused)
{
    (void)unused;
    CHECK(!chroot("jail") && !chdir("/"));
    CHECK(!chroot("/inner")); /* seen from the root of before */
    CHECK(chroot("/inner") == -1 && errno == ENOENT);
}

static void succeed_from_within(void *unused)
{
    (void)unused;
    CHECK(!chdir("jail/inner") && !chroot("."));
    CHECK(!chroot("..")); /* the root is its own parent */
}

/* The way out: a working directory above the root. */
static void succeed_outwards(void *unused)
{
    (void)unused;
    CHECK(!chroot("jail/inner") && !chroot("jail"));
}

static void succeed_by_link(void *unused)
{
    (void)unused;
    CHECK(!chroot("link"));
}

static void succeed_on_mount(void *unused)
{
    (void)unused;
    CHECK(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    CHECK(!mount("none", "mount", "tmpfs", 0, NULL) && !chroot("mount"));
}

static void succeed_int80(void *unused)
{
    static const char path[] = "jail";

    (void)unused;
    CHECK(!int80(INT80_CHROOT, (uintptr_t)path, 0, 0, 0));
}

static void *chroot_thread(void *tid_pipe)
{
    number__send(*(int *)tid_pipe, thread__id());
    CHECK(!chroot("jail"));
    return NULL;
}

static void succeed_in_thread(void *tid_pipe)
{
    thread__run(chroot_thread, tid_pipe);
}

static void fail(void *unused)
{
    (void)unused;
    CHECK(chroot("none") == -1 && errno == ENOENT);
    CHECK(chroot("file") == -1 && errno == ENOTDIR);
    CHECK(syscall(SYS_chroot, NULL) == -1 && errno == EFAULT);
    become_nobody();
    CHECK(chroot("jail") == -1 && errno == EPERM);
}

/* In a user namespace of its own, anybody has the capability. */
static void succeed_as_nobody(void *unused)
{
    (void)unused;
    become_nobody();
    CHECK(!unshare(CLONE_NEWUSER) && !chroot("jail"));
}

int main(void)
{
    int fds[2];

    case__dir();
    CHECK(!mkdir("jail", 0755) && !mkdir("jail/inner", 0755) && !mkdir("mount", 0755));
    CHECK(!symlink("jail/inner", "link") && !mknod("file", S_IFREG | 0644, 0) && !pipe2(fds, O_CLOEXEC));
    bool with_int80 = int80__available();

    fact__int("by_path", child__run(succeed_by_path, NULL));
    fact__int("from_within", child__run(succeed_from_within, NULL));
    fact__int("outwards", child__run(succeed_outwards, NULL));
    fact__int("by_link", child__run(succeed_by_link, NULL));
    fact__int("on_mount", child__run(succeed_on_mount, NULL));
    if (with_int80)
        fact__int("by_int80", child__run(succeed_int80, NULL));
    fact__int("in_thread", child__run(succeed_in_thread, &fds[1]));
    fact__int("thread", number__receive(fds[0]));
    fact__int("fails", child__run(fail, NULL));
    fact__int("nobody", child__run(succeed_as_nobody, NULL));
    return facts__print();
}
