/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arguments of a given number of bytes in all, with their NULs: one execution for each size on the command line. Each
 * argument is its number in seven digits; the last one is extended with 'x' to reach the size.
 */
#include "case.h"

#define ARG_LEN 8

static void exec_child(void *arg)
{
    unsigned int size = *(unsigned int *)arg, count = size / ARG_LEN;
    char *text = malloc(count * ARG_LEN + ARG_LEN);
    char **argv = calloc(count + 1, sizeof(*argv));

    CHECK(text && argv && count);
    for (unsigned int i = 0; i < count; i++) {
        argv[i] = text + i * ARG_LEN;
        snprintf(argv[i], ARG_LEN, "%07u", i % 10000000);
    }
    unsigned int rest = size % ARG_LEN;

    memset(argv[count - 1] + ARG_LEN - 1, 'x', rest);
    argv[count - 1][ARG_LEN - 1 + rest] = '\0';
    execve("/proc/self/exe", argv, child_env);
    CHECK(!"execve");
}

int main(int argc, char **argv)
{
    fact__object("children");
    for (int i = 1; i < argc; i++) {
        unsigned int size = strtoul(argv[i], NULL, 10);

        fact__int(argv[i], child__run(exec_child, &size));
    }
    fact__object_end();
    return facts__print();
}
