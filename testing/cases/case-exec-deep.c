/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long paths: many short components, very many, and a few long ones that exceed the length of a path in a system call.
 */
#include "case.h"

static char whole[16384];

/* Descend `count` directories whose names are `len` letters, a, b, c and so on. */
static void descend(int count, int len)
{
    char name[256];

    snprintf(whole, sizeof(whole), "%s", case_dir);
    CHECK(!chdir(case_dir));
    for (int i = 0; i < count; i++) {
        memset(name, 'a' + i % 26, len);
        name[len] = '\0';
        CHECK((!mkdir(name, 0755) || errno == EEXIST) && !chdir(name));
        strcat(strcat(whole, "/"), name);
    }
}

static void exec_child(void *path)
{
    char *argv[] = {"deep", NULL};

    execve(path, argv, child_env);
    CHECK(!"execve");
}

static void run(const char *key, int count, int len)
{
    descend(count, len);
    self__copy("prog");
    fact__object(key);
    fact__int("child", child__run(exec_child, "./prog"));
    fact__str("cwd", whole);
    fact__object_end();
    CHECK(!unlink("prog"));
}

int main(void)
{
    case__dir();
    run("whole", 150, 1);
    run("many", 250, 2);
    run("long", 25, 200);
    run("longest_names", 30, 255);
    return facts__print();
}
