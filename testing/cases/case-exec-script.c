/* SPDX-License-Identifier: BSD-2-Clause */
/* Scripts: with an interpreter, with a script as interpreter, through a symbolic link, and by file descriptor. */
#include "case.h"

static char interpreter[256], script[256], nested[256], link_to_script[256];

static void exec_path(void *path)
{
    char *argv[] = {"zero", "one", NULL};

    execve(path, argv, child_env);
    CHECK(!"execve");
}

static void exec_fd(void *path)
{
    char *argv[] = {"zero", "one", NULL};
    int fd = open(path, O_RDONLY);

    CHECK(fd >= 0 && dup2(fd, 100) == 100);
    syscall(SYS_execveat, 100, "", argv, child_env, AT_EMPTY_PATH);
    CHECK(!"execveat");
}

static void make_script(const char *path, const char *first_line)
{
    char text[512];

    snprintf(text, sizeof(text), "#!%s\nexit 0\n", first_line);
    file__write(path, text, strlen(text), 0755);
}

static void make_files(void)
{
    char line[300];

    snprintf(interpreter, sizeof(interpreter), "%s/interpreter", case_dir);
    snprintf(script, sizeof(script), "%s/script", case_dir);
    snprintf(nested, sizeof(nested), "%s/nested-script-with-a-long-name", case_dir);
    snprintf(link_to_script, sizeof(link_to_script), "%s/link", case_dir);
    self__copy("real-interpreter");
    CHECK(!symlink("real-interpreter", interpreter));
    snprintf(line, sizeof(line), "%s -x", interpreter);
    make_script(script, line);
    make_script(nested, script);
    CHECK(!symlink("script", "link"));
}

int main(void)
{
    case__dir();
    make_files();
    fact__str("interpreter", interpreter);
    fact__str("script", script);
    fact__str("nested", nested);
    fact__str("link", link_to_script);
    fact__int("by_path", child__run(exec_path, script));
    fact__int("by_link", child__run(exec_path, link_to_script));
    fact__int("by_nested", child__run(exec_path, nested));
    fact__int("by_fd", child__run(exec_fd, script));
    fact__int("no_script", child__run(exec_path, "real-interpreter"));
    return facts__print();
}
