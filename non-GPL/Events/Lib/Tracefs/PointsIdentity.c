// SPDX-License-Identifier: BSD-2-Clause
/*
 * PointsIdentity.c - see Points.h: messages of the connector that need no tracepoint.
 *
 * A message about ids has the real and the effective one; the others are what /proc has of the thread, if nothing has
 * changed since. An exec renames its thread before it changes ids. So does prctl, but its own message comes at once.
 */
#include "Points.h"

#include <linux/cn_proc.h>
#include <string.h>

static void session__take(struct points *points, const struct trace_notice *notice)
{
    struct points_actor actor;

    points_actor__find(points, notice->tid, &actor);
    actor.pids.pgid = actor.pids.sid = notice->tgid;
    if (actor.process) {
        actor.process->pids.pgid = actor.process->pids.sid = notice->tgid;
        actor.process->ctty = (struct ebpf_tty_dev){0};
    }
    if (!points_actor__is_wanted(points, EBPF_EVENT_PROCESS_SETSID, &actor))
        return;
    struct ebpf_process_setsid_event *e =
        points_event__begin(points, EBPF_EVENT_PROCESS_SETSID, sizeof(*e), notice->time_ns, actor.comm);

    e->pids = actor.pids;
    e->creds = actor.creds;
    e->ns = actor.ns;
    points_event__end(points, &e->hdr);
}

static void setuid__emit(struct points *points, const struct trace_notice *notice, const struct points_actor *actor,
                         const struct points_now *now)
{
    struct ebpf_process_setuid_event *e =
        points_event__begin(points, EBPF_EVENT_PROCESS_SETUID, sizeof(*e), notice->time_ns, actor->comm);

    e->pids = actor->pids;
    e->creds = actor->creds;
    e->ns = actor->ns;
    if (actor->process)
        e->ctty = actor->process->ctty;
    e->hdr.flags = actor->thread && actor->thread->is_renamed ? EBPF_SETUID_F_BY_EXEC : 0;
    e->new_ruid = notice->id.real;
    e->new_euid = notice->id.effective;
    e->new_suid = now->creds.suid;
    e->new_fsuid = now->fsuid;
    points_event__end(points, &e->hdr);
}

static void setgid__emit(struct points *points, const struct trace_notice *notice, const struct points_actor *actor,
                         const struct points_now *now)
{
    struct ebpf_process_setgid_event *e =
        points_event__begin(points, EBPF_EVENT_PROCESS_SETGID, sizeof(*e), notice->time_ns, actor->comm);

    e->pids = actor->pids;
    e->creds = actor->creds;
    e->ns = actor->ns;
    if (actor->process)
        e->ctty = actor->process->ctty;
    e->hdr.flags = actor->thread && actor->thread->is_renamed ? EBPF_SETGID_F_BY_EXEC : 0;
    e->new_rgid = notice->id.real;
    e->new_egid = notice->id.effective;
    e->new_sgid = now->creds.sgid;
    e->new_fsgid = now->fsgid;
    points_event__end(points, &e->hdr);
}

/* Keep the ids after a change, as far as they are known. Those of groups do not change with those of users. */
static void creds__keep(struct points_actor *actor, const struct trace_notice *notice, const struct points_now *now)
{
    struct ebpf_cred_info creds = actor->creds;

    if (notice->what == PROC_EVENT_UID) {
        creds.ruid = notice->id.real;
        creds.euid = notice->id.effective;
        creds.suid = now ? now->creds.suid : creds.suid;
        creds.cap_permitted = now ? now->creds.cap_permitted : creds.cap_permitted;
        creds.cap_effective = now ? now->creds.cap_effective : creds.cap_effective;
    } else {
        creds.rgid = notice->id.real;
        creds.egid = notice->id.effective;
        creds.sgid = now ? now->creds.sgid : creds.sgid;
    }
    if (actor->thread)
        actor->thread->creds = creds;
    if (actor->process && notice->tid == notice->tgid)
        actor->process->creds = creds;
}

static void ids__take(struct points *points, const struct trace_notice *notice)
{
    struct points_actor actor;
    struct points_now now;

    points_actor__find(points, notice->tid, &actor);
    bool is_uid = notice->what == PROC_EVENT_UID;
    bool is_latest = points_now__read(points, notice->tid, notice->tgid, notice->time_ns,
                                      1u << (is_uid ? TRACE_CHANGE_UID : TRACE_CHANGE_GID), &now);

    if (!is_latest)
        now = (struct points_now){.creds = {.suid = POINTS_UNKNOWN_ID, .sgid = POINTS_UNKNOWN_ID},
                                  .fsuid = POINTS_UNKNOWN_ID,
                                  .fsgid = POINTS_UNKNOWN_ID};
    if (points_actor__is_wanted(points, is_uid ? EBPF_EVENT_PROCESS_SETUID : EBPF_EVENT_PROCESS_SETGID, &actor)) {
        if (is_uid)
            setuid__emit(points, notice, &actor, &now);
        else
            setgid__emit(points, notice, &actor, &now);
    }
    creds__keep(&actor, notice, is_latest ? &now : NULL);
}

/* A tracer that attaches to its own child is no event, as with the other backends. */
static void ptrace__take(struct points *points, const struct trace_notice *notice)
{
    const struct process *traced = points_process__find(points, notice->tgid);
    struct points_actor actor;

    if (!notice->tracer.tid || (traced && traced->pids.ppid == notice->tracer.tgid))
        return;
    points_actor__find(points, notice->tracer.tid, &actor);
    if (!points_actor__is_wanted(points, EBPF_EVENT_PROCESS_PTRACE, &actor))
        return;
    struct ebpf_process_ptrace_event *e =
        points_event__begin(points, EBPF_EVENT_PROCESS_PTRACE, sizeof(*e), notice->time_ns, actor.comm);

    e->pids = actor.pids;
    e->creds = actor.creds;
    e->child_pid = notice->tid;
    points_event__end(points, &e->hdr);
}

void points_notice__take(struct points *points, const struct trace_notice *notice)
{
    struct points_actor actor;

    switch (notice->what) {
    case PROC_EVENT_EXEC:
        points_exec__take(points, notice->tid, notice->time_ns);
        return;
    case PROC_EVENT_EXIT:
        points_exit__take(points, notice);
        return;
    case PROC_EVENT_SID:
        session__take(points, notice);
        return;
    case PROC_EVENT_UID:
    case PROC_EVENT_GID:
        ids__take(points, notice);
        return;
    case PROC_EVENT_PTRACE:
        ptrace__take(points, notice);
        return;
    case PROC_EVENT_COMM:
        points_actor__find(points, notice->tid, &actor);
        if (actor.thread) {
            memcpy(actor.thread->comm, notice->comm, EBPF_COMM_LEN);
            actor.thread->is_renamed = false;
        }
        return;
    default:
        return;
    }
}
