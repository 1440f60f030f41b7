/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * own-dirs: writers that change files, each in a directory of its own, so that the kernel lets them do it concurrently,
 * and message queues. Names are never reused.
 *
 *   own-dirs PLACE WRITERS ROUNDS
 *
 * Prints the number of operations of each kind, as JSON.
 */
#include <err.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(done) ((done) ? (void)0 : err(1, "%s", #done))

static void once(int id, int round)
{
    /* RLIMIT_MSGQUEUE counts the bytes that all queues of a user may hold; ten default ones are too many. */
    struct mq_attr smallest = {.mq_maxmsg = 1, .mq_msgsize = 1};
    char queue[32], dir[32], file[32], renamed[32], link_name[32], symlink_name[32], pipe_name[32];

    snprintf(queue, sizeof(queue), "q%d-%d", id, round);
    snprintf(dir, sizeof(dir), "d%d", round);
    snprintf(file, sizeof(file), "f%d", round);
    snprintf(renamed, sizeof(renamed), "r%d", round);
    snprintf(link_name, sizeof(link_name), "l%d", round);
    snprintf(symlink_name, sizeof(symlink_name), "s%d", round);
    snprintf(pipe_name, sizeof(pipe_name), "p%d", round);
    CHECK(!mkdir(dir, 0755));
    CHECK(!rmdir(dir));
    int fd = open(file, O_CREAT | O_EXCL | O_WRONLY, 0644);

    CHECK(fd >= 0);
    CHECK(write(fd, "x", 1) == 1);
    CHECK(!close(fd));
    CHECK(!rename(file, renamed));
    CHECK(!link(renamed, link_name));
    CHECK(!chmod(link_name, 0600));
    CHECK(!unlink(link_name));
    CHECK(!unlink(renamed));
    CHECK(!symlink("target", symlink_name));
    CHECK(!unlink(symlink_name));
    CHECK(!mkfifo(pipe_name, 0600));
    CHECK(!unlink(pipe_name));
    fd = syscall(SYS_mq_open, queue, O_CREAT | O_EXCL | O_RDWR, 0600, &smallest);
    CHECK(fd >= 0 && !close(fd) && !syscall(SYS_mq_unlink, queue));
}

static void be_writer(const char *place, int id, int rounds)
{
    char own[256];

    snprintf(own, sizeof(own), "%s/%d", place, id);
    CHECK(nice(10) != -1); /* the reader of the events has to keep up */
    CHECK(!mkdir(own, 0755) && !chdir(own));
    for (int i = 0; i < rounds; i++)
        once(id, i);
    _exit(0);
}

int main(int argc, char **argv)
{
    int status, writers = argc > 3 ? atoi(argv[2]) : 0, rounds = argc > 3 ? atoi(argv[3]) : 0;

    if (writers < 1 || rounds < 1)
        errx(2, "usage: own-dirs PLACE WRITERS ROUNDS");
    CHECK(!mkdir(argv[1], 0755) && !mount("own-dirs", argv[1], "tmpfs", 0, NULL));
    CHECK(!chdir(argv[1]) && !mkdir("queues", 0755) && !mount("queues", "queues", "mqueue", 0, NULL));
    for (int id = 0; id < writers; id++) {
        pid_t pid = fork();

        CHECK(pid >= 0);
        if (!pid)
            be_writer(argv[1], id, rounds);
    }
    for (int id = 0; id < writers; id++) {
        CHECK(wait(&status) > 0);
        if (status)
            errx(1, "a writer ended with wait status %d", status);
    }
    int all = writers * rounds;

    printf("{\"FILE_CREATE\":%d,\"FILE_DELETE\":%d,\"FILE_RENAME\":%d,\"FILE_LINK\":%d,\"FILE_MODIFY\":%d}\n",
           1 + writers + 5 * all, 6 * all, all, all, 2 * all);
    return 0;
}
