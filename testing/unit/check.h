/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.h - checks for unit tests: CHECK counts, and reports where it fails; a test's main ends with check__report().
 */
#ifndef EBPF_TEST_CHECK_H
#define EBPF_TEST_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static unsigned long check_passed, check_failed;

static inline bool check__count(bool ok, const char *file, int line, const char *what)
{
    if (ok) {
        check_passed++;
    } else {
        check_failed++;
        printf("%s:%d: failed: %s\n", file, line, what);
    }
    return ok;
}

/* True if it holds, so that dependent checks can be skipped. */
#define CHECK(cond) check__count((cond), __FILE__, __LINE__, #cond)

static inline bool check__same(const char *got, const char *want, const char *file, int line)
{
    bool ok = got && !strcmp(got, want);

    check__count(ok, file, line, "texts are equal");
    if (!ok)
        printf("    got  %s\n    want %s\n", got ? got : "(null)", want);
    return ok;
}

#define CHECK_SAME(got, want) check__same((got), (want), __FILE__, __LINE__)

static inline int check__report(void)
{
    printf("%lu passed, %lu failed\n", check_passed, check_failed);
    return check_failed ? 1 : 0;
}

#endif
