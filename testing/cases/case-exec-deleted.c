/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Executables whose only name was removed after they had been opened. One of them has a name like a memfd's, but is
 * none.
 */
#include "case.h"

static void exec_deleted(void *name)
{
    char *argv[] = {"deleted", NULL};
    int fd = open(name, O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0 && !unlink(name));
    syscall(SYS_execveat, fd, "", argv, child_env, AT_EMPTY_PATH);
    CHECK(!"execveat");
}

int main(void)
{
    case__dir();
    self__copy("gone");
    self__copy("memfd:not-really");
    fact__int("gone", child__run(exec_deleted, "gone"));
    fact__int("not_a_memfd", child__run(exec_deleted, "memfd:not-really"));
    return facts__print();
}
