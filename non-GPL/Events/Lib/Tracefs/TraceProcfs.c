// SPDX-License-Identifier: BSD-2-Clause
/* TraceProcfs.c - see TraceProcfs.h. */
#include "TraceProcfs.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "TraceInstance.h"

#define NS_PER_S UINT64_C(1000000000)
#define PATIENCE_NS 50000000 /* for a read */
#define PATIENCE_A_SECOND_NS 200000000
#define DATA_LEN 65536
#define STAT_START 22 /* fields of /proc/PID/stat, from 1 */
#define STAT_ARG_START 48

enum reader_state { READER_IDLE, READER_ASKED, READER_DONE, READER_GIVEN_UP, READER_ENDS };

struct procfs_reader {
    pthread_t thread;
    pid_t pid; /* of the process that has it */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum reader_state state;
    char path[64];
    size_t size, len;
    char data[DATA_LEN];
};

/* Threads that are stuck, whichever source they were of. */
static _Atomic unsigned int stuck;

static size_t file__read(const char *path, char *ret_data, size_t size)
{
    size_t len = 0;
    ssize_t got;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    while (fd >= 0 && len < size && (got = read(fd, ret_data + len, size - len)) > 0)
        len += (size_t)got;
    if (fd >= 0)
        close(fd);
    return len;
}

static void reader__free(struct procfs_reader *reader)
{
    pthread_cond_destroy(&reader->changed);
    pthread_mutex_destroy(&reader->lock);
    free(reader);
}

static void *reader__run(void *arg)
{
    struct procfs_reader *reader = arg;

    pthread_mutex_lock(&reader->lock);
    while (reader->state != READER_ENDS) {
        if (reader->state != READER_ASKED) {
            pthread_cond_wait(&reader->changed, &reader->lock);
            continue;
        }
        pthread_mutex_unlock(&reader->lock);
        reader->len = file__read(reader->path, reader->data, reader->size);
        pthread_mutex_lock(&reader->lock);
        if (reader->state == READER_GIVEN_UP) {
            pthread_mutex_unlock(&reader->lock);
            reader__free(reader);
            stuck--;
            return NULL;
        }
        reader->state = READER_DONE;
        pthread_cond_signal(&reader->changed);
    }
    pthread_mutex_unlock(&reader->lock);
    return NULL;
}

/* Start a thread that no signal is delivered to. NULL if that fails. */
static struct procfs_reader *reader__create(void)
{
    struct procfs_reader *reader = calloc(1, sizeof(*reader));
    pthread_condattr_t clock;
    sigset_t all, before;

    if (!reader)
        return NULL;
    pthread_mutex_init(&reader->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&reader->changed, &clock);
    pthread_condattr_destroy(&clock);
    reader->pid = getpid();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(&reader->thread, NULL, reader__run, reader);

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!err)
        return reader;
    reader__free(reader);
    return NULL;
}

void trace_procfs__fini(struct trace_procfs *procfs)
{
    struct procfs_reader *reader = procfs->reader;

    procfs->reader = NULL;
    if (!reader || reader->pid != getpid()) /* a child of the process does not have the thread */
        return;
    pthread_mutex_lock(&reader->lock);
    reader->state = READER_ENDS;
    pthread_cond_signal(&reader->changed);
    pthread_mutex_unlock(&reader->lock);
    pthread_join(reader->thread, NULL);
    reader__free(reader);
}

static uint64_t clock__now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Wait for what a thread was asked for. False if it was given up. */
static bool reader__wait(struct procfs_reader *reader, uint64_t deadline)
{
    const struct timespec until = {(time_t)(deadline / NS_PER_S), (long)(deadline % NS_PER_S)};
    int err = 0;

    while (reader->state == READER_ASKED && !err)
        err = pthread_cond_timedwait(&reader->changed, &reader->lock, &until);
    if (reader->state != READER_ASKED)
        return true;
    reader->state = READER_GIVEN_UP;
    stuck++;
    pthread_detach(reader->thread);
    return false;
}

size_t trace_procfs__read(struct trace_procfs *procfs, uint32_t tgid, const char *file, char *ret_data, size_t size)
{
    uint64_t begin = clock__now();
    size_t len = 0;

    if (begin / NS_PER_S != procfs->second) {
        procfs->second = begin / NS_PER_S;
        procfs->waited_ns = 0;
    }
    if (procfs->waited_ns > PATIENCE_A_SECOND_NS)
        return 0;
    if (!procfs->reader && stuck < TRACE_PROCFS_STUCK_MAX)
        procfs->reader = reader__create();
    struct procfs_reader *reader = procfs->reader;

    if (!reader || reader->pid != getpid())
        return 0;
    pthread_mutex_lock(&reader->lock);
    snprintf(reader->path, sizeof(reader->path), "/proc/%u/%s", tgid, file);
    reader->size = size < sizeof(reader->data) ? size : sizeof(reader->data);
    reader->state = READER_ASKED;
    pthread_cond_signal(&reader->changed);
    bool is_done = reader__wait(reader, begin + PATIENCE_NS);

    if (is_done) {
        len = reader->len;
        memcpy(ret_data, reader->data, len);
        reader->state = READER_IDLE;
    } else {
        procfs->reader = NULL;
    }
    pthread_mutex_unlock(&reader->lock);
    procfs->waited_ns += is_done ? 0 : clock__now() - begin;
    return len;
}

bool trace_procfs__is_program(uint32_t tgid, uint64_t args_begin, uint64_t time_ns)
{
    const uint64_t tick = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
    uint64_t start = UINT64_MAX, begin = 0;
    char path[64];

    snprintf(path, sizeof(path), "/proc/%u/stat", tgid);
    char *stat = trace_file__read(AT_FDCWD, path, NULL); /* waits for nobody */
    char *at = stat ? strrchr(stat, ')') : NULL;

    for (int field = 3; at && (at = strchr(at + 1, ' ')); field++) {
        if (field == STAT_START)
            start = strtoull(at + 1, NULL, 10);
        else if (field == STAT_ARG_START)
            begin = strtoull(at + 1, NULL, 10);
    }
    free(stat);
    return start <= time_ns / tick && (!args_begin || args_begin == begin);
}
