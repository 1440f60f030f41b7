/* SPDX-License-Identifier: BSD-2-Clause */
/* case-exit-zombie: a process ends without having waited for a child that has ended before. */
#include "case.h"

static void leave_zombie(void *fd)
{
    pid_t child = child__start(int80__getpid, NULL);
    siginfo_t info;

    number__send(*(int *)fd, child);
    /* It has ended, and remains. */
    CHECK(!waitid(P_PID, child, &info, WEXITED | WNOWAIT));
}

/* The root bind-mounted elsewhere, and a process with that root: mounts below it are missing there. */
static void exec_in_bound_root(void *unused)
{
    (void)unused;
    CHECK(!chroot("bound"));
    CHECK(!chdir("/"));
    execve("/opt/bin/case-exit-zombie", (char *[]){(char *)"bound", NULL}, child_env);
    die(__FILE__, __LINE__, "execve");
}

int main(void)
{
    int pipe[2];

    case__dir();
    CHECK(!pipe2(pipe, O_CLOEXEC));
    fact__int("parent", child__run(leave_zombie, &pipe[1]));
    fact__int("zombie", number__receive(pipe[0]));
    CHECK(!mkdir("bound", 0700) && !system("mount --bind / bound"));
    fact__int("bound", child__run(exec_in_bound_root, NULL));
    CHECK(!system("umount bound"));
    return facts__print();
}
