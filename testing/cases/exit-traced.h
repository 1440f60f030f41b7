/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exit-traced.h - processes that end while a process that is not their parent traces them: the kernel reports their end
 * to the tracer, and later to the parent.
 */
#ifndef EXIT_TRACED_H
#define EXIT_TRACED_H

#include <sys/ptrace.h>

typedef void tracer_fn(pid_t pid, int status);

static inline void tracer__waits(pid_t pid, int status)
{
    int got = child__wait(pid);

    CHECK(WIFEXITED(got) && WEXITSTATUS(got) == status);
}

/* Waits until it has ended, and ends without having reaped it. */
static inline void tracer__leaves(pid_t pid, int status)
{
    siginfo_t info;

    CHECK(!waitid(P_PID, pid, &info, WEXITED | WNOWAIT) && info.si_status == status);
}

struct traced {
    tracer_fn *tracer;
    pid_t pid;
    int status;
    int ready_pipe[2];
    struct gate gate;
};

static inline void traced__exit(void *arg)
{
    struct traced *traced = arg;

    gate__wait(&traced->gate);
    _exit(traced->status);
}

static inline void traced__trace(void *arg)
{
    struct traced *traced = arg;

    CHECK(!ptrace(PTRACE_SEIZE, traced->pid, NULL, NULL));
    number__send(traced->ready_pipe[1], 0);
    traced->tracer(traced->pid, traced->status);
}

/* Run a child of ours that ends with `status`, traced by another process. Return its id, and what wait reports. */
static inline pid_t exit_under(tracer_fn *tracer, int status, int *ret_status)
{
    struct traced traced = {.tracer = tracer, .status = status};

    gate__init(&traced.gate);
    CHECK(!pipe2(traced.ready_pipe, O_CLOEXEC));
    traced.pid = child__start(traced__exit, &traced);
    pid_t pid = child__start(traced__trace, &traced);

    number__receive(traced.ready_pipe[0]);
    CHECK(!close(traced.ready_pipe[0]) && !close(traced.ready_pipe[1]));
    gate__open(&traced.gate);
    CHECK(child__wait(pid) == 0);
    *ret_status = child__wait(traced.pid);
    return traced.pid;
}

#endif
