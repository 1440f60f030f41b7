// SPDX-License-Identifier: BSD-2-Clause
/*
 * PointsProcess.c - see Points.h.
 *
 * PROCESS_FORK: task_newtask, in the creator. PROCESS_EXEC: sched_process_exec has the program as the caller gave it;
 * the connector's message comes next, when the event is made. PROCESS_EXIT: the connector's message of the last thread
 * that is left; each thread has one, when its files are closed. sched_process_exit, before, says whose status counts.
 */
#include "Points.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "TraceRecord.h"

#define STATUS_SIGNAL 0x7f /* of wait */
#define STATUS_CORE 0x80

/* ---------------------------------------------------------------------- records */

static void record__add_path(struct ebpf_event_header *hdr, enum ebpf_tag tag, const struct trace_path *path)
{
    trace_record__add(hdr, tag, path->data, path->len, 0, path->flags);
}

static void record__add_cgroup(struct ebpf_event_header *hdr, const struct process *process)
{
    struct trace_path path = {.flags = EBPF_VARLEN_TRUNCATED};

    if (process && process->cgroup)
        trace_path__from_text(&path, process->cgroup, strlen(process->cgroup));
    record__add_path(hdr, EBPF_TAG_CGROUP_PATH, &path);
}

/* Where a process is, as far as that is known. */
struct places {
    struct trace_path cwd, root;
};

/* Read a link of a new process and of its creator. If they differ, one has gone elsewhere, and it is not known. */
static void link__read_of_two(uint32_t tgid, uint32_t creator, const char *link, struct trace_path *path)
{
    struct trace_path other;

    if (!points_link__read(tgid, link, path))
        points_link__read(creator, link, path);
    else if (points_link__read(creator, link, &other) &&
             (path->len != other.len || memcmp(path->data, other.data, path->len)))
        *path = (struct trace_path){.flags = EBPF_VARLEN_TRUNCATED};
}

/* Return whether the root directory is known, and is not the host's. */
static bool places__have_root(const struct places *places)
{
    return places->root.len && !(places->root.flags & EBPF_VARLEN_TRUNCATED);
}

/* Make a path of /proc one that begins at the root directory of its process. */
static void path__cut_root(struct trace_path *path, const struct places *places)
{
    if (places__have_root(places) && !(path->flags & (EBPF_VARLEN_NAME_ONLY | EBPF_VARLEN_TRUNCATED)) &&
        !trace_path__cut_root(path, &places->root))
        path->flags |= EBPF_VARLEN_UNREACHABLE;
}

static void record__add_places(struct ebpf_event_header *hdr, struct places *places, const struct process *process)
{
    path__cut_root(&places->cwd, places);
    record__add_path(hdr, EBPF_TAG_CWD, &places->cwd);
    record__add_cgroup(hdr, process);
    if (places__have_root(places))
        record__add_path(hdr, EBPF_TAG_ROOT_PATH, &places->root);
}

/* ------------------------------------------------------------------------- fork */

/* Namespaces that are made for a process are not those of its creator. */
static void namespaces__forget(struct ebpf_ns_info *ns, uint64_t clone_flags)
{
    ns->uts = clone_flags & CLONE_NEWUTS ? 0 : ns->uts;
    ns->ipc = clone_flags & CLONE_NEWIPC ? 0 : ns->ipc;
    ns->mnt = clone_flags & CLONE_NEWNS ? 0 : ns->mnt;
    ns->net = clone_flags & CLONE_NEWNET ? 0 : ns->net;
    ns->cgroup = clone_flags & CLONE_NEWCGROUP ? 0 : ns->cgroup;
    ns->pid = clone_flags & CLONE_NEWPID ? 0 : ns->pid;
    ns->user = clone_flags & CLONE_NEWUSER ? 0 : ns->user;
}

/* Put a new process into the tables. NULL: it is a thread, or no memory. */
static struct process *child__begin(struct points *points, const struct trace_hit *hit, struct points_actor *creator)
{
    const uint32_t tid = (uint32_t)trace_hit__number(hit, TRACE_FIELD_PID);
    const uint64_t flags = trace_hit__number(hit, TRACE_FIELD_CLONE_FLAGS);
    struct process *p = creator->process;

    if (!(flags & CLONE_THREAD)) {
        p = processes__get(&points->events.processes, tid, hit->time_ns - (uint64_t)points->connector.boot_offset_ns,
                           p);
        if (p) {
            p->pids.tid = tid;
            p->pids.ppid = flags & CLONE_PARENT ? creator->pids.ppid : creator->pids.tgid;
            p->is_kernel = creator->process && creator->process->is_kernel;
            p->creds = creator->creds;
        }
    }
    struct thread *t = p ? points_thread__begin(points, tid, p) : NULL;

    if (!t)
        return NULL;
    t->creds = creator->creds;
    t->ns = creator->ns;
    namespaces__forget(&t->ns, flags);
    memcpy(t->comm, creator->comm, sizeof(t->comm));
    if (!(flags & CLONE_THREAD))
        p->ns = t->ns;
    return flags & CLONE_THREAD ? NULL : p;
}

