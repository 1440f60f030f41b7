/* SPDX-License-Identifier: BSD-2-Clause */
/* Executables that are in no directory: a memfd, by descriptor and by its path in /proc. */
#include "case.h"

#include <sys/mman.h>

static int memfd;

static void exec_fd(void *unused)
{
    char *argv[] = {"by-fd", NULL};

    (void)unused;
    syscall(SYS_execveat, memfd, "", argv, child_env, AT_EMPTY_PATH);
    CHECK(!"execveat");
}

static void exec_proc(void *unused)
{
    char path[64];
    char *argv[] = {"by-proc", NULL};

    (void)unused;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd);
    execve(path, argv, child_env);
    CHECK(!"execve");
}

int main(void)
{
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    memfd = syscall(SYS_memfd_create, "case memfd", MFD_CLOEXEC);
    CHECK(self >= 0 && memfd >= 0);
    fd__copy(self, memfd);
    /* A file that is open for writing cannot be executed: continue with a read-only descriptor. */
    char path[64];
    int writable = memfd;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", writable);
    memfd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(memfd >= 0 && !close(writable));

    fact__int("by_fd", child__run(exec_fd, NULL));
    fact__int("by_proc", child__run(exec_proc, NULL));
    return facts__print();
}
