/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * select-actor - changes its identity, then creates, changes, renames and deletes files in a directory, and executes a
 * program.
 *
 *   select-actor DIR ROUNDS [uid N | comm NAME | cgroup DIRECTORY | namespace | orphan]...
 *
 * With "orphan" its grandchild acts, whose parent is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "select-actor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void join_cgroup(const char *directory)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/cgroup.procs", directory);
    FILE *file = fopen(path, "w");

    check(file && fprintf(file, "%d", getpid()) > 0 && !fclose(file), path);
}

/* The child waits until its parent is gone, and its own parent until the child has ended. */
static void orphan(void)
{
    int done[2];
    char byte;

    check(!pipe(done), "pipe");
    pid_t parent = fork();

    check(parent >= 0, "fork");
    if (parent) {
        close(done[1]);
        waitpid(parent, NULL, 0);
        _exit(read(done[0], &byte, 1) != 0); /* until the last end is closed */
    }
    pid_t old = getpid(), child = fork();

    check(child >= 0, "fork");
    if (child)
        _exit(0);
    while (getppid() == old)
        sched_yield();
    close(done[0]);
}

/* Return the number of arguments used. */
static int become(char **args)
{
    if (!strcmp(args[0], "namespace")) {
        check(!unshare(CLONE_NEWNS), "unshare");
        return 1;
    }
    if (!strcmp(args[0], "orphan")) {
        orphan();
        return 1;
    }
    check(args[1] != NULL, args[0]);
    if (!strcmp(args[0], "comm"))
        check(!prctl(PR_SET_NAME, args[1]), "name");
    else if (!strcmp(args[0], "cgroup"))
        join_cgroup(args[1]);
    else if (!strcmp(args[0], "uid"))
        check(!setresuid(atoi(args[1]), atoi(args[1]), atoi(args[1])), "setresuid");
    else
        check(0, args[0]);
    return 2;
}

static void act(const char *directory, int i)
{
    char file[256], moved[256];

    snprintf(file, sizeof(file), "%s/file%d", directory, i);
    snprintf(moved, sizeof(moved), "%s/moved%d", directory, i);
    int fd = open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

    check(fd >= 0 && write(fd, "text", 4) == 4 && !close(fd), file);
    check(!rename(file, moved) && !unlink(moved), moved);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    for (int i = 3; i < argc;)
        i += become(argv + i);
    check(!mkdir(argv[1], 0755), argv[1]);
    for (int i = 0; i < atoi(argv[2]); i++)
        act(argv[1], i);
    pid_t pid = fork();

    if (!pid) {
        execl("/bin/true", "true", argv[1], NULL);
        _exit(1);
    }
    check(pid > 0 && waitpid(pid, NULL, 0) == pid, "fork");
    return 0;
}
