/* SPDX-License-Identifier: BSD-2-Clause */
/* execveat of ordinary files: by a descriptor alone, by an O_PATH descriptor, and by a name relative to a directory. */
#include "case.h"

static char *const args[] = {"as-given", "1", NULL};

static void exec_fd(void *flags)
{
    int fd = open("real", *(int *)flags | O_CLOEXEC);

    CHECK(fd >= 0);
    syscall(SYS_execveat, fd, "", args, child_env, AT_EMPTY_PATH);
    CHECK(!"execveat");
}

static void exec_at(void *unused)
{
    int fd = open("sub", O_PATH | O_DIRECTORY | O_CLOEXEC);

    (void)unused;
    CHECK(fd >= 0 && !chdir("/"));
    syscall(SYS_execveat, fd, "../link", args, child_env, 0);
    CHECK(!"execveat");
}

int main(void)
{
    int read_only = O_RDONLY, path_only = O_PATH;

    case__dir();
    self__copy("real");
    CHECK(!symlink("real", "link") && !mkdir("sub", 0755));
    fact__int("by_fd", child__run(exec_fd, &read_only));
    fact__int("by_o_path", child__run(exec_fd, &path_only));
    fact__int("by_name_at", child__run(exec_at, NULL));
    return facts__print();
}
