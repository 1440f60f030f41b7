/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Executions under another root directory: paths are as the process sees them. Once with a working directory outside.
 */
#include "case.h"

static void exec_child(void *cwd)
{
    char *argv[] = {"prog", "in chroot", NULL};

    CHECK(!chroot("root") && (!cwd || !chdir(cwd)));
    /* The event of a fork in there has the root path too. */
    pid_t pid = fork();

    if (pid) {
        CHECK(child__wait(pid) == 0);
        _exit(0);
    }
    execve("/bin/prog", argv, child_env);
    CHECK(!"execve");
}

int main(void)
{
    case__dir();
    CHECK(!mkdir("root", 0755) && !mkdir("root/bin", 0755) && !mkdir("root/work", 0755));
    self__copy("root/bin/prog");
    self__copy("prog");
    fact__int("pid", getpid());
    fact__int("inside", child__run(exec_child, "/work"));
    fact__int("at_root", child__run(exec_child, "/"));
    fact__int("outside", child__run(exec_child, NULL));
    return facts__print();
}
