// SPDX-License-Identifier: BSD-2-Clause
/* Processes.c - see Processes.h. */
#include "Processes.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "Threads.h"

#define BUCKETS_MIN 1024
#define TEXT_LEN 8192 /* of /proc/PID/cgroup, which has a path for each hierarchy */
#define KTHREADD 2
#define NS_PER_S UINT64_C(1000000000)

static uint32_t hash(uint32_t tgid)
{
    return tgid * 2654435761u >> 7;
}

struct process *processes__find(const struct processes *processes, uint32_t tgid)
{
    struct process *p = processes->buckets[hash(tgid) & processes->mask];

    while (p && p->pids.tgid != tgid)
        p = p->next;
    return p;
}

struct process *processes__next(const struct processes *processes, const struct process *previous)
{
    uint32_t bucket = previous ? hash(previous->pids.tgid) & processes->mask : 0;
    struct process *p = previous ? previous->next : processes->buckets[0];

    while (!p && bucket < processes->mask)
        p = processes->buckets[++bucket];
    return p;
}

/* Double the number of buckets. Without memory they stay as they are, which is only slower. */
static void processes__grow(struct processes *processes)
{
    const uint32_t mask = processes->mask * 2 + 1;
    struct process **buckets = calloc((size_t)mask + 1, sizeof(*buckets));

    if (!buckets)
        return;
    for (uint32_t i = 0; i <= processes->mask; i++) {
        struct process *p = processes->buckets[i], *next;

        for (; p; p = next) {
            struct process **bucket = &buckets[hash(p->pids.tgid) & mask];

            next = p->next;
            p->next = *bucket;
            *bucket = p;
        }
    }
    free(processes->buckets);
    processes->buckets = buckets;
    processes->mask = mask;
}

static struct process *processes__add(struct processes *processes, uint32_t tgid)
{
    struct process *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    if (processes->count > processes->mask)
        processes__grow(processes);
    struct process **bucket = &processes->buckets[hash(tgid) & processes->mask];

    p->pids.tid = p->pids.tgid = tgid;
    p->next = *bucket;
    *bucket = p;
    processes->count++;
    return p;
}

static void processes__remove(struct processes *processes, struct process *process)
{
    struct process **link = &processes->buckets[hash(process->pids.tgid) & processes->mask];

    while (*link != process)
        link = &(*link)->next;
    *link = process->next;
    processes->count--;
    free(process->cgroup);
    free(process->root_path);
    free(process);
}

void processes__end(struct processes *processes, struct process *process)
{
    struct process **slot;

    if (process->has_ended)
        return;
    process->ended_at = processes->ended_next++ % PROCESSES_ENDED;
    slot = &processes->ended[process->ended_at];
    if (*slot)
        processes__remove(processes, *slot);
    *slot = process;
    process->has_ended = true;
}

/* Its id is used again. */
static void processes__revive(struct processes *processes, const struct process *process)
{
    processes->ended[process->ended_at] = NULL;
}

void process__set_cgroup(struct process *process, const char *path, size_t len)
{
    if (process->cgroup && strlen(process->cgroup) == len && !memcmp(process->cgroup, path, len))
        return;
    free(process->cgroup);
    process->cgroup = strndup(path, len);
}

void process__set_root(struct process *process, const uint64_t root[2], const char *path)
{
    free(process->root_path);
    memcpy(process->root, root, sizeof(process->root));
    process->root_path = path ? strdup(path) : NULL;
}

/* ------------------------------------------------------------------------------ /proc */

