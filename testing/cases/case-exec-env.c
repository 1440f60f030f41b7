/* SPDX-License-Identifier: BSD-2-Clause */
/* Executions with a canary in the environment; one environment is larger than fits into a record. */
#include "case.h"

#define BIG_STRINGS 100
#define BIG_LEN 1000

static char *small[] = {
    "CASE_CHILD=0", "CANARY=the-bird-in-the-mine", "EMPTY=", "no-equals-sign", "", "LAST=x y", NULL};

static void exec_small(void *unused)
{
    char *argv[] = {"small", NULL};

    (void)unused;
    execve("/proc/self/exe", argv, small);
    CHECK(!"execve");
}

/* 100 strings of 1,000 bytes, each with its number and its NUL. */
static void exec_big(void *unused)
{
    static char strings[BIG_STRINGS][BIG_LEN];
    char *env[BIG_STRINGS + 2] = {"CASE_CHILD=0"};
    char *argv[] = {"big", NULL};

    (void)unused;
    for (int i = 0; i < BIG_STRINGS; i++) {
        memset(strings[i], 'e', BIG_LEN - 1);
        snprintf(strings[i], 9, "BIG_%03d=", i);
        strings[i][8] = 'e';
        env[i + 1] = strings[i];
    }
    execve("/proc/self/exe", argv, env);
    CHECK(!"execve");
}

int main(void)
{
    fact__int("small", child__run(exec_small, NULL));
    fact__array("small_env");
    for (char **string = small; *string; string++)
        fact__str(NULL, *string);
    fact__array_end();
    fact__int("big", child__run(exec_big, NULL));
    return facts__print();
}
