/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Root directories that look like the host's and are not, or are not in the namespace of the process, and the reverse:
 * of a process that executes a program there, and of one that creates a file.
 */
#include "case.h"

#include <sched.h>
#include <sys/mount.h>

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif

#define NEW_FILE "/case-exec-root.new"

struct root {
    int fd; /* the future root directory */
    const char *program;
};

static void exec_there(void *arg)
{
    struct root *root = arg;

    CHECK(!fchdir(root->fd) && !chroot("."));
    CHECK(!close(open(NEW_FILE, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600)) && !unlink(NEW_FILE));
    execve(root->program, (char *[]){(char *)"prog", NULL}, child_env);
    die(__FILE__, __LINE__, root->program);
}

static void fact__exec(const char *kind, struct root *root)
{
    fact__object(kind);
    fact__int("pid", child__run(exec_there, root));
    fact__str("filename", root->program);
    fact__object_end();
    CHECK(!close(root->fd));
}

static void open_root(struct root *root, const char *path, const char *program)
{
    root->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    root->program = program;
    CHECK(root->fd >= 0);
}

static void mount_tmpfs(void)
{
    CHECK((!mkdir("m", 0755) || errno == EEXIST) && !mount("t", "m", "tmpfs", 0, NULL));
    CHECK(!mkdir("m/usr", 0755));
    self__copy("m/usr/prog");
}

static void run_lazily_unmounted(void)
{
    struct root root;

    mount_tmpfs();
    open_root(&root, "m/usr", "/prog");
    CHECK(!umount2("m", MNT_DETACH));
    fact__exec("unmounted", &root);
}

struct foreign {
    struct gate ready, done;
};

static void mounts_by_itself(void *arg)
{
    struct foreign *foreign = arg;

    CHECK(!unshare(CLONE_NEWNS) && !mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL));
    mount_tmpfs();
    gate__open(&foreign->ready);
    gate__wait(&foreign->done);
}

static void run_foreign(void)
{
    struct foreign foreign;
    struct root root;
    char path[256];

    gate__init(&foreign.ready);
    gate__init(&foreign.done);
    pid_t pid = child__start(mounts_by_itself, &foreign);

    gate__wait(&foreign.ready);
    snprintf(path, sizeof(path), "/proc/%d/root%s/m/usr", pid, case_dir);
    open_root(&root, path, "/prog");
    fact__exec("foreign", &root);
    gate__open(&foreign.done);
    CHECK(child__wait(pid) == 0);
}

/* A copy of the host's root mount that is mounted nowhere. */
static void run_open_tree(const char *program)
{
    struct root root = {.fd = syscall(428 /* open_tree */, AT_FDCWD, "/", OPEN_TREE_CLONE | O_CLOEXEC),
                        .program = program};

    CHECK(root.fd >= 0);
    fact__exec("open_tree", &root);
}

static void exec_with_copy_of_mounts(void *program)
{
    CHECK(!unshare(CLONE_NEWNS));
    execve(program, (char *[]){(char *)"prog", NULL}, child_env);
    die(__FILE__, __LINE__, program);
}

int main(void)
{
    char program[256] = "";

    case__dir();
    fact__str("new_file", NEW_FILE);
    CHECK(readlink("/proc/self/exe", program, sizeof(program) - 1) > 0);
    run_lazily_unmounted();
    run_foreign();
    run_open_tree(program);
    fact__object("copy");
    fact__int("pid", child__run(exec_with_copy_of_mounts, program));
    fact__str("filename", program);
    fact__object_end();
    return facts__print();
}