/* Read a file of a process, cut at TEXT_LEN. Returns its length, 0 if there is none. */
static size_t proc__read(uint32_t tgid, const char *file, char ret_text[TEXT_LEN])
{
    char path[64];
    size_t len = 0;
    ssize_t got;

    snprintf(path, sizeof(path), "/proc/%u/%s", tgid, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    while (len < TEXT_LEN - 1 && (got = read(fd, ret_text + len, TEXT_LEN - 1 - len)) > 0)
        len += (size_t)got;
    close(fd);
    ret_text[len] = '\0';
    return len;
}

/*
 * Find the path in the text of /proc/PID/cgroup: a line is "NUMBER:CONTROLLERS:PATH". That of the controller pids is
 * taken, else that of version 2, whose number is 0.
 */
static const char *cgroup__find(char *text, int *ret_hierarchy)
{
    const char *found = NULL;
    char *line, *rest = text;

    while ((line = strsep(&rest, "\n"))) {
        char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;

        if (!path)
            continue;
        *path++ = '\0';
        bool is_pids = !strcmp(controllers + 1, "pids") || strstr(controllers, ",pids") ||
                       !strncmp(controllers + 1, "pids,", strlen("pids,"));

        if (is_pids || (!found && !controllers[1])) {
            found = path;
            *ret_hierarchy = atoi(line);
        }
        if (is_pids)
            break;
    }
    return found;
}

int processes__hierarchy(void)
{
    char text[TEXT_LEN];
    int hierarchy = 0;

    if (proc__read((uint32_t)getpid(), "cgroup", text))
        cgroup__find(text, &hierarchy);
    return hierarchy;
}

static void process__read_cgroup(struct process *process)
{
    char text[TEXT_LEN];
    int hierarchy;

    if (!proc__read(process->pids.tgid, "cgroup", text))
        return;
    const char *path = cgroup__find(text, &hierarchy);

    if (path)
        process__set_cgroup(process, path, strlen(path));
}

/* Return whether a process is a thread of the kernel: kthreadd, which is always process 2, or started by it. */
static bool tgid__is_kernels(const struct process *process)
{
    return process->pids.tgid == KTHREADD || process->pids.ppid == KTHREADD;
}

/*
 * Read ids, terminal and start of a process. Source: proc(5), fields 4 to 7 and 22; the start is in ticks since boot,
 * suspend included. False if it is gone.
 */
static bool process__read_stat(struct process *process)
{
    char text[TEXT_LEN], *at;
    unsigned long long start;
    int tty;

    if (!proc__read(process->pids.tgid, "stat", text) || !(at = strrchr(text, ')')) ||
        sscanf(at + 1, " %*c %u %u %u %d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
               &process->pids.ppid, &process->pids.pgid, &process->pids.sid, &tty, &start) != 5)
        return false;
    process->ctty.major = (uint32_t)tty >> 8 & 0xfff;
    process->ctty.minor = ((uint32_t)tty & 0xff) | ((uint32_t)tty >> 12 & 0xfff00);
    process->is_kernel = tgid__is_kernels(process);
    process->pids.start_time_ns = start * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
    return true;
}

static bool process__read(struct process *process)
{
    if (!process__read_stat(process))
        return false;
    namespaces__read(&process->ns, process->pids.tgid);
    process__read_cgroup(process);
    return true;
}

void process__update_parent(struct processes *processes, struct process *process)
{
    const struct process *parent = processes__find(processes, process->pids.ppid);
    const uint64_t tick = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
    struct process now = {.pids = {.tgid = process->pids.tgid}};

    if (process->has_ended || (parent && !parent->has_ended) || !process->pids.ppid || !process__read_stat(&now))
        return;
    if (now.pids.start_time_ns - process->pids.start_time_ns + tick > 2 * tick) /* its id was used again */
        return;
    process->pids.ppid = now.pids.ppid;
    if (!processes__find(processes, now.pids.ppid)) /* or it would be looked for each time */
        processes__see(processes, now.pids.ppid);
}

/* ------------------------------------------------------------------------------ table */

/* Times from /proc are cut to ticks, and include the time of suspension: a later start is that of another process. */
static bool process__may_be(const struct process *process, uint64_t start_time_ns)
{
    uint64_t tick = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);

    return process->pids.start_time_ns == start_time_ns ||
           (!(process->pids.start_time_ns % tick) && process->pids.start_time_ns + tick >= start_time_ns);
}

static void process__inherit(struct process *process, const struct process *parent)
{
    process->creds = parent->creds;
    process->ns = parent->ns;
    process->ctty = parent->ctty;
    process->trees = parent->trees;
    process__set_root(process, parent->root, parent->root_path);
    process->pids.pgid = parent->pids.pgid;
    process->pids.sid = parent->pids.sid;
    if (parent->cgroup)
        process__set_cgroup(process, parent->cgroup, strlen(parent->cgroup));
}

struct process *processes__get(struct processes *processes, uint32_t tgid, uint64_t start_time_ns,
                               const struct process *parent)
{
    struct process *p = processes__find(processes, tgid);
    bool is_new = !p || !process__may_be(p, start_time_ns);

    if (!p)
        p = processes__add(processes, tgid);
    if (p && is_new) {
        struct process *next = p->next;

        if (p->has_ended)
            processes__revive(processes, p);
        free(p->cgroup);
        free(p->root_path);
        *p = (struct process){.next = next, .pids = {.tid = tgid, .tgid = tgid}};
        if (parent && parent != p)
            process__inherit(p, parent);
        else if (process__read(p) && (parent = processes__find(processes, p->pids.ppid)))
            p->trees = parent->trees;
    }
    if (p)
        p->pids.start_time_ns = start_time_ns;
    return p;
}

struct process *processes__see(struct processes *processes, uint32_t tgid)
{
    struct process *p = processes__add(processes, tgid);
    const struct process *parent;

    if (p && !process__read(p)) {
        processes__remove(processes, p);
        return NULL;
    }
    if (p && (parent = processes__find(processes, p->pids.ppid)))
        p->trees = parent->trees;
    return p;
}

int processes__init(struct processes *processes)
{
    *processes = (struct processes){.mask = BUCKETS_MIN - 1};
    processes->buckets = calloc(BUCKETS_MIN, sizeof(*processes->buckets));
    if (!processes->buckets)
        return -ENOMEM;
    DIR *proc = opendir("/proc");
    struct dirent *entry;

    if (!proc)
        return -errno;
    while ((entry = readdir(proc))) {
        if (!isdigit((unsigned char)*entry->d_name))
            continue;
        struct process *p = processes__add(processes, (uint32_t)strtoul(entry->d_name, NULL, 10));

        if (p)
            process__read(p); /* one that is gone stays empty, until its id is used again */
    }
    closedir(proc);
    return 0;
}

void processes__fini(struct processes *processes)
{
    for (uint32_t i = 0; processes->buckets && i <= processes->mask; i++) {
        struct process *p = processes->buckets[i], *next;

        for (; p; p = next) {
            next = p->next;
            free(p->cgroup);
            free(p->root_path);
            free(p);
        }
    }
    free(processes->buckets);
    processes->buckets = NULL;
}
