/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Executions through bind mounts of a directory, of one below it, and of a single file: the path is by the mount used.
 */
#include "case.h"

#include <sys/mount.h>

static void exec_child(void *path)
{
    char *argv[] = {"bind", NULL};

    CHECK(!chdir("there/sub"));
    execve(path, argv, child_env);
    CHECK(!"execve");
}

static void bind(const char *from, const char *to)
{
    CHECK(!mount(from, to, NULL, MS_BIND, NULL));
}

int main(void)
{
    case__dir();
    CHECK(!mkdir("here", 0755) && !mkdir("here/sub", 0755) && !mkdir("there", 0755) && !mkdir("nested", 0755));
    self__copy("here/prog");
    self__copy("here/sub/prog");
    file__write("file", "", 0, 0755);
    bind("here", "there");
    bind("there/sub", "nested");
    bind("here/prog", "file");
    fact__int("original", child__run(exec_child, "../../here/prog"));
    fact__int("directory", child__run(exec_child, "../prog"));
    fact__int("nested", child__run(exec_child, "../../nested/prog"));
    fact__int("file", child__run(exec_child, "../../file"));
    CHECK(!umount("file") && !umount("nested") && !umount("there"));
    return facts__print();
}
