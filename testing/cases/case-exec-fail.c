/* SPDX-License-Identifier: BSD-2-Clause */
/* Executions that fail, each for another reason, and then one that succeeds, in one process. */
#include "case.h"

static void fails(const char *path, int want)
{
    char *argv[] = {"fails", NULL};

    errno = 0;
    CHECK(execve(path, argv, child_env) == -1 && errno == want);
}

static void exec_child(void *script)
{
    char *argv[] = {"succeeds", NULL};

    fails("missing", ENOENT);
    fails("garbage", ENOEXEC);
    fails("not-executable", EACCES);
    fails("garbage/x", ENOTDIR);
    fails("loop", ELOOP);
    fails("bad-script", ENOENT);
    execve(script, argv, child_env);
    CHECK(!"execve");
}

int main(void)
{
    char text[256];

    case__dir();
    self__copy("real");
    file__write("garbage", "\x7fnothing\n", 9, 0755);
    file__write("not-executable", "#!/bin/sh\n", 10, 0644);
    CHECK(!symlink("loop", "loop"));
    file__write("bad-script", "#!/no/such/interpreter\n", 23, 0755);
    snprintf(text, sizeof(text), "#!%s/real\n", case_dir);
    file__write("good-script", text, strlen(text), 0755);

    /* The note about the failed script must not appear in the event of the program that follows. */
    fact__int("program", child__run(exec_child, "real"));
    fact__int("script", child__run(exec_child, "good-script"));
    return facts__print();
}
