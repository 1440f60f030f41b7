// SPDX-License-Identifier: BSD-2-Clause
/* Threads.c - see Threads.h. */
#include "Threads.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUCKETS_MIN 1024
#define TEXT_LEN 16384 /* of /proc/TID/status; capabilities are missed behind more than 1,000 groups */

static struct thread **thread__bucket(const struct threads *threads, uint32_t tid)
{
    return &threads->buckets[(tid * 2654435761u >> 7) & threads->mask];
}

/* Return where the entry of a thread hangs, or would. */
static struct thread **thread__link(const struct threads *threads, uint32_t tid)
{
    struct thread **link = thread__bucket(threads, tid);

    while (*link && (*link)->tid != tid)
        link = &(*link)->next;
    return link;
}

/* Double the number of buckets. Without memory they stay as they are, which is only slower. */
static void threads__grow(struct threads *threads)
{
    struct threads grown = {.mask = threads->mask * 2 + 1, .count = threads->count};

    grown.buckets = calloc((size_t)grown.mask + 1, sizeof(*grown.buckets));
    if (!grown.buckets)
        return;
    for (uint32_t i = 0; i <= threads->mask; i++) {
        for (struct thread *t = threads->buckets[i], *next; t; t = next) {
            struct thread **bucket = thread__bucket(&grown, t->tid);

            next = t->next;
            t->next = *bucket;
            *bucket = t;
        }
    }
    free(threads->buckets);
    *threads = grown;
}

struct thread *threads__known(const struct threads *threads, uint32_t tid)
{
    return *thread__link(threads, tid);
}

struct thread *threads__next(const struct threads *threads, const struct thread *previous)
{
    struct thread **bucket = previous ? thread__bucket(threads, previous->tid) : threads->buckets;
    struct thread *t = previous ? previous->next : *bucket;

    while (!t && bucket < threads->buckets + threads->mask)
        t = *++bucket;
    return t;
}

struct thread *threads__get(struct threads *threads, uint32_t tid, uint32_t tgid)
{
    struct thread *t = *thread__link(threads, tid);

    if (t && t->tgid == tgid)
        return t;
    if (!t) {
        if (threads->count > threads->mask)
            threads__grow(threads);
        t = calloc(1, sizeof(*t));
        if (!t)
            return NULL;
        struct thread **bucket = thread__bucket(threads, tid);

        t->next = *bucket;
        *bucket = t;
        threads->count++;
    } else {
        free(t->program);
    }
    *t = (struct thread){.next = t->next, .tid = tid, .tgid = tgid, .note = t->note};
    return t;
}

void threads__remove(struct threads *threads, uint32_t tid)
{
    struct thread **link = thread__link(threads, tid), *t = *link;

    if (!t)
        return;
    *link = t->next;
    threads->count--;
    free(t->note);
    free(t->program);
    free(t);
}

/* ------------------------------------------------------------------------------ /proc */

/* Read up to four numbers of a line of /proc/TID/status, in any base. Returns how many there are. */
static int status__numbers(const char *text, const char *key, int base, unsigned long long ret[4])
{
    const char *line = strstr(text, key); /* a newline in the name of a thread is written as an escape */
    int count = 0;

    if (!line)
        return 0;
    for (line += strlen(key); count < 4 && *line != '\n'; count++) {
        char *end;

        ret[count] = strtoull(line, &end, base);
        if (end == line)
            break;
        line = end;
    }
    return count;
}

static uint32_t namespace__inum(uint32_t tid, const char *name)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof(path), "/proc/%u/ns/%s", tid, name);
    return stat(path, &st) ? 0 : (uint32_t)st.st_ino;
}

void namespaces__read(struct ebpf_ns_info *ret_ns, uint32_t tid)
{
    *ret_ns = (struct ebpf_ns_info){
        .uts = namespace__inum(tid, "uts"),
        .ipc = namespace__inum(tid, "ipc"),
        .mnt = namespace__inum(tid, "mnt"),
        .net = namespace__inum(tid, "net"),
        .cgroup = namespace__inum(tid, "cgroup"),
        .time = namespace__inum(tid, "time"),
        .pid = namespace__inum(tid, "pid"),
        .user = namespace__inum(tid, "user"),
    };
}

/* Read a thread from /proc/TID, which each thread has, although only processes are listed. False: it is gone. */
static bool thread__read(struct thread *ret_thread, uint32_t tid)
{
    char path[64], text[TEXT_LEN];
    unsigned long long tgid[4], uid[4], gid[4], permitted[4], effective[4];
    size_t len = 0;
    ssize_t got;

    snprintf(path, sizeof(path), "/proc/%u/status", tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    while (len < sizeof(text) - 1 && (got = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
        len += (size_t)got;
    close(fd);
    text[len] = '\0';
    if (status__numbers(text, "\nTgid:", 10, tgid) < 1 || status__numbers(text, "\nUid:", 10, uid) < 3 ||
        status__numbers(text, "\nGid:", 10, gid) < 3)
        return false;
    *ret_thread = (struct thread){.tid = tid, .tgid = (uint32_t)tgid[0]};
    ret_thread->creds = (struct ebpf_cred_info){
        .ruid = (uint32_t)uid[0],
        .rgid = (uint32_t)gid[0],
        .euid = (uint32_t)uid[1],
        .egid = (uint32_t)gid[1],
        .suid = (uint32_t)uid[2],
        .sgid = (uint32_t)gid[2],
        .cap_permitted = status__numbers(text, "\nCapPrm:", 16, permitted) ? permitted[0] : 0,
        .cap_effective = status__numbers(text, "\nCapEff:", 16, effective) ? effective[0] : 0,
    };
    namespaces__read(&ret_thread->ns, tid);
    return true;
}

static struct thread *threads__add(struct threads *threads, uint32_t tid)
{
    struct thread read, *t;

    if (!thread__read(&read, tid) || !(t = threads__get(threads, tid, read.tgid)))
        return NULL;
    read.next = t->next;
    read.note = t->note;
    *t = read;
    return t;
}

struct thread *threads__find(struct threads *threads, uint32_t tid)
{
    struct thread *t = *thread__link(threads, tid);

    return t ? t : threads__add(threads, tid);
}

/* Call for each number that is a name in a directory. 0 or -errno. */
static int numbers__read(const char *path, void (*each)(struct threads *threads, uint32_t number),
                         struct threads *threads)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    if (!dir)
        return -errno;
    while ((entry = readdir(dir))) {
        if (isdigit((unsigned char)*entry->d_name))
            each(threads, (uint32_t)strtoul(entry->d_name, NULL, 10));
    }
    closedir(dir);
    return 0;
}

static void tid__add(struct threads *threads, uint32_t tid)
{
    threads__add(threads, tid);
}

static void tgid__add(struct threads *threads, uint32_t tgid)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%u/task", tgid);
    numbers__read(path, tid__add, threads);
}

int threads__init(struct threads *threads)
{
    *threads = (struct threads){.mask = BUCKETS_MIN - 1};
    threads->buckets = calloc(BUCKETS_MIN, sizeof(*threads->buckets));
    return threads->buckets ? numbers__read("/proc", tgid__add, threads) : -ENOMEM;
}

void threads__fini(struct threads *threads)
{
    for (uint32_t i = 0; threads->buckets && i <= threads->mask; i++) {
        for (struct thread *t = threads->buckets[i], *next; t; t = next) {
            next = t->next;
            free(t->note);
            free(t->program);
            free(t);
        }
    }
    free(threads->buckets);
    threads->buckets = NULL;
}
