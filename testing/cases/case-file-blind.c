/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case-file-blind: change a directory while an unprivileged process tries to use up all memory for notes of operations:
 * first with processes that stay, then with more threads than any table has room for, each with an operation of each
 * kind that fails after the probes have noted its beginning.
 */
#include "file-ops.h"

#define PROCESSES 400
#define THREADS 8500
#define ROUNDS 200
#define STACK_SIZE 16384

static void fail_each(void)
{
    CHECK(rmdir("empty") < 0 && errno == EACCES);
    CHECK(rmdir("theirs/full") < 0 && errno == ENOTEMPTY);
    CHECK(rmdir("theirs/mounted") < 0 && errno == EBUSY);
    CHECK(rmdir("theirs/read-only/dir") < 0 && errno == EROFS);
    CHECK(unlink("full/file") < 0);
    CHECK(rename("full", "other") < 0);
    CHECK(link("full/file", "other") < 0);
    CHECK(mkdir("other", 0700) < 0);
    CHECK(symlink("target", "other") < 0);
    CHECK(mknod("other", S_IFIFO | 0600, 0) < 0);
}

static void *fail_in_thread(void *unused)
{
    fail_each();
    return unused;
}

static void fail_and_stay(void *unused)
{
    (void)unused;
    fail_each();
    for (;;)
        pause();
}

/* Processes that remain until this one is ended, after it has reported that they are there. */
static void fail_in_processes(void *ready)
{
    become_nobody();
    CHECK(!setpgid(0, 0));
    for (int i = 0; i < PROCESSES; i++)
        child__start(fail_and_stay, NULL);
    CHECK(write(*(int *)ready, "", 1) == 1);
    for (;;)
        pause();
}

static void fail_in_threads(void *unused)
{
    pthread_attr_t attr;

    (void)unused;
    become_nobody();
    CHECK(!pthread_attr_init(&attr) && !pthread_attr_setstacksize(&attr, stack__least(STACK_SIZE)));
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;

        CHECK(!pthread_create(&thread, &attr, fail_in_thread, NULL) && !pthread_join(thread, NULL));
    }
}

static void deleting(const char *name)
{
    expected__begin("deletion", "FILE_DELETE");
    expected__path("path", name);
    expected__file(name);
}

/* Done by another process, so that it is no event of this one. */
static void make_places(void *unused)
{
    (void)unused;
    CHECK(!mkdir("theirs", 0777) && !chown("theirs", NOBODY, NOBODY));
    CHECK(!mkdir("theirs/full", 0777) && !mkdir("theirs/full/dir", 0777));
    CHECK(!mkdir("theirs/mounted", 0777) && !mount("mounted", "theirs/mounted", "tmpfs", 0, NULL));
    CHECK(!mkdir("theirs/read-only", 0777) && !mount("read-only", "theirs/read-only", "tmpfs", 0, NULL));
    CHECK(!mkdir("theirs/read-only/dir", 0777) && !chown("theirs/read-only", NOBODY, NOBODY));
    CHECK(!mount("read-only", "theirs/read-only", "tmpfs", MS_REMOUNT | MS_RDONLY, NULL));
}

static void operate(void)
{
    CHECK(!close(make_file("file")));
    expected__begin("rename", "FILE_RENAME");
    expected__path("old_path", "file");
    expected__path("new_path", "renamed");
    expected__file("file");
    CHECK(!rename("file", "renamed"));
    CHECK(!link("renamed", "file"));
    expected__begin("link", "FILE_LINK");
    expected__path("old_path", "renamed");
    expected__path("new_path", "file");
    expected__file("file");
    deleting("renamed");
    CHECK(!unlink("renamed"));
    deleting("file");
    CHECK(!unlink("file"));
    CHECK(!mkdir("dir", 0700));
    created("mkdir", "dir");
    deleting("dir");
    CHECK(!rmdir("dir"));
    CHECK(!symlink("target", "symlink"));
    created("symlink", "symlink");
    deleting("symlink");
    CHECK(!unlink("symlink"));
    CHECK(!mkfifo("pipe", 0600));
    created("mkfifo", "pipe");
    deleting("pipe");
    CHECK(!unlink("pipe"));
}

int main(int argc, char **argv)
{
    int ready[2], rounds = 0;
    char byte;

    fact__int("pid", getpid());
    place__make(argc, argv);
    CHECK(!chmod(case_dir, 0755));
    child__run(make_places, NULL);
    CHECK(!mkdir("full", 0755));
    created("mkdir", "full");
    CHECK(!mkdir("empty", 0755));
    created("mkdir", "empty");
    CHECK(!close(make_file("full/file")));
    operate();
    CHECK(!pipe2(ready, O_CLOEXEC));
    pid_t processes = child__start(fail_in_processes, &ready[1]);

    CHECK(read(ready[0], &byte, 1) == 1);
    operate();
    pid_t threads = child__start(fail_in_threads, NULL);

    for (siginfo_t info = {0}; rounds < ROUNDS && !info.si_pid; rounds++) {
        operate();
        CHECK(!waitid(P_PID, threads, &info, WEXITED | WNOHANG | WNOWAIT));
    }
    CHECK(child__wait(threads) == 0);
    operate();
    CHECK(!kill(-processes, SIGKILL));
    child__wait(processes);
    place__end();
    fact__int("rounds", rounds);
    return facts__print();
}
