/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that the kernel starts: core_pattern pipes the core of a crashing process into this program; and one that
 * cannot be executed.
 */
#include "case.h"

#include <poll.h>
#include <sys/mount.h>

#define CORE_PATTERN "/proc/sys/kernel/core_pattern"
#define MODPROBE "/proc/sys/kernel/modprobe"
#define FIFO "/tmp/case-umh.fifo"
#define HELPER_STATUS 3

/* It prints its ids, reads the core and ends. */
static int helper(void)
{
    int fifo = open(FIFO, O_WRONLY | O_CLOEXEC);
    char core[65536];

    CHECK(fifo >= 0);
    number__send(fifo, getpid());
    while (read(0, core, sizeof(core)) > 0)
        ;
    return HELPER_STATUS;
}

/* The helper is not our child, and waiting for the crashed process does not wait for it. */
static void await_end(pid_t pid)
{
    int pidfd = syscall(SYS_pidfd_open, pid, 0);
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};

    CHECK(pidfd >= 0 ? poll(&ended, 1, DEADLINE_MS) == 1 : errno == ESRCH);
}

static void crash_with_helper(const char *program)
{
    char pattern[256];

    CHECK(!mkfifo(FIFO, 0600));
    /* Both ways, so that neither opening nor a helper that never comes blocks. */
    int fifo = open(FIFO, O_RDWR | O_CLOEXEC);

    CHECK(fifo >= 0);
    snprintf(pattern, sizeof(pattern), "|%s helper %%p", program);
    file__puts(CORE_PATTERN, pattern);
    pid_t child = child__start(crash, NULL);
    int status = child__wait(child);
    struct pollfd reported = {.fd = fifo, .events = POLLIN};

    CHECK(poll(&reported, 1, DEADLINE_MS) == 1);
    pid_t pid = number__receive(fifo);

    await_end(pid);
    CHECK(!unlink(FIFO));
    fact__int("crashed", child);
    fact__bool("core", WIFSIGNALED(status) && WCOREDUMP(status));
    fact__int("helper", pid);
    fact__int("helper_status", HELPER_STATUS);
}

static void file__gets(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0 && read(fd, text, size - 1) > 0 && !close(fd));
}

/*
 * The kernel starts two helpers that are not there: one is to load the module of a file system that does not exist, and
 * the kernel waits for its end; the other is to read a core.
 */
static void fail_to_execute(void)
{
    char saved[256] = "";

    file__gets(MODPROBE, saved, sizeof(saved));
    file__puts(MODPROBE, "/nonexistent/modprobe");
    file__puts(CORE_PATTERN, "|/nonexistent/helper %p");
    fact__int("pid", getpid());
    fact__int("begin_ns", clock__ns(CLOCK_BOOTTIME));
    CHECK(mount("none", "/tmp", "case-no-such-fs", 0, NULL) == -1 && errno == ENODEV);
    CHECK(WIFSIGNALED(child__wait(child__start(crash, NULL))));
    fact__int("end_ns", clock__ns(CLOCK_BOOTTIME));
    file__puts(MODPROBE, saved);
}

int main(int argc, char **argv)
{
    char saved[256] = "", program[256] = "";

    if (argc > 1 && !strcmp(argv[1], "helper"))
        return helper();
    file__gets(CORE_PATTERN, saved, sizeof(saved));
    CHECK(readlink("/proc/self/exe", program, sizeof(program) - 1) > 0);
    fact__str("program", program);
    crash_with_helper(program);
    fail_to_execute();
    file__puts(CORE_PATTERN, saved);
    return facts__print();
}
