/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * No arguments at all. Kernels since 5.18, and older ones with the fix, add an empty one; the arguments of the image
 * count.
 */
#include "case.h"

static void exec_child(void *unused)
{
    static char *const env[] = {"CASE_CHILD=argc", NULL};

    (void)unused;
    syscall(SYS_execve, "/proc/self/exe", NULL, env);
    CHECK(!"execve");
}

int main(void)
{
    pid_t pid = child__start(exec_child, NULL);
    int status = child__wait(pid);

    CHECK(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
    fact__int("child", pid);
    fact__int("argc", WEXITSTATUS(status));
    return facts__print();
}
