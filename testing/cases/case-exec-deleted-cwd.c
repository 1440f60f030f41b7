/* SPDX-License-Identifier: BSD-2-Clause */
/* A working directory that is removed, and one whose parent is removed too. */
#include "case.h"

static void exec_child(void *unused)
{
    char *argv[] = {"gone", NULL};

    (void)unused;
    execve("/proc/self/exe", argv, child_env);
    CHECK(!"execve");
}

int main(void)
{
    case__dir();
    CHECK(!mkdir("gone", 0755) && !chdir("gone") && !rmdir("../gone"));
    fact__int("gone", child__run(exec_child, NULL));
    CHECK(!chdir(case_dir) && !mkdir("parent", 0755) && !mkdir("parent/child", 0755));
    int child = open("parent/child", O_PATH | O_DIRECTORY | O_CLOEXEC);

    CHECK(child >= 0 && !rmdir("parent/child") && !rmdir("parent") && !fchdir(child));
    fact__int("parent_gone", child__run(exec_child, NULL));
    return facts__print();
}
