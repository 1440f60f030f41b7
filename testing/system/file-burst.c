/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file-burst - creates, writes, renames and deletes files as fast as it can.
 *
 *   file-burst DIR COUNT read FILE    if FILE, the output of a tracer, is more than AHEAD files behind, it waits
 *   file-burst DIR COUNT stop PID     PID is stopped for the middle third; MARKED processes run meanwhile
 *
 * A file's number is in its names, cNUMBER and rNUMBER, and it has number % 100 + 1 bytes. Prints
 * {"files":N,"marked":N}.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AHEAD 400
#define MARKED 100
#define TAIL 8192
#define WAIT_US 2000
#define WAIT_MAX_S 300

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void one_file(long number)
{
    static const char content[100];
    ssize_t len = number % (long)sizeof(content) + 1;
    char created[32], renamed[32];

    snprintf(created, sizeof(created), "c%06ld", number);
    snprintf(renamed, sizeof(renamed), "r%06ld", number);
    int fd = open(created, O_CREAT | O_EXCL | O_WRONLY, 0600);

    if (fd < 0 || write(fd, content, len) != len || close(fd) || rename(created, renamed) || unlink(renamed))
        fail(created);
}

static void mark(long number)
{
    char argument[32];

    snprintf(argument, sizeof(argument), "marked-%ld", number);
    pid_t pid = fork();

    if (!pid) {
        execl("/bin/true", "true", argument, NULL);
        _exit(127);
    }
    int status;

    if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
        fail("fork");
}

/* Return the number of the last file in the output; -1 if there is none. */
static long last_reported(int out)
{
    static char tail[TAIL + 1];
    off_t size = lseek(out, 0, SEEK_END);
    ssize_t n = pread(out, tail, TAIL, size > TAIL ? size - TAIL : 0);
    long last = -1;

    tail[n > 0 ? n : 0] = '\0';
    for (char *path = tail; (path = strstr(path, "\"path\":\"")); path++) {
        char *name = strpbrk(path + 8, "\""), *slash = name;

        while (slash && *slash != '/' && slash > path)
            slash--;
        if (slash && name && (slash[1] == 'r' || slash[1] == 'c') && name - slash == 8)
            last = atol(slash + 2);
    }
    return last;
}

/* Wait until the output has this file. */
static void await(int out, long number)
{
    time_t until = time(NULL) + WAIT_MAX_S;

    while (last_reported(out) < number) {
        if (time(NULL) > until)
            fail("the reader is behind");
        usleep(WAIT_US);
    }
}

static void burst_with_reader(long count, const char *path)
{
    int out = open(path, O_RDONLY);

    if (out < 0)
        fail(path);
    for (long i = 0; i < count; i++) {
        one_file(i);
        if (i % (AHEAD / 4) == 0 && i > AHEAD)
            await(out, i - AHEAD);
    }
}

static void burst_without_reader(long count, pid_t reader)
{
    long third = count / 3, every = third / MARKED, marked = 0;

    for (long i = 0; i < count; i++) {
        if (i == third && kill(reader, SIGSTOP))
            fail("stop");
        one_file(i);
        if (i >= third && marked < MARKED && (i - third) % every == 0)
            mark(marked++);
        if (i == 2 * third && kill(reader, SIGCONT))
            fail("continue");
    }
}

int main(int argc, char **argv)
{
    long count = argc > 2 ? atol(argv[2]) : 0;
    bool reads = argc > 4 && !strcmp(argv[3], "read");

    if (argc < 5 || count < 3 * MARKED) {
        fprintf(stderr, "usage: file-burst DIR COUNT read FILE|stop PID\n");
        return 2;
    }
    if (mkdir(argv[1], 0755) || chdir(argv[1]))
        fail(argv[1]);
    if (reads)
        burst_with_reader(count, argv[4]);
    else
        burst_without_reader(count, atoi(argv[4]));
    printf("{\"files\":%ld,\"marked\":%d}\n", count, reads ? 0 : MARKED);
    return 0;
}
