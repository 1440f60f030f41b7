/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rename-race - creates, writes and deletes files in a directory that other threads rename all the time.
 *
 *   rename-race DIR COUNT
 *
 * The directory is at three places in turn, with names of different lengths, because the kernel stores short names in
 * the dentry and long ones elsewhere: DIR/p1/x, DIR/p1/<60 times y> and DIR/p2/<20 times z>. Every other combination of
 * these names is a path that never existed. Every second file is created through the open directory, the others by
 * whichever path is the right one just then. A file's number is in its name, and it has number % 997 + 1 bytes.
 *
 * Prints {"dirs":[...],"renames":N,"inodes":[...]}.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACES 3
#define CONTENT_MAX 997
#define PATH_LEN 512

static char places[PLACES][PATH_LEN / 2];
static atomic_bool ended;
static atomic_long renames;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void make_places(const char *dir)
{
    char path[PATH_LEN], y[61] = {0}, z[21] = {0};

    memset(y, 'y', 60);
    memset(z, 'z', 20);
    snprintf(places[0], sizeof(places[0]), "%s/p1/x", dir);
    snprintf(places[1], sizeof(places[1]), "%s/p1/%s", dir, y);
    snprintf(places[2], sizeof(places[2]), "%s/p2/%s", dir, z);
    for (int i = 1; i <= 2; i++) {
        snprintf(path, sizeof(path), "%s/p%d", dir, i);
        if (mkdir(path, 0755))
            fail(path);
    }
    if (mkdir(places[0], 0755))
        fail(places[0]);
}

/* Back and forth between two places; often the directory is at neither of them. */
static void *rename_between(void *second)
{
    const char *a = places[0], *b = second;

    while (!ended) {
        renames += !rename(a, b);
        renames += !rename(b, a);
    }
    return NULL;
}

static int create_by_path(const char *name)
{
    char path[PATH_LEN];

    for (int i = 0;; i = (i + 1) % PLACES) {
        snprintf(path, sizeof(path), "%s/%s", places[i], name);
        int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);

        if (fd >= 0)
            return fd;
        if (errno != ENOENT)
            fail(path);
    }
}

static ino_t one_file(int dir, long number)
{
    static char content[CONTENT_MAX];
    ssize_t len = number % CONTENT_MAX + 1;
    struct stat st;
    char name[32];

    snprintf(name, sizeof(name), "f%05ld", number);
    int fd = number % 2 ? create_by_path(name) : openat(dir, name, O_CREAT | O_EXCL | O_WRONLY, 0600);

    if (fd < 0 || write(fd, content, len) != len || fstat(fd, &st) || close(fd) || unlinkat(dir, name, 0))
        fail(name);
    return st.st_ino;
}

int main(int argc, char **argv)
{
    pthread_t threads[PLACES - 1];
    long count = argc > 2 ? atol(argv[2]) : 0;

    if (count < 1) {
        fprintf(stderr, "usage: rename-race DIR COUNT\n");
        return 2;
    }
    make_places(argv[1]);
    int dir = open(places[0], O_RDONLY | O_DIRECTORY);
    unsigned long *inodes = calloc(count, sizeof(*inodes));

    if (dir < 0 || !inodes)
        fail(places[0]);
    for (int i = 0; i < PLACES - 1; i++)
        if (pthread_create(&threads[i], NULL, rename_between, places[i + 1]))
            fail("thread");
    for (long i = 0; i < count; i++)
        inodes[i] = one_file(dir, i);
    ended = true;
    for (int i = 0; i < PLACES - 1; i++)
        pthread_join(threads[i], NULL);
    printf("{\"dirs\":[\"%s\",\"%s\",\"%s\"],\"renames\":%ld,\"inodes\":[", places[0], places[1], places[2], renames);
    for (long i = 0; i < count; i++)
        printf("%s%lu", i ? "," : "", inodes[i]);
    printf("]}\n");
    return 0;
}
