/* SPDX-License-Identifier: BSD-2-Clause */
/* A set-user-ID and set-group-ID executable run by nobody; and once more by a process that may not gain privileges. */
#include "case.h"

#include <grp.h>


static void exec_as_nobody(void *no_new_privs)
{
    char *argv[] = {"setuid", NULL};

    CHECK(!setgroups(0, NULL));
    become_nobody();
    if (no_new_privs)
        CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    execve("privileged", argv, child_env);
    CHECK(!"execve");
}

int main(void)
{
    case__dir();
    self__copy("privileged");
    CHECK(!chown("privileged", 0, 0) && !chmod("privileged", 06755));
    fact__int("nobody", NOBODY);
    fact__int("gains", child__run(exec_as_nobody, NULL));
    fact__int("gains_nothing", child__run(exec_as_nobody, "no_new_privs"));
    return facts__print();
}
