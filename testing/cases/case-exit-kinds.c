/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every way for a process to end. The events are compared with what wait returns; for a child whose parent does not
 * wait, with what it did.
 */
#include "case.h"
#include "exit-traced.h"

#include <sched.h>

#define THREADS 6
#define LEADER_STATUS 3
#define THREAD_STATUS 4

static void fact__ended(const char *kind, pid_t pid, int status)
{
    fact__object(NULL);
    fact__str("kind", kind);
    fact__int("pid", pid);
    fact__int("code", WIFEXITED(status) ? WEXITSTATUS(status) : 0);
    fact__int("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    fact__bool("core", WIFSIGNALED(status) && WCOREDUMP(status));
    fact__object_end();
}

static void run(const char *kind, child_fn *fn, void *arg)
{
    pid_t pid = child__start(fn, arg);

    fact__ended(kind, pid, child__wait(pid));
}

/* --------------------------------------------------------- one thread */

static void exits(void *status)
{
    _exit(*(int *)status);
}

static void dies(void *signal)
{
    struct rlimit core = {};

    CHECK(!setrlimit(RLIMIT_CORE, &core));
    kill(getpid(), *(int *)signal);
    pause();
}

static void waits(void *unused)
{
    (void)unused;
    for (;;)
        pause();
}

static void run_killed(const char *kind, child_fn *fn)
{
    pid_t pid = child__start(fn, NULL);

    CHECK(!kill(pid, SIGKILL));
    fact__ended(kind, pid, child__wait(pid));
}

static void run_simple(void)
{
    static const int statuses[] = {0, 7, 255, 256};
    static const int signals[] = {SIGTERM, SIGKILL, SIGABRT, SIGSEGV, 40};

    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        run("exit", exits, (void *)&statuses[i]);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        run("signal", dies, (void *)&signals[i]);
    run("core", crash, NULL);
    run_killed("killed by another", waits);
}

/* --------------------------------------------------------- several threads */

static int leader_alive;

/* The kernel clears it when the leader has ended, and wakes the waiter. */
static void leader__exit(void)
{
    leader_alive = syscall(SYS_set_tid_address, &leader_alive);
    syscall(SYS_exit, LEADER_STATUS);
}

static void *last_thread(void *unused)
{
    int alive;

    (void)unused;
    while ((alive = __atomic_load_n(&leader_alive, __ATOMIC_SEQ_CST)))
        syscall(SYS_futex, &leader_alive, 0 /* FUTEX_WAIT */, alive, NULL, NULL, 0);
    syscall(SYS_exit, THREAD_STATUS);
    return NULL;
}

/* The leader ends first, a thread right after it: the process' status is the leader's. */
static void leader_first(void *unused)
{
    pthread_t thread;

    (void)unused;
    leader_alive = 1;
    CHECK(!pthread_create(&thread, NULL, last_thread, NULL));
    leader__exit();
}

static bool leader__is_zombie(void)
{
    char path[64], stat[128] = "";

    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0 && read(fd, stat, sizeof(stat) - 1) > 0 && !close(fd));
    return strstr(stat, ") Z ") != NULL;
}

static void *much_later_thread(void *unused)
{
    while (!leader__is_zombie())
        sched_yield();
    syscall(SYS_exit, THREAD_STATUS);
    return unused;
}

/* The leader ends first, and is gone long before, so that it cannot be taken for the end of the process. */
static void leader_long_gone(void *unused)
{
    pthread_t thread;

    (void)unused;
    CHECK(!pthread_create(&thread, NULL, much_later_thread, NULL));
    syscall(SYS_exit, LEADER_STATUS);
}

static pthread_barrier_t barrier;

static void *racing_thread(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&barrier);
    syscall(SYS_exit, THREAD_STATUS);
    return NULL;
}

/* All threads end at once: one of them is the last, and only that one is the end of the process. */
static void all_at_once(void *unused)
{
    pthread_t thread;

    (void)unused;
    CHECK(!pthread_barrier_init(&barrier, NULL, THREADS + 1));
    for (int i = 0; i < THREADS; i++)
        CHECK(!pthread_create(&thread, NULL, racing_thread, NULL));
    pthread_barrier_wait(&barrier);
    syscall(SYS_exit, LEADER_STATUS);
}

static void *group_exit_thread(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&barrier);
    _exit(9);
}

static void *waiting_thread(void *unused)
{
    pthread_barrier_wait(&barrier);
    waits(unused);
    return NULL;
}

/* A thread ends the process while the others wait. */
static void exit_group_by_thread(void *unused)
{
    pthread_t thread;

    CHECK(!pthread_barrier_init(&barrier, NULL, THREADS + 1));
    for (int i = 0; i < THREADS - 1; i++)
        CHECK(!pthread_create(&thread, NULL, waiting_thread, NULL));
    CHECK(!pthread_create(&thread, NULL, group_exit_thread, NULL));
    pthread_barrier_wait(&barrier);
    waits(unused);
}

static void threads_killed(void *unused)
{
    pthread_t thread;

    CHECK(!pthread_barrier_init(&barrier, NULL, THREADS + 1));
    for (int i = 0; i < THREADS; i++)
        CHECK(!pthread_create(&thread, NULL, waiting_thread, NULL));
    pthread_barrier_wait(&barrier);
    kill(getpid(), SIGKILL);
    waits(unused);
}

static void run_threads(void)
{
    for (int i = 0; i < 20; i++)
        run("leader first", leader_first, NULL);
    run("leader long gone", leader_long_gone, NULL);
    for (int i = 0; i < 20; i++)
        run("all threads at once", all_at_once, NULL);
    run("exit_group by a thread", exit_group_by_thread, NULL);
    run("threads killed", threads_killed, NULL);
}

/* --------------------------------------------------------- special parents */

static void is_traced(void *unused)
{
    (void)unused;
    CHECK(!ptrace(PTRACE_TRACEME, 0, NULL, NULL));
    raise(SIGSTOP);
    _exit(21);
}

/* A tracer sees the child stop on its way out, and again when it has ended. */
static void run_traced(void)
{
    pid_t pid = child__start(is_traced, NULL);
    int status = child__wait(pid);

    CHECK(WIFSTOPPED(status));
    CHECK(!ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(long)PTRACE_O_TRACEEXIT));
    while (WIFSTOPPED(status)) {
        CHECK(!ptrace(PTRACE_CONT, pid, NULL, NULL));
        status = child__wait(pid);
    }
    fact__ended("traced", pid, status);
}

static void run_traced_by(const char *kind, tracer_fn *tracer)
{
    int status;
    pid_t pid = exit_under(tracer, 22, &status);

    fact__ended(kind, pid, status);
}

static int pid_pipe[2];

/* Its child leaves no zombie. Waiting for it fails, but not before it is gone. */
static void ignores_children(void *unused)
{
    int status = 6;

    (void)unused;
    CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    pid_t pid = child__start(exits, &status);

    number__send(pid_pipe[1], pid);
    CHECK(wait(NULL) == -1 && errno == ECHILD);
}

int main(void)
{
    case__dir();
    CHECK(!pipe2(pid_pipe, O_CLOEXEC));
    fact__namespaces("ns", getpid());
    fact__int("pid", getpid());
    fact__array("children");
    run_simple();
    run_threads();
    run_traced();
    run_traced_by("traced by a stranger", tracer__waits);
    run_traced_by("traced by a stranger that leaves", tracer__leaves);
    run("parent that ignores its children", ignores_children, NULL);
    fact__ended("ignored", number__receive(pid_pipe[0]), W_EXITCODE(6, 0));
    fact__array_end();
    return facts__print();
}
