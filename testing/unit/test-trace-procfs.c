// SPDX-License-Identifier: BSD-2-Clause
/* test-trace-procfs.c - /proc is read without waiting for other processes; a pipe stands in for one that hangs. */
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "Tracefs/TraceProcfs.h"
#include "check.h"

#define NS_PER_S UINT64_C(1000000000)

static struct trace_procfs procfs;
static char data[65536];

static uint64_t now_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void test_reads(void)
{
    size_t len = trace_procfs__read(&procfs, (uint32_t)getpid(), "cmdline", data, sizeof(data));

    CHECK(len > 0 && !data[len - 1] && strstr(data, "test-trace-procfs"));
    CHECK(trace_procfs__read(&procfs, (uint32_t)getpid(), "cmdline", data, 3) == 3);
    CHECK(!trace_procfs__read(&procfs, (uint32_t)getpid(), "no-such-file", data, sizeof(data)));
    CHECK(!trace_procfs__read(&procfs, 0x7fffffff, "cmdline", data, sizeof(data)));
}

/* However many reads hang, the time for all of them is limited, and others work when they have ended. */
static void test_hangs(void)
{
    int fds[2];
    char file[32];

    if (!CHECK(!pipe2(fds, O_CLOEXEC)))
        return;
    snprintf(file, sizeof(file), "fd/%d", fds[0]);
    uint64_t begin = now_ns(CLOCK_MONOTONIC);

    for (int i = 0; i < 100; i++)
        CHECK(!trace_procfs__read(&procfs, (uint32_t)getpid(), file, data, sizeof(data)));
    CHECK(now_ns(CLOCK_MONOTONIC) - begin < 2 * NS_PER_S);
    CHECK(!procfs.reader);
    close(fds[1]); /* ends all of them */
    size_t len = 0;

    for (int i = 0; i < 100 && !len; i++) {
        usleep(50000);
        len = trace_procfs__read(&procfs, (uint32_t)getpid(), "cmdline", data, sizeof(data));
    }
    CHECK(len > 0);
    close(fds[0]);
}

static uint64_t own_args_begin(void)
{
    FILE *stat = fopen("/proc/self/stat", "re");
    char text[4096] = "";
    unsigned long long begin = 0;

    if (!stat || !fgets(text, sizeof(text), stat))
        abort();
    fclose(stat);
    char *at = strrchr(text, ')');

    for (int field = 2; at && field < 48; field++)
        at = strchr(at + 1, ' ');
    if (at)
        begin = strtoull(at, NULL, 10);
    return begin;
}

static void test_program(void)
{
    uint64_t now = now_ns(CLOCK_BOOTTIME), begin = own_args_begin();
    uint32_t self = (uint32_t)getpid();

    CHECK(begin && trace_procfs__is_program(self, begin, now));
    CHECK(trace_procfs__is_program(self, 0, now));
    CHECK(!trace_procfs__is_program(self, begin + 16, now));
    CHECK(!trace_procfs__is_program(self, begin, NS_PER_S / 1000)); /* it did not exist yet */
    CHECK(!trace_procfs__is_program(0x7fffffff, 0, now));
}

int main(void)
{
    test_reads();
    test_hangs();
    test_program();
    trace_procfs__fini(&procfs);
    trace_procfs__fini(&procfs);
    return check__report();
}
