/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A container as runtimes create them: namespaces of its own, an overlay as root, pivot_root, and then process 1, which
 * starts one more. Paths are the container's, ids those of the initial pid namespace.
 */
#include "case.h"

#include <sched.h>
#include <sys/mount.h>

static struct gate gate;
static int pid_pipe[2];

static void make_root(void)
{
    CHECK(!mkdir("lower", 0755) && !mkdir("upper", 0755) && !mkdir("work", 0755) && !mkdir("merged", 0755));
    CHECK(!mkdir("lower/bin", 0755) && !mkdir("lower/home", 0755) && !mkdir("lower/old", 0755));
    self__copy("lower/bin/prog");
}

static void enter_root(void)
{
    CHECK(!mount("overlay", "merged", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work"));
    CHECK(!syscall(SYS_pivot_root, "merged", "merged/old") && !chdir("/"));
    CHECK(!umount2("/old", MNT_DETACH));
}

static void exec_inner(void *unused)
{
    char *argv[] = {"prog", "inner", NULL};

    (void)unused;
    CHECK(getpid() == 2);
    execve("/bin/prog", argv, child_env);
    CHECK(!"execve");
}

/* Process 1 of the container; it waits until the host has read its namespaces. */
static void exec_first(void *unused)
{
    char *argv[] = {"prog", "first", NULL};

    (void)unused;
    CHECK(getpid() == 1 && !chdir("/home"));
    gate__wait(&gate);
    CHECK(child__wait(child__start(exec_inner, NULL)) == 0);
    execve("/bin/prog", argv, child_env);
    CHECK(!"execve");
}

static void container(void *unused)
{
    (void)unused;
    CHECK(!unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP));
    CHECK(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    enter_root();
    CHECK(!unshare(CLONE_NEWUSER));
    pid_t first = child__start(exec_first, NULL);

    number__send(pid_pipe[1], first);
    CHECK(child__wait(first) == 0);
}

static bool overlay__available(void)
{
    char line[128];
    bool found = false;
    FILE *file = fopen("/proc/filesystems", "re");

    CHECK(file);
    while (fgets(line, sizeof(line), file))
        found |= strstr(line, "\toverlay\n") != NULL;
    fclose(file);
    return found;
}

int main(void)
{
    if (!overlay__available())
        case__skip("the kernel has no overlayfs");
    case__dir();
    make_root();
    gate__init(&gate);
    CHECK(!pipe2(pid_pipe, O_CLOEXEC));
    fact__int("pid", getpid());
    fact__namespaces("host_ns", getpid());
    pid_t runtime = child__start(container, NULL);
    pid_t first = number__receive(pid_pipe[0]);

    fact__int("runtime", runtime);
    fact__int("first", first);
    fact__namespaces("ns", first);
    gate__open(&gate);
    CHECK(child__wait(runtime) == 0);
    return facts__print();
}
