/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A second EventsTrace, of every process event, that writes to a terminal: each of its lines is then a terminal write,
 * and would become an event and thus another line, if its own actions were not left out. Its output is part of the
 * facts.
 */
#include "case.h"

#include <poll.h>
#include <termios.h>

#define OUTPUT_MAX (1 << 20)
#define DEADLINE_MS 300000

static int master;
static char output[OUTPUT_MAX];
static size_t output_len;

/* The slave as its standard output, with nothing translated on the way. */
static void be_tracer(void *slave_name)
{
    struct termios termios;
    int slave = open(slave_name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    CHECK(slave >= 0 && null >= 0 && !tcgetattr(slave, &termios));
    cfmakeraw(&termios);
    CHECK(!tcsetattr(slave, TCSANOW, &termios));
    CHECK(dup2(slave, 1) == 1 && dup2(null, 2) == 2);
    execlp("EventsTrace", "EventsTrace", "--process", "-i", "-u", NULL);
    CHECK(!"execlp");
}

static ssize_t output__read(uint64_t deadline)
{
    struct pollfd readable = {.fd = master, .events = POLLIN};
    uint64_t now = clock__ns(CLOCK_MONOTONIC) / 1000000;

    if (now >= deadline || poll(&readable, 1, deadline - now) != 1)
        return -1;
    CHECK(output_len < sizeof(output) - 1);
    ssize_t n = read(master, output + output_len, sizeof(output) - 1 - output_len);

    if (n > 0)
        output_len += n;
    return n;
}

static void output__await(const char *text)
{
    uint64_t deadline = clock__ns(CLOCK_MONOTONIC) / 1000000 + DEADLINE_MS;

    while (!memmem(output, output_len, text, strlen(text)))
        CHECK(output__read(deadline) > 0);
}

static void output__rest(void)
{
    uint64_t deadline = clock__ns(CLOCK_MONOTONIC) / 1000000 + DEADLINE_MS;

    while (output__read(deadline) > 0)
        ;
}

static void exec_marker(void *token)
{
    char *argv[] = {"marker", token, NULL};

    execve("/proc/self/exe", argv, child_env);
    CHECK(!"execve");
}

int main(void)
{
    char slave_name[64];

    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(master >= 0 && !grantpt(master) && !unlockpt(master) && !ptsname_r(master, slave_name, sizeof(slave_name)));
    pid_t tracer = child__start(be_tracer, slave_name);

    output__await("probes_initialized");
    fact__int("tracer", tracer);
    fact__int("first_marker", child__run(exec_marker, "own-actions-first"));
    output__await("own-actions-first");
    fact__int("last_marker", child__run(exec_marker, "own-actions-last"));
    output__await("own-actions-last");
    CHECK(!kill(tracer, SIGTERM));
    output__rest();
    fact__int("tracer_status", child__wait(tracer));
    fact__bytes("output", output, output_len);
    return facts__print();
}
