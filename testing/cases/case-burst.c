/* SPDX-License-Identifier: BSD-2-Clause */
/* A thousand short processes, eight at a time: each is created, executes a program and ends. */
#include "case.h"

#define PROCESSES 1000
#define AT_ONCE 8

int main(void)
{
    char *argv[] = {"burst", NULL};
    int started = 0, ended = 0, status;

    fact__int("pid", getpid());
    fact__array("children");
    for (; ended < PROCESSES; ended++) {
        for (; started < PROCESSES && started - ended < AT_ONCE; started++) {
            pid_t pid = fork();

            CHECK(pid >= 0);
            if (!pid) {
                execve("/proc/self/exe", argv, child_env);
                _exit(CASE_FAILED);
            }
            fact__int(NULL, pid);
        }
        CHECK(wait(&status) > 0 && status == 0);
    }
    fact__array_end();
    return facts__print();
}
