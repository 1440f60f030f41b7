/* SPDX-License-Identifier: BSD-2-Clause */
/* New sessions: by the main thread, by another one, by a 32-bit call, by nobody; and a refused one. */
#include "case.h"

#include <sched.h>

#define INT80_SETSID 66

static int tid_pipe[2];

static void plain(void *unused)
{
    (void)unused;
    CHECK(setsid() == getpid());
}

static void *setsid_in_thread(void *unused)
{
    number__send(tid_pipe[1], thread__id());
    CHECK(setsid() == getpid());
    return unused;
}

static void in_thread(void *unused)
{
    (void)unused;
    thread__run(setsid_in_thread, NULL);
}

static void by_int80(void *unused)
{
    (void)unused;
    CHECK(int80(INT80_SETSID, 0, 0, 0, 0) == getpid());
}

static void by_nobody(void *unused)
{
    (void)unused;
    become_nobody();
    CHECK(setsid() == getpid());
}

static void refused(void *unused)
{
    (void)unused;
    CHECK(!setpgid(0, 0));
    CHECK(setsid() == -1 && errno == EPERM);
}

/* The first process of a pid namespace, whose id is 1 in there. */
static void in_pid_namespace(void *unused)
{
    (void)unused;
    CHECK(!unshare(CLONE_NEWPID));
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (!pid) {
        CHECK(setsid() == 1);
        _exit(0);
    }
    number__send(tid_pipe[1], pid);
    CHECK(child__wait(pid) == 0);
}

int main(void)
{
    CHECK(!pipe2(tid_pipe, O_CLOEXEC));
    fact__int("pid", getpid());
    fact__namespaces("ns", getpid());
    fact__int("plain", child__run(plain, NULL));
    fact__int("in_thread", child__run(in_thread, NULL));
    fact__int("in_thread_tid", number__receive(tid_pipe[0]));
    fact__int("pid_namespace_parent", child__run(in_pid_namespace, NULL));
    fact__int("in_pid_namespace", number__receive(tid_pipe[0]));
    fact__int("by_nobody", child__run(by_nobody, NULL));
    fact__int("refused", child__run(refused, NULL));
    if (int80__available())
        fact__int("by_int80", child__run(by_int80, NULL));
    return facts__print();
}
