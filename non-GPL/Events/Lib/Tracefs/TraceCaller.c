// SPDX-License-Identifier: BSD-2-Clause
/* TraceCaller.c - see TraceCaller.h. */
#include "TraceCaller.h"

#include <string.h>

#include "TraceTask.h"

#define PIDTYPE_PGID 2 /* enum pid_type of the kernel, since 4.19; before, 1 and 2 */
#define PIDTYPE_SID 3

void trace_caller__find(struct trace_caller *ret_caller, struct trace_events *events, const struct trace_values *v)
{
    const struct slice comm = v->of[TRACE_VALUE_caller_comm].text;
    const struct thread *t = threads__find(&events->threads, v->tid);
    struct process *p = t ? processes__find(&events->processes, t->tgid) : NULL;

    if (t && !p)
        p = processes__see(&events->processes, t->tgid);
    *ret_caller = (struct trace_caller){.process = p, .pids = {.tid = v->tid}};
    if (p) {
        process__update_parent(&events->processes, p);
        ret_caller->pids = p->pids;
    }
    if (t) {
        ret_caller->creds = t->creds;
        ret_caller->ns = t->ns;
        ret_caller->pids.tgid = t->tgid;
    }
    ret_caller->pids.tid = v->tid;
    memcpy(ret_caller->comm, comm.data, comm.len < EBPF_COMM_LEN ? comm.len : EBPF_COMM_LEN - 1);
}

bool trace_caller__is_wanted(struct trace_events *events, const struct trace_caller *caller, enum ebpf_event_type type)
{
    const struct trace_actor actor = {
        .process = caller->process, .uid = caller->creds.ruid, .comm = caller->comm, .ns = caller->ns};

    return trace_event__is_wanted(events, type, &actor, caller->pids.tgid);
}

bool trace_caller__passes(const struct trace_events *events, const struct trace_caller *caller)
{
    const struct trace_actor actor = {
        .process = caller->process, .uid = caller->creds.ruid, .comm = caller->comm, .ns = caller->ns};

    return caller->pids.tgid != events->self && trace_selection__passes(&events->selection, &actor);
}

/* Keep what a probe with a task has of its thread. */
static struct thread *thread__keep(struct trace_events *events, const struct trace_values *v)
{
    uint64_t tids = NUMBER(v, tids);
    struct thread *t = threads__get(&events->threads, (uint32_t)tids, trace_values__upper(tids));
    uint32_t pid_ns = t ? t->ns.pid : 0;

    if (!t)
        return NULL;
    trace_creds__fill(&t->creds, v);
    trace_namespaces__fill(&t->ns, v);
    t->ns.user = (uint32_t)NUMBER(v, user_ns);
    t->ns.pid = pid_ns;
    return t;
}

void trace_caller__begins(struct trace_events *events, const struct trace_values *v)
{
    struct thread *t = thread__keep(events, v);

    if (t)
        t->ns.pid = (uint32_t)NUMBER(v, pid_ns);
}

void trace_caller__execs(struct trace_events *events, const struct trace_values *v)
{
    thread__keep(events, v);
}

void trace_caller__ends(struct trace_events *events, const struct trace_values *v)
{
    threads__remove(&events->threads, (uint32_t)NUMBER(v, tids));
}

void trace_caller__note_group(struct trace_events *events, const struct trace_values *v)
{
    struct process *p = processes__find(&events->processes, trace_values__upper(NUMBER(v, tids)));

    if (!p || !NUMBER(v, pid_number))
        return;
    if (NUMBER(v, pid_type) == PIDTYPE_PGID)
        p->pids.pgid = (uint32_t)NUMBER(v, pid_number);
    if (NUMBER(v, pid_type) != PIDTYPE_SID)
        return;
    p->pids.sid = (uint32_t)NUMBER(v, pid_number);
    p->ctty = (struct ebpf_tty_dev){0}; /* a new session has none */
}

void trace_caller__note_creds(struct trace_events *events, const struct trace_values *v)
{
    struct thread *t = threads__find(&events->threads, v->tid);

    if (!t)
        return;
    t->creds = (struct ebpf_cred_info){
        .ruid = (uint32_t)NUMBER(v, new_ids),
        .rgid = trace_values__upper(NUMBER(v, new_ids)),
        .euid = (uint32_t)NUMBER(v, new_effective_ids),
        .egid = trace_values__upper(NUMBER(v, new_effective_ids)),
        .suid = (uint32_t)NUMBER(v, new_saved_ids),
        .sgid = trace_values__upper(NUMBER(v, new_saved_ids)),
        .cap_permitted = NUMBER(v, new_cap_permitted),
        .cap_effective = NUMBER(v, new_cap_effective),
    };
    t->ns.user = (uint32_t)NUMBER(v, new_user_ns);
}

void trace_caller__note_namespaces(struct trace_events *events, const struct trace_values *v)
{
    struct thread *t = NUMBER(v, argument2) ? threads__find(&events->threads, (uint32_t)NUMBER(v, tids)) : NULL;

    if (!t)
        return;
    t->ns.uts = (uint32_t)NUMBER(v, new_uts_ns);
    t->ns.ipc = (uint32_t)NUMBER(v, new_ipc_ns);
    t->ns.mnt = (uint32_t)NUMBER(v, new_mnt_ns);
    t->ns.net = (uint32_t)NUMBER(v, new_net_ns);
    t->ns.time = (uint32_t)NUMBER(v, new_time_ns);
    t->ns.cgroup = (uint32_t)NUMBER(v, new_cgroup_ns);
}
