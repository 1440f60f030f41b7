/* SPDX-License-Identifier: BSD-2-Clause */
/* Empty arguments; the last one is empty too. */
#include "case.h"

static void exec_child(void *unused)
{
    char *argv[] = {"x", "", "", NULL};

    (void)unused;
    execve("/proc/self/exe", argv, child_env);
    CHECK(!"execve");
}

int main(void)
{
    fact__int("child", child__run(exec_child, NULL));
    return facts__print();
}
