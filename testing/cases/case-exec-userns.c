/* SPDX-License-Identifier: BSD-2-Clause */
/* What anybody may do: be root of a user namespace, and execute a program with all of root's capabilities in there. */
#include "case.h"

#include <sched.h>

#define ANYBODY 1000

static struct gate gate;
static int ready_pipe[2];

static void nothing(void *unused)
{
    (void)unused;
}

static void root_inside(void *unused)
{
    char *argv[] = {"true", "root-inside", NULL};

    (void)unused;
    CHECK(!setresgid(ANYBODY, ANYBODY, ANYBODY) && !setresuid(ANYBODY, ANYBODY, ANYBODY));
    CHECK(!prctl(PR_SET_DUMPABLE, 1) && !unshare(CLONE_NEWUSER));
    file__puts("/proc/self/uid_map", "0 1000 1");
    CHECK(getuid() == 0);
    child__run(nothing, NULL);
    number__send(ready_pipe[1], getpid());
    gate__wait(&gate);
    execve("/bin/true", argv, child_env);
    CHECK(!"execve");
}

int main(void)
{
    gate__init(&gate);
    CHECK(!pipe2(ready_pipe, O_CLOEXEC));
    pid_t child = child__start(root_inside, NULL);

    CHECK(number__receive(ready_pipe[0]) == child);
    fact__int("child", child);
    fact__namespaces("host_ns", getpid());
    fact__namespaces("ns", child);
    gate__open(&gate);
    CHECK(child__wait(child) == 0);
    return facts__print();
}
