// SPDX-License-Identifier: BSD-2-Clause
/* PointsThreads.c - see Points.h: who acts, by the tables of threads and processes. */
#include "Points.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Read the name of a thread as it is now; "" if it is gone. */
static void comm__read(uint32_t tid, char ret_comm[EBPF_COMM_LEN])
{
    char path[64];

    memset(ret_comm, 0, EBPF_COMM_LEN);
    snprintf(path, sizeof(path), "/proc/%u/comm", tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, ret_comm, EBPF_COMM_LEN); /* a newline follows */

    if (fd >= 0)
        close(fd);
    if (len > 0)
        ret_comm[len - 1] = '\0';
}

/* An id of 0 would be root's. */
static struct ebpf_cred_info creds__unknown(void)
{
    return (struct ebpf_cred_info){.ruid = POINTS_UNKNOWN_ID,
                                   .rgid = POINTS_UNKNOWN_ID,
                                   .euid = POINTS_UNKNOWN_ID,
                                   .egid = POINTS_UNKNOWN_ID,
                                   .suid = POINTS_UNKNOWN_ID,
                                   .sgid = POINTS_UNKNOWN_ID};
}

struct process *points_process__find(struct points *points, uint32_t tgid)
{
    struct process *p = tgid ? processes__find(&points->events.processes, tgid) : NULL;

    if (p || !tgid)
        return p;
    p = processes__see(&points->events.processes, tgid);
    const struct thread *t = p ? threads__find(&points->events.threads, tgid) : NULL;

    if (p) {
        p->creds = t ? t->creds : creds__unknown();
        p->live = t ? 1 : 0;
    }
    return p;
}

/* Count the threads of the table anew. */
static void threads__count(struct points *points)
{
    struct process *p = NULL;

    while ((p = processes__next(&points->events.processes, p)))
        p->live = 0;
    for (struct thread *t = NULL; (t = threads__next(&points->events.threads, t));) {
        p = processes__find(&points->events.processes, t->tgid);
        if (!p && (p = processes__see(&points->events.processes, t->tgid)))
            p->creds = creds__unknown();
        if (p)
            p->live++;
        if (p && t->tid == t->tgid)
            p->creds = t->creds;
        if (!*t->comm)
            comm__read(t->tid, t->comm);
    }
}

int points_threads__init(struct points *points)
{
    int err = processes__init(&points->events.processes);

    if (!err)
        err = threads__init(&points->events.threads);
    if (!err)
        threads__count(points);
    return err;
}

void points_threads__repair(struct points *points)
{
    struct threads again;

    if (!threads__init(&again)) {
        threads__fini(&points->events.threads);
        points->events.threads = again;
        threads__count(points);
    } else {
        threads__fini(&again);
    }
}

void points_thread__end(struct points *points, uint32_t tid)
{
    const struct thread *t = threads__known(&points->events.threads, tid);
    struct process *p = t ? processes__find(&points->events.processes, t->tgid) : NULL;

    if (p && p->live)
        p->live--;
    threads__remove(&points->events.threads, tid);
}

struct thread *points_thread__begin(struct points *points, uint32_t tid, struct process *process)
{
    points_thread__end(points, tid); /* it was read from /proc meanwhile, or the end of an earlier one was lost */
    struct thread *t = threads__get(&points->events.threads, tid, process->pids.tgid);

    if (!t)
        return NULL;
    process->live++;
    t->creds = process->creds;
    t->ns = process->ns;
    return t;
}

void points_actor__find(struct points *points, uint32_t tid, struct points_actor *ret_actor)
{
    bool is_known = threads__known(&points->events.threads, tid);
    struct thread *t = threads__find(&points->events.threads, tid);
    struct process *p = processes__find(&points->events.processes, t ? t->tgid : tid);

    if (p && t && !is_known)
        p->live++;
    else if (!p && t && (p = points_process__find(points, t->tgid)))
        p->live += tid == t->tgid ? 0 : 1;
    *ret_actor = (struct points_actor){.thread = t, .process = p, .creds = p ? p->creds : creds__unknown()};
    if (p)
        ret_actor->pids = p->pids;
    ret_actor->pids.tid = tid;
    if (!t)
        return;
    if (!*t->comm)
        comm__read(tid, t->comm);
    ret_actor->pids.tgid = t->tgid;
    ret_actor->creds = t->creds;
    ret_actor->ns = t->ns;
    memcpy(ret_actor->comm, t->comm, sizeof(t->comm));
}

bool points_actor__is_wanted(struct points *points, enum ebpf_event_type type, const struct points_actor *actor)
{
    const struct trace_actor a = {
        .process = actor->process, .uid = actor->creds.ruid, .comm = actor->comm, .ns = actor->ns};

    return trace_event__is_wanted(&points->events, type, &a, actor->pids.tgid);
}

void *points_event__begin(struct points *points, enum ebpf_event_type type, size_t size, uint64_t time_ns,
                          const char comm[EBPF_COMM_LEN])
{
    points->at.time_ns = time_ns;
    struct ebpf_event_header *hdr = trace_event__begin(&points->events, EBPF_RING_MAIN, type, size, &points->at);

    memcpy(hdr->comm, comm, EBPF_COMM_LEN);
    return hdr;
}

void points_event__end(struct points *points, const struct ebpf_event_header *hdr)
{
    trace_event__end(&points->events, EBPF_RING_MAIN, hdr);
}
