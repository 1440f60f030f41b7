/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ATTACH and SEIZE of another process and of a thread of it, and refused attempts; and, which is not to be reported, of
 * a child, or of a process that is gone.
 */
#include "case.h"

#include <sys/ptrace.h>

#define INT80_PTRACE 26

static int pid_pipe[2];
static struct gate life;

static void *stranger_thread(void *unused)
{
    number__send(pid_pipe[1], thread__id());
    gate__wait(&life);
    _exit(0);
    return unused;
}

/* A grandchild whose parent ends: it is no child any more, and lives until the gate is opened. */
static void orphans(void *unused)
{
    pid_t pid = fork();

    (void)unused;
    CHECK(pid >= 0);
    if (pid)
        return;
    number__send(pid_pipe[1], getpid());
    thread__run(stranger_thread, NULL);
}

static void detach(pid_t tid)
{
    int status;

    CHECK(waitpid(tid, &status, __WALL) == tid && WIFSTOPPED(status));
    CHECK(!ptrace(PTRACE_DETACH, tid, NULL, NULL));
}

static void fact__attached(const char *by, long request, pid_t tid)
{
    fact__object(NULL);
    fact__str("by", by);
    fact__int("request", request);
    fact__int("child_pid", tid);
    fact__object_end();
}

static void attach(pid_t tid)
{
    CHECK(!ptrace(PTRACE_ATTACH, tid, NULL, NULL));
    fact__attached("ATTACH", PTRACE_ATTACH, tid);
    detach(tid);
}

static void seize(pid_t tid)
{
    CHECK(!ptrace(PTRACE_SEIZE, tid, NULL, NULL));
    fact__attached("SEIZE", PTRACE_SEIZE, tid);
    CHECK(!ptrace(PTRACE_INTERRUPT, tid, NULL, NULL));
    detach(tid);
}

static void attach_int80(pid_t tid)
{
    CHECK(int80(INT80_PTRACE, PTRACE_ATTACH, tid, 0, 0) == 0);
    fact__attached("int80", PTRACE_ATTACH, tid);
    detach(tid);
}

static void lives(void *gate)
{
    gate__wait(gate);
}

/* A parent that attaches to its own child, also if it is traced already, and to a process that is gone. */
static void attach_unreported(void)
{
    struct gate gate;

    gate__init(&gate);
    pid_t child = child__start(lives, &gate);

    CHECK(!ptrace(PTRACE_ATTACH, child, NULL, NULL));
    detach(child);
    CHECK(!ptrace(PTRACE_SEIZE, child, NULL, NULL));
    CHECK(ptrace(PTRACE_ATTACH, child, NULL, NULL) == -1 && errno == EPERM);
    gate__open(&gate);
    CHECK(child__wait(child) == 0);

    CHECK(ptrace(PTRACE_ATTACH, child, NULL, NULL) == -1 && errno == ESRCH);
    fact__int("own_child", child);
}

/* Attempts of nobody on a process of root's. */
static void are_denied(void *stranger)
{
    pid_t tid = *(pid_t *)stranger;

    CHECK(!setgid(NOBODY) && !setuid(NOBODY));
    CHECK(ptrace(PTRACE_ATTACH, tid, NULL, NULL) == -1 && errno == EPERM);
    CHECK(ptrace(PTRACE_SEIZE, tid, NULL, NULL) == -1 && errno == EPERM);
}

static void traced_by_wish(void *unused)
{
    (void)unused;
    CHECK(!ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

int main(void)
{
    gate__init(&life);
    CHECK(!pipe2(pid_pipe, O_CLOEXEC));
    fact__int("pid", getpid());
    bool with_int80 = int80__available();

    CHECK(child__wait(child__start(orphans, NULL)) == 0);
    pid_t stranger = number__receive(pid_pipe[0]);
    pid_t thread = number__receive(pid_pipe[0]);

    fact__int("stranger", stranger);
    fact__array("attached");
    attach(stranger);
    seize(stranger);
    attach(thread);
    seize(thread);
    if (with_int80)
        attach_int80(stranger);
    fact__array_end();
    attach_unreported();
    CHECK(ptrace(PTRACE_ATTACH, getpid(), NULL, NULL) == -1 && errno == EPERM);
    fact__int("denied", child__run(are_denied, &stranger));
    fact__int("traced_by_wish", child__run(traced_by_wish, NULL));
    gate__open(&life);
    return facts__print();
}
