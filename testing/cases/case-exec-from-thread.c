/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread that is not the leader executes a program: the other threads end, and it takes over the process' id. */
#include "case.h"

#define EXIT_STATUS "5"

static int tid_pipe[2];

static void *exec_thread(void *unused)
{
    static char *const env[] = {"CASE_CHILD=" EXIT_STATUS, NULL};
    char *argv[] = {"from-thread", NULL};

    (void)unused;
    number__send(tid_pipe[1], thread__id());
    execve("/proc/self/exe", argv, env);
    CHECK(!"execve");
    return NULL;
}

static void *waiting_thread(void *gate)
{
    char c;

    CHECK(read(((struct gate *)gate)->fds[0], &c, 1) >= 0);
    return NULL;
}

/* Two threads, one of them the leader, are in a system call meanwhile. */
static void threaded_child(void *gate)
{
    pthread_t thread;

    CHECK(!pthread_create(&thread, NULL, waiting_thread, gate));
    thread__run(exec_thread, NULL);
}

int main(void)
{
    struct gate gate;

    gate__init(&gate);
    CHECK(!pipe2(tid_pipe, O_CLOEXEC));
    pid_t child = child__start(threaded_child, &gate);

    fact__int("child", child);
    fact__int("thread", number__receive(tid_pipe[0]));
    fact__int("wait_status", child__wait(child));
    return facts__print();
}