void points_fork__take(struct points *points, const struct trace_hit *hit)
{
    struct points_actor creator;
    struct points_now now;
    struct places places;

    points_actor__find(points, hit->tid, &creator);
    struct process *p = child__begin(points, hit, &creator);

    if (!p || p->is_kernel)
        return;
    if (!points_actor__is_wanted(points, EBPF_EVENT_PROCESS_FORK, &creator))
        return;
    struct thread *t = threads__known(&points->events.threads, p->pids.tid);

    if (points_now__read(points, p->pids.tid, p->pids.tgid, hit->time_ns, TRACE_CHANGE_ANY, &now)) {
        t->creds = p->creds = now.creds;
        t->ns = p->ns = now.ns;
        p->ctty = now.ctty;
    }
    struct ebpf_process_fork_event *e =
        points_event__begin(points, EBPF_EVENT_PROCESS_FORK, sizeof(*e), hit->time_ns, creator.comm);

    e->parent_pids = creator.pids;
    e->child_pids = p->pids;
    e->creds = p->creds;
    e->ctty = p->ctty;
    e->ns = t->ns;
    link__read_of_two(p->pids.tgid, creator.pids.tgid, "root", &places.root);
    link__read_of_two(p->pids.tgid, creator.pids.tgid, "cwd", &places.cwd);
    record__add_places(&e->hdr, &places, p);
    points_event__end(points, &e->hdr);
}

/* ------------------------------------------------------------------------- exec */

/*
 * A thread may rename another one of its process. One that execs has the id of the first one, which has ended, when it
 * gets its new name.
 */
void points_rename__take(struct points *points, const struct trace_hit *hit)
{
    const uint32_t tid = hit->of[TRACE_FIELD_PID].len ? (uint32_t)trace_hit__number(hit, TRACE_FIELD_PID) : hit->tid;
    const struct slice comm = hit->of[TRACE_FIELD_NEWCOMM];
    struct process *p = processes__find(&points->events.processes, tid);
    struct points_actor actor;

    if (p && !threads__known(&points->events.threads, tid))
        points_thread__begin(points, tid, p);
    points_actor__find(points, tid, &actor);
    if (!actor.thread)
        return;
    memset(actor.thread->comm, 0, EBPF_COMM_LEN);
    memcpy(actor.thread->comm, comm.data, comm.len < EBPF_COMM_LEN ? comm.len : EBPF_COMM_LEN - 1);
    actor.thread->is_renamed = true;
}

/* A thread that was not the first one has become it. Its credentials and namespaces stay. */
static void thread__become_first(struct points *points, struct process *process, const struct points_actor *actor)
{
    const struct thread *renamed = threads__known(&points->events.threads, process->pids.tgid);
    char comm[EBPF_COMM_LEN];

    memcpy(comm, renamed ? renamed->comm : actor->comm, sizeof(comm));
    points_thread__end(points, actor->pids.tid);
    struct thread *t = points_thread__begin(points, process->pids.tgid, process);

    if (!t)
        return;
    t->creds = actor->creds;
    t->ns = actor->ns;
    memcpy(t->comm, comm, sizeof(t->comm));
}

void points_program__take(struct points *points, const struct trace_hit *hit)
{
    const uint32_t tid = (uint32_t)trace_hit__number(hit, TRACE_FIELD_PID);
    const uint32_t old = (uint32_t)trace_hit__number(hit, TRACE_FIELD_OLD_PID);
    const struct slice program = hit->of[TRACE_FIELD_FILENAME];
    struct points_actor actor;

    points_actor__find(points, old, &actor);
    struct process *p = points_process__find(points, tid);

    if (p && (old != tid || !actor.thread))
        thread__become_first(points, p, &actor);
    struct thread *t = threads__known(&points->events.threads, tid);

    if (p && t) {
        p->live = 1; /* the others have been ended */
        p->ending = 0;
        free(t->program);
        t->program = strndup(program.data, program.len);
    }
    if (points->connector.fd < 0)
        points_exec__take(points, tid, hit->time_ns);
}

/* Find out what runs: what /proc has, if it is still that program; else what the caller gave. */
static void filename__find(struct trace_path *path, const struct thread *thread, bool is_latest)
{
    const char *given = thread ? thread->program : NULL;

    if (is_latest && path->len)
        return;
    path->len = 0;
    path->flags = EBPF_VARLEN_TRUNCATED;
    if (!given)
        return;
    trace_path__from_text(path, given, strlen(given));
    path->flags |= *given == '/' ? EBPF_VARLEN_FROM_CALLER : EBPF_VARLEN_TRUNCATED;
}

