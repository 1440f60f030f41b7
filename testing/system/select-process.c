/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * select-process - processes that a condition must not confuse.
 *
 *   select-process victim FIFO            has three threads; ends with 5 when it has read a line from FIFO
 *   select-process debugger PID FIFO      traces all threads of PID, releases it by writing to FIFO, waits for them
 *   select-process as-pid PID COMMAND...  runs COMMAND under a process id that has been used before
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define VICTIM_STATUS 5

static void check(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "select-process: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *idle(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static void read_line(const char *fifo)
{
    char line[16];
    int fd = open(fifo, O_RDONLY | O_CLOEXEC);

    check(fd >= 0 && read(fd, line, sizeof(line)) >= 0 && !close(fd), fifo);
}

static int be_victim(const char *fifo)
{
    pthread_t thread;

    check(!pthread_create(&thread, NULL, idle, NULL) && !pthread_create(&thread, NULL, idle, NULL), "threads");
    read_line(fifo);
    exit(VICTIM_STATUS);
}

static void trace_threads(const char *pid)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%s/task", pid);
    DIR *threads = opendir(path);

    check(threads != NULL, path);
    for (struct dirent *entry; (entry = readdir(threads));)
        if (entry->d_name[0] != '.')
            check(!ptrace(PTRACE_SEIZE, atoi(entry->d_name), NULL, NULL), "seize");
    closedir(threads);
}

static int be_debugger(const char *pid, const char *fifo)
{
    trace_threads(pid);
    int fd = open(fifo, O_WRONLY | O_CLOEXEC);

    check(fd >= 0 && write(fd, "\n", 1) == 1 && !close(fd), fifo);
    while (waitpid(-1, NULL, __WALL) > 0)
        ;
    check(errno == ECHILD, "wait");
    return 0;
}

static int run_as(pid_t pid, char **command)
{
    struct clone_args args = {
        .exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)&pid, .set_tid_size = 1};
    int status;
    long child = syscall(SYS_clone3, &args, sizeof(args));

    check(child >= 0, "clone3");
    if (!child) {
        execvp(command[0], command);
        _exit(127);
    }
    check(waitpid(child, &status, 0) == child, "wait");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "victim"))
        return be_victim(argv[2]);
    if (argc == 4 && !strcmp(argv[1], "debugger"))
        return be_debugger(argv[2], argv[3]);
    if (argc >= 4 && !strcmp(argv[1], "as-pid"))
        return run_as(atoi(argv[2]), argv + 3);
    return 2;
}
