/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * start - measures the start of a tracer: from exec to its first line of output, and its peak memory by then.
 *
 *   start COMMAND...
 *
 * Prints {"start_ns":N,"cpu_ns":N,"peak_kb":N}: time that has passed, time on a processor, peak memory. In a guest with
 * --icount a nanosecond on a processor is an instruction. The rest is spent in waiting, for other processors or for a
 * timer of the kernel, and varies by tenths of a second.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* Return the time that a process has been on a processor. */
static long long cpu_ns(pid_t pid)
{
    struct timespec ts;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &ts))
        return -1;
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static long peak_kb(pid_t pid)
{
    char path[64], line[128];
    long kb = -1;

    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");

    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "VmHWM: %ld", &kb) == 1)
            break;
    if (file)
        fclose(file);
    return kb;
}

int main(int argc, char **argv)
{
    int out[2];
    char byte;

    if (argc < 2 || pipe(out)) {
        fprintf(stderr, "usage: start COMMAND...\n");
        return 2;
    }
    long long begin = now_ns();
    pid_t pid = fork();

    if (!pid) {
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        close(out[1]);
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    close(out[1]);
    if (read(out[0], &byte, 1) != 1) {
        fprintf(stderr, "start: '%s' wrote nothing\n", argv[1]);
        return 1;
    }
    printf("{\"start_ns\":%lld,\"cpu_ns\":%lld,\"peak_kb\":%ld}\n", now_ns() - begin, cpu_ns(pid), peak_kb(pid));
    kill(pid, SIGTERM);
    return waitpid(pid, NULL, 0) != pid;
}