static void exec__emit(struct points *points, const struct points_actor *actor, uint64_t time_ns)
{
    const uint32_t tgid = actor->pids.tgid;
    struct trace_path filename;
    struct places places;

    points_link__read(tgid, "exe", &filename);
    points_link__read(tgid, "root", &places.root);
    points_link__read(tgid, "cwd", &places.cwd);
    bool is_latest = trace_connector__is_latest(&points->connector, tgid, time_ns, TRACE_CHANGE_ANY);

    if (!is_latest)
        places.cwd = places.root = (struct trace_path){.flags = EBPF_VARLEN_TRUNCATED};
    filename__find(&filename, actor->thread, is_latest);
    struct ebpf_process_exec_event *e =
        points_event__begin(points, EBPF_EVENT_PROCESS_EXEC, sizeof(*e), time_ns, actor->comm);

    e->pids = actor->pids;
    e->creds = actor->creds;
    e->ctty = actor->process ? actor->process->ctty : (struct ebpf_tty_dev){0};
    e->ns = actor->ns;
    e->hdr.flags = filename.flags & EBPF_VARLEN_NAME_ONLY ? EBPF_EXEC_F_MEMFD : 0;
    if (!(filename.flags & EBPF_VARLEN_FROM_CALLER))
        path__cut_root(&filename, &places);
    record__add_path(&e->hdr, EBPF_TAG_FILENAME, &filename);
    record__add_places(&e->hdr, &places, actor->process);
    trace_record__add(&e->hdr, EBPF_TAG_ARGV, "", 0, 0, EBPF_VARLEN_TRUNCATED);
    if (points->events.env)
        trace_record__add(&e->hdr, EBPF_TAG_ENV, "", 0, 0, EBPF_VARLEN_TRUNCATED);
    points_event__end(points, &e->hdr);
}

/* Keep what /proc has of a process that has executed a program. */
static void now__keep(struct points_actor *actor, const struct points_now *now)
{
    struct process *p = actor->process;

    actor->creds = now->creds;
    actor->ns = now->ns;
    if (actor->thread) {
        actor->thread->creds = now->creds;
        actor->thread->ns = now->ns;
    }
    if (!p)
        return;
    p->creds = now->creds;
    p->ns = now->ns;
    p->ctty = now->ctty;
    p->pids.ppid = actor->pids.ppid = now->ppid;
    p->pids.pgid = actor->pids.pgid = now->pgid;
    p->pids.sid = actor->pids.sid = now->sid;
}

void points_exec__take(struct points *points, uint32_t tid, uint64_t time_ns)
{
    struct points_actor actor;
    struct points_now now;

    points_actor__find(points, tid, &actor);
    actor.pids.tgid = tid;
    if (points_now__read(points, tid, tid, time_ns, TRACE_CHANGE_ANY, &now))
        now__keep(&actor, &now);
    if (actor.process)
        actor.process->is_kernel = false;
    if (points_actor__is_wanted(points, EBPF_EVENT_PROCESS_EXEC, &actor))
        exec__emit(points, &actor, time_ns);
    if (actor.thread) {
        actor.thread->is_renamed = false;
        free(actor.thread->program);
        actor.thread->program = NULL;
    }
}

/* ------------------------------------------------------------------------- exit */

/* The status of a process is that of the thread that is the last one to begin its end, not to come to it. */
void points_ending__take(struct points *points, const struct trace_hit *hit)
{
    const struct thread *t = threads__known(&points->events.threads, (uint32_t)trace_hit__number(hit, TRACE_FIELD_PID));
    struct process *p = t ? processes__find(&points->events.processes, t->tgid) : NULL;

    if (p && (!hit->of[TRACE_FIELD_GROUP_DEAD].len || trace_hit__number(hit, TRACE_FIELD_GROUP_DEAD)))
        p->ending = t->tid;
}

void points_exit__take(struct points *points, const struct trace_notice *notice)
{
    struct points_actor actor;

    points_actor__find(points, notice->tid, &actor);
    struct process *p = processes__find(&points->events.processes, notice->tgid);
    const struct thread *leader = threads__known(&points->events.threads, notice->tgid);

    if (p && leader)
        memcpy(p->comm, leader->comm, sizeof(p->comm));
    if (p)
        memcpy(actor.comm, p->comm, sizeof(p->comm));
    if (p && notice->tid == p->ending)
        p->status = notice->exit_status;
    const uint32_t status = p && p->ending ? p->status : notice->exit_status;

    points_thread__end(points, notice->tid);
    if (p ? p->live || p->has_ended : notice->tid != notice->tgid)
        return;
    if (p)
        processes__end(&points->events.processes, p);
    actor.pids.tid = actor.pids.tgid = notice->tgid;
    if ((p && p->is_kernel) || !points_actor__is_wanted(points, EBPF_EVENT_PROCESS_EXIT, &actor))
        return;
    struct ebpf_process_exit_event *e =
        points_event__begin(points, EBPF_EVENT_PROCESS_EXIT, sizeof(*e), notice->time_ns, actor.comm);

    e->pids = actor.pids;
    e->creds = actor.creds;
    e->ctty = p ? p->ctty : (struct ebpf_tty_dev){0};
    e->ns = actor.ns;
    e->exit_signal = status & STATUS_SIGNAL;
    e->exit_code = e->exit_signal ? 0 : status >> 8 & 0xff;
    e->hdr.flags = (uint16_t)((status & STATUS_CORE ? EBPF_EXIT_F_CORE : 0) | (actor.ns.mnt ? 0 : EBPF_EXIT_F_PARTIAL));
    record__add_cgroup(&e->hdr, p);
    points_event__end(points, &e->hdr);
}
