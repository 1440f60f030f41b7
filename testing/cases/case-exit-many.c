/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many processes of an unprivileged user end at once. A tracer holds one thread each of more processes than the probes'
 * table has room for, so these are not over. Others end meanwhile. Then the tracer ends without having waited.
 */
#include "case.h"
#include "exit-traced.h"

#include <sys/utsname.h>

#define MANY 1700
#define TRACED 1100
#define OTHERS 80
#define OTHER_STATUS 7
#define STACK_SIZE 65536

static int tid_pipe[2], open_pipe[2];
static pid_t many[MANY], tids[TRACED];

static void *sends_its_id(void *unused)
{
    number__send(tid_pipe[1], thread__id());
    for (;;)
        pause();
    return unused;
}

/* The kernel allows as many tasks as fit into an eighth of the memory, which are too few in a small guest. */
static void allow_tasks(void)
{
    int fd = open("/proc/sys/kernel/threads-max", O_WRONLY | O_CLOEXEC);

    CHECK(fd >= 0 && dprintf(fd, "%d\n", 2 * (MANY + TRACED)) > 0 && !close(fd));
}

static void waits_for_its_end(void *is_traced)
{
    pthread_attr_t attr;
    pthread_t thread;

    struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};

    CHECK(!setrlimit(RLIMIT_NPROC, &unlimited));
    become_nobody();
    CHECK(!prctl(PR_SET_DUMPABLE, 1) && !prctl(PR_SET_PDEATHSIG, SIGKILL));
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* fails if there is no Yama */
    CHECK(!close(open_pipe[0]));
    if (is_traced) {
        CHECK(!pthread_attr_init(&attr) && !pthread_attr_setstacksize(&attr, stack__least(STACK_SIZE)));
        CHECK(!pthread_create(&thread, &attr, sends_its_id, NULL));
    }
    for (;;)
        pause();
}

static void traces_threads(void *gate)
{
    become_nobody();
    CHECK(!close(open_pipe[0]) && !close(open_pipe[1]));
    for (int i = 0; i < TRACED; i++)
        CHECK(!ptrace(PTRACE_SEIZE, tids[i], NULL, NULL));
    number__send(tid_pipe[1], 0);
    gate__wait(gate);
}

/* They hold the other end of a pipe until their files are closed. */
static void kill_many(void)
{
    char c;

    CHECK(!close(open_pipe[1]));
    for (int i = 0; i < MANY; i++)
        CHECK(!kill(many[i], SIGKILL));
    CHECK(read(open_pipe[0], &c, 1) == 0);
}

static void exits(void *unused)
{
    (void)unused;
    _exit(OTHER_STATUS);
}

/* Ends without having waited for its child, which has ended. */
static void leaves_zombie(void *fd)
{
    pid_t pid = child__start(exits, NULL);
    siginfo_t info;

    number__send(*(int *)fd, pid);
    CHECK(!waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
    _exit(OTHER_STATUS);
}

/* One more process that ends with that status; `i` varies which process is notified. */
static pid_t other__run(int i)
{
    int status;
    pid_t pid, parent;

    switch (i % 4) {
    case 0:
        pid = child__start(exits, NULL);
        status = child__wait(pid);
        break;
    case 1:
        pid = exit_under(tracer__waits, OTHER_STATUS, &status);
        break;
    case 2:
        pid = exit_under(tracer__leaves, OTHER_STATUS, &status);
        break;
    default:
        parent = child__start(leaves_zombie, &tid_pipe[1]);
        pid = number__receive(tid_pipe[0]);
        status = child__wait(parent);
    }
    CHECK(WEXITSTATUS(status) == OTHER_STATUS);
    return pid;
}

/*
 * Return the number of exits that may lack some namespaces. Before 5.13 there is no task storage for processes that
 * find no room in the table; since 7.0 its allocation may fail if a lock of the allocator is held (kmalloc_nolock).
 */
static int partial__max(const char *release)
{
    if (!strncmp(release, "5.10.", 5))
        return MANY;
    return release[0] >= '7' ? MANY / 20 : 0;
}

static void fact__pids(const char *key, const pid_t *pids, int count)
{
    fact__array(key);
    for (int i = 0; i < count; i++)
        fact__int(NULL, pids[i]);
    fact__array_end();
}

int main(void)
{
    struct utsname name;
    struct gate gate;
    pid_t others[OTHERS];

    gate__init(&gate);
    allow_tasks();
    CHECK(!pipe2(tid_pipe, O_CLOEXEC) && !pipe2(open_pipe, O_CLOEXEC) && !uname(&name));
    for (int i = 0; i < MANY; i++) {
        many[i] = child__start(waits_for_its_end, i < TRACED ? "" : NULL);
        if (i < TRACED)
            tids[i] = number__receive(tid_pipe[0]);
    }
    pid_t tracer = child__start(traces_threads, &gate);

    number__receive(tid_pipe[0]);
    kill_many();
    for (int i = 0; i < OTHERS; i++)
        others[i] = other__run(i);
    gate__open(&gate);
    CHECK(child__wait(tracer) == 0);
    for (int i = 0; i < MANY; i++)
        CHECK(WTERMSIG(child__wait(many[i])) == SIGKILL);
    fact__pids("many", many, MANY);
    fact__pids("others", others, OTHERS);
    fact__namespaces("ns", getpid());
    fact__int("partial_max", partial__max(name.release));
    return facts__print();
}
