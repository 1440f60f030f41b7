/* SPDX-License-Identifier: BSD-2-Clause */
/* holds.h - CHECK for programs that embed the library: report what does not hold, and go on. */
#ifndef HOLDS_H
#define HOLDS_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

static int failed;

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    printf("does not hold: %s (errno %d)\n", what, errno);
    failed = 1;
}

#define CHECK(condition) check((condition), #condition)

#endif
