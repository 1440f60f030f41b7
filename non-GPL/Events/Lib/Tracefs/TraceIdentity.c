// SPDX-License-Identifier: BSD-2-Clause
/*
 * TraceIdentity.c - see TraceIdentity.h.
 *
 * PROCESS_SETSID: proc_sid_connector. PROCESS_SETUID and PROCESS_SETGID: proc_id_connector, which commit_creds calls
 * for each change, also that of an exec. What the ids were before is noted at security_task_fix_setuid and _setgid,
 * which calls pass before; an exec passes security_bprm_committing_creds. Its changes are reported when it has
 * succeeded, at proc_exec_connector: one that fails after its changes ends the process by a signal.
 */
#include "TraceIdentity.h"

#include <string.h>

#include "TraceNotes.h"
#include "TraceTask.h"

#define NOTE_MAX 1024   /* an exec changes ids twice at most */
#define CHANGED_UID 0x4 /* PROC_EVENT_UID and PROC_EVENT_GID of linux/cn_proc.h */
#define CHANGED_GID 0x40

/* What the probes of this file have in common. */
struct identity {
    struct ebpf_pid_info pids;
    struct ebpf_cred_info creds;
    struct ebpf_tty_dev ctty;
    struct ebpf_ns_info ns;
    char comm[EBPF_COMM_LEN];
    struct process *process; /* NULL: no memory */
};

static void identity__fill(struct identity *id, struct trace_events *events, const struct trace_values *v)
{
    trace_pids__fill(&id->pids, v);
    trace_creds__fill(&id->creds, v);
    trace_tty__fill(&id->ctty, v);
    trace_comm__fill(id->comm, NUMBER(v, comm), NUMBER(v, comm_end));
    id->process = processes__get(&events->processes, id->pids.tgid, id->pids.start_time_ns, NULL);
    id->ns = (struct ebpf_ns_info){.pid = id->process ? id->process->ns.pid : 0, .user = (uint32_t)NUMBER(v, user_ns)};
    trace_namespaces__fill(&id->ns, v);
}

static bool identity__is_wanted(struct trace_events *events, const struct identity *id, enum ebpf_event_type type,
                                uint32_t uid)
{
    const struct trace_actor actor = {.process = id->process, .uid = uid, .comm = id->comm, .ns = id->ns};

    return trace_event__is_wanted(events, type, &actor, id->pids.tgid);
}

void trace_session__take(struct trace_events *events, const struct trace_values *v)
{
    struct identity id;

    identity__fill(&id, events, v);
    if (id.process) {
        id.process->pids = id.pids; /* of the first thread, with which the connector is called */
        id.process->ctty = id.ctty;
    }
    if (!identity__is_wanted(events, &id, EBPF_EVENT_PROCESS_SETSID, id.creds.ruid))
        return;
    struct ebpf_process_setsid_event *e =
        trace_event__begin(events, EBPF_RING_MAIN, EBPF_EVENT_PROCESS_SETSID, sizeof(*e), v);

    memcpy(e->hdr.comm, id.comm, sizeof(id.comm));
    e->pids = id.pids;
    e->pids.tid = v->tid;
    e->creds = id.creds;
    e->ctty = id.ctty;
    e->ns = id.ns;
    trace_event__end(events, EBPF_RING_MAIN, &e->hdr);
}

/* Report a change of ids: the event is complete but for its time and number. */
static void change__report(struct trace_events *events, const struct trace_values *v,
                           const struct ebpf_event_header *change)
{
    const size_t head = sizeof(*change);
    struct ebpf_event_header *hdr =
        trace_event__begin(events, EBPF_RING_MAIN, (enum ebpf_event_type)change->type, change->size, v);

    memcpy(hdr->comm, change->comm, sizeof(hdr->comm));
    hdr->flags = change->flags;
    memcpy((char *)hdr + head, (const char *)change + head, change->size - head);
    trace_event__end(events, EBPF_RING_MAIN, hdr);
}

