// SPDX-License-Identifier: BSD-2-Clause
/*
 * mark-leavers THREADS ROUNDS VICTIMS - in each round THREADS threads of nobody fail to change a file's mode, and end;
 * then VICTIMS threads of root each change that of a file of their own, victim-N in the current directory. Prints the
 * number of root's changes, and the milliseconds of nobody's longest round.
 */
#include <err.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOBODY 65534
#define STACK_SIZE 16384
#define CHECK(done) ((done) ? (void)0 : err(1, "%s", #done))

static int change(void *file)
{
    CHECK(!chmod(file, 0600));
    return 0;
}

static int fail_to_change(void *file)
{
    CHECK(chmod(file, 0600) < 0);
    return 0;
}

/* Run it in a thread, and wait for the end of that: faster than with pthreads. */
static void thread__run(int (*fn)(void *file), char *file)
{
    static char stack[STACK_SIZE] __attribute__((aligned(16)));

    CHECK(clone(fn, stack + STACK_SIZE, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_VFORK,
                file) > 0);
}

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void be_nobody(int threads)
{
    static char file[] = "victim-0";

    CHECK(!setgroups(0, NULL) && !setgid(NOBODY) && !setuid(NOBODY));
    for (int i = 0; i < threads; i++)
        thread__run(fail_to_change, file);
    _exit(0);
}

static void file__make(const char *name)
{
    int fd = open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);

    CHECK(fd >= 0 && !close(fd));
}

int main(int argc, char **argv)
{
    int threads = argc > 3 ? atoi(argv[1]) : 0, rounds = argc > 3 ? atoi(argv[2]) : 0, status;
    int victims = argc > 3 ? atoi(argv[3]) : 0, number = 0;
    long longest = 0;
    char name[32];

    if (threads < 1 || rounds < 1 || victims < 1)
        errx(2, "usage: mark-leavers THREADS ROUNDS VICTIMS");
    for (int i = 0; i < rounds * victims; i++) {
        snprintf(name, sizeof(name), "victim-%d", i);
        file__make(name);
    }
    for (int round = 0; round < rounds; round++) {
        long begin = now_ms();
        pid_t pid = fork();

        CHECK(pid >= 0);
        if (!pid)
            be_nobody(threads);
        CHECK(waitpid(pid, &status, 0) == pid && !status);
        longest = now_ms() - begin > longest ? now_ms() - begin : longest;
        for (int i = 0; i < victims; i++) {
            snprintf(name, sizeof(name), "victim-%d", number++);
            thread__run(change, name);
        }
    }
    printf("%d %ld\n", number, longest);
    return 0;
}