/* Report a change now, or, if an exec makes it, when that has succeeded. */
static void change__take(struct trace_events *events, const struct trace_values *v,
                         const struct ebpf_event_header *change, bool by_exec)
{
    const struct trace_note *before = by_exec ? trace_note__find(events, v, TRACE_PROBE_ids) : NULL;
    struct slice earlier = before ? (struct slice){before->text, before->len} : (struct slice){0};

    if (!by_exec || earlier.len > NOTE_MAX ||
        !trace_note__make(events, v, earlier, (struct slice){(const char *)change, change->size}))
        change__report(events, v, change);
}

void trace_ids__end_exec(struct trace_events *events, const struct trace_values *v, bool has_succeeded)
{
    const struct trace_note *note = trace_note__find(events, v, TRACE_PROBE_ids);
    union {
        struct ebpf_event_header hdr;
        struct ebpf_process_setuid_event uid;
        struct ebpf_process_setgid_event gid;
    } change;

    trace_ids__forget(&events->ids, v->tid);
    if (!note)
        return;
    for (uint32_t at = 0; has_succeeded && at < note->len; at += change.hdr.size) {
        memcpy(&change.hdr, note->text + at, sizeof(change.hdr));
        memcpy(&change, note->text + at, change.hdr.size);
        change__report(events, v, &change.hdr);
    }
    trace_note__drop(events, v);
}

static void setuid__take(struct trace_events *events, const struct trace_values *v, const struct identity *id,
                         const struct ebpf_cred_info *old, bool by_exec)
{
    if (!identity__is_wanted(events, id, EBPF_EVENT_PROCESS_SETUID, old->ruid))
        return;
    struct ebpf_process_setuid_event e = {
        .hdr = {.type = EBPF_EVENT_PROCESS_SETUID, .size = sizeof(e), .flags = by_exec ? EBPF_SETUID_F_BY_EXEC : 0},
        .pids = id->pids,
        .creds = *old,
        .ctty = id->ctty,
        .ns = id->ns,
        .new_ruid = id->creds.ruid,
        .new_euid = id->creds.euid,
        .new_suid = id->creds.suid,
        .new_fsuid = (uint32_t)NUMBER(v, fs_ids),
    };

    memcpy(e.hdr.comm, id->comm, sizeof(id->comm));
    change__take(events, v, &e.hdr, by_exec);
}

static void setgid__take(struct trace_events *events, const struct trace_values *v, const struct identity *id,
                         const struct ebpf_cred_info *old, bool by_exec)
{
    if (!identity__is_wanted(events, id, EBPF_EVENT_PROCESS_SETGID, old->ruid))
        return;
    struct ebpf_process_setgid_event e = {
        .hdr = {.type = EBPF_EVENT_PROCESS_SETGID, .size = sizeof(e), .flags = by_exec ? EBPF_SETGID_F_BY_EXEC : 0},
        .pids = id->pids,
        .creds = *old,
        .ctty = id->ctty,
        .ns = id->ns,
        .new_rgid = id->creds.rgid,
        .new_egid = id->creds.egid,
        .new_sgid = id->creds.sgid,
        .new_fsgid = trace_values__upper(NUMBER(v, fs_ids)),
    };

    memcpy(e.hdr.comm, id->comm, sizeof(id->comm));
    change__take(events, v, &e.hdr, by_exec);
}

void trace_ids__take(struct trace_events *events, const struct trace_values *v)
{
    struct identity id;
    bool by_exec;
    uint64_t which = NUMBER(v, which);

    identity__fill(&id, events, v);
    const struct ebpf_cred_info *old = trace_ids__find(&events->ids, v->tid, &by_exec);

    if (!old)
        old = id.process ? &id.process->creds : &id.creds;
    if (which == CHANGED_UID)
        setuid__take(events, v, &id, old, by_exec);
    else if (which == CHANGED_GID)
        setgid__take(events, v, &id, old, by_exec);
    if (id.process && !by_exec) /* an exec may change both at once; its own record has what they are then */
        id.process->creds = id.creds;
}
