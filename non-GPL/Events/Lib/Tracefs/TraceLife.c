// SPDX-License-Identifier: BSD-2-Clause
/*
 * TraceLife.c - see TraceLife.h.
 *
 * PROCESS_FORK: wake_up_new_task, which each new thread passes, in its creator. PROCESS_EXEC: proc_exec_connector, when
 * the new image is complete. PROCESS_EXIT: proc_exit_connector, which each thread passes after it has closed its files;
 * the first one that comes by when none is left (signal_struct.live is 0) ends the process. Its namespaces are gone by
 * then, so they are taken before, at exit_task_namespaces.
 */
#include "TraceLife.h"

#include <string.h>
#include <sys/stat.h>

#include "TraceCaller.h"
#include "TraceIdentity.h"
#include "TraceRecord.h"
#include "TraceRoot.h"
#include "TraceTask.h"

#define SIGNAL_GROUP_EXIT 4
#define SIGNAL_MASK 0x7f /* in what wait returns */

/* -------------------------------------------------------------------------- paths */

static void record__add_path(struct ebpf_event_header *hdr, enum ebpf_tag tag, const struct trace_path *path)
{
    trace_record__add(hdr, tag, path->data, path->len, 0, path->flags);
}

static void record__add_cgroup(struct ebpf_event_header *hdr, const struct process *process)
{
    struct trace_path path = {0};

    if (process && process->cgroup)
        trace_path__from_text(&path, process->cgroup, strlen(process->cgroup));
    else
        path.flags = EBPF_VARLEN_TRUNCATED;
    record__add_path(hdr, EBPF_TAG_CGROUP_PATH, &path);
}

/* Find where the root directory of the task of a record is. */
static bool root__find(const struct trace_events *events, const struct trace_values *v, struct process *process,
                       struct trace_path *ret_root)
{
    const uint64_t root[2] = {NUMBER(v, root_mount), NUMBER(v, root_dentry)};

    return trace_root__find(events, process, root, (uint32_t)NUMBER(v, mnt_ns), v->time_ns, ret_root);
}

/*
 * Put a path together from the names that were noted. If not all of them are, /proc has the rest, as long as the
 * process is still the one, and has the program, of the record.
 */
static void names__build(struct trace_events *events, struct trace_path *ret_path, const struct trace_values *v,
                         struct trace_names *names, const struct trace_path *root)
{
    const uint64_t program = v->probe == TRACE_PROBE_exec ? NUMBER(v, args_begin) : 0;

    names->tgid = trace_values__upper(NUMBER(v, tids));
    bool is_whole = trace_names__are_whole(names);

    if (!is_whole && !trace_procfs__is_program(names->tgid, program, v->time_ns))
        names->link = "";
    trace_path__build(ret_path, &events->mounts, names);
    if (!is_whole && *names->link && !trace_procfs__is_program(names->tgid, program, v->time_ns)) {
        names->link = "";
        trace_path__build(ret_path, &events->mounts, names);
    }
    trace_root__cut(ret_path, root);
}

static void record__add_cwd(struct trace_events *events, struct ebpf_event_header *hdr, const struct trace_values *v,
                            const struct trace_path *root)
{
    struct trace_names names = {.mount = (int)NUMBER(v, cwd_mount), .link = "cwd"};
    struct trace_path path;

    trace_args__names(&events->args, v, TRACE_VALUE_cwd0, names.of);
    names__build(events, &path, v, &names, root);
    record__add_path(hdr, EBPF_TAG_CWD, &path);
}

static void record__add_exe(struct trace_events *events, struct ebpf_event_header *hdr, const struct trace_values *v,
                            const struct trace_path *root)
{
    struct trace_names names = {.mount = (int)NUMBER(v, exe_mount), .link = "exe"};
    struct trace_path path;

    trace_args__names(&events->args, v, TRACE_VALUE_exe0, names.of);
    names__build(events, &path, v, &names, root);
    if (path.flags & EBPF_VARLEN_NAME_ONLY)
        hdr->flags |= EBPF_EXEC_F_MEMFD;
    record__add_path(hdr, EBPF_TAG_FILENAME, &path);
}

/* ------------------------------------------------------------------ forks, execs */

/* Fill in the creator of a process. With CLONE_PARENT it is not the parent; then the table is asked. */
static void creator__fill(struct trace_events *events, struct ebpf_pid_info *pids, const struct trace_values *v)
{
    uint64_t parent = NUMBER(v, parent_tids);
    const struct process *creator = NULL;

    *pids = (struct ebpf_pid_info){.tid = v->tid, .pgid = (uint32_t)NUMBER(v, pgid), .sid = (uint32_t)NUMBER(v, sid)};
    if ((uint32_t)parent == v->tid) {
        pids->tgid = trace_values__upper(parent);
        pids->ppid = (uint32_t)NUMBER(v, parent_ppid);
        pids->start_time_ns = NUMBER(v, parent_start);
    } else {
        const struct thread *t = threads__find(&events->threads, v->tid);

        creator = t ? processes__find(&events->processes, t->tgid) : NULL;
    }
    if (creator) {
        pids->tgid = creator->pids.tgid;
        pids->ppid = creator->pids.ppid;
        pids->start_time_ns = creator->pids.start_time_ns;
    }
}

static void fork__take(struct trace_events *events, const struct trace_values *v)
{
    struct ebpf_pid_info child, creator;
    struct trace_path root;

    trace_pids__fill(&child, v);
    trace_caller__begins(events, v);
    if (child.tid != child.tgid)
        return;
    creator__fill(events, &creator, v);
    struct process *parent = processes__find(&events->processes, creator.tgid ? creator.tgid : child.ppid);
    struct process *p = processes__get(&events->processes, child.tgid, child.start_time_ns, parent);

    if (p) {
        p->pids = child;
        trace_creds__fill(&p->creds, v);
        p->is_kernel = !NUMBER(v, mm);
        trace_tty__fill(&p->ctty, v);
        trace_namespaces__fill(&p->ns, v);
        p->ns.pid = (uint32_t)NUMBER(v, pid_ns);
        p->ns.user = (uint32_t)NUMBER(v, user_ns);
    }
    if (!NUMBER(v, mm))
        return;
    char comm[EBPF_COMM_LEN];
    struct trace_actor actor = {.process = parent, .uid = (uint32_t)NUMBER(v, ids), .comm = comm};

    trace_comm__fill(comm, NUMBER(v, comm), NUMBER(v, comm_end));
    trace_namespaces__fill(&actor.ns, v);
    actor.ns.pid = parent ? parent->ns.pid : (uint32_t)NUMBER(v, pid_ns);
    if (!trace_event__is_wanted(events, EBPF_EVENT_PROCESS_FORK, &actor, creator.tgid))
        return;
    struct ebpf_process_fork_event *e =
        trace_event__begin(events, EBPF_RING_MAIN, EBPF_EVENT_PROCESS_FORK, sizeof(*e), v);
    bool has_root = root__find(events, v, p, &root);

    memcpy(e->hdr.comm, comm, sizeof(comm));
    e->parent_pids = creator;
    e->child_pids = child;
    trace_creds__fill(&e->creds, v);
    trace_tty__fill(&e->ctty, v);
    trace_namespaces__fill(&e->ns, v);
    e->ns.pid = (uint32_t)NUMBER(v, pid_ns);
    e->ns.user = (uint32_t)NUMBER(v, user_ns);
    record__add_cwd(events, &e->hdr, v, has_root ? &root : NULL);
    record__add_cgroup(&e->hdr, p);
    if (has_root)
        record__add_path(&e->hdr, EBPF_TAG_ROOT_PATH, &root);
    trace_event__end(events, EBPF_RING_MAIN, &e->hdr);
}

static void record__add_script(struct trace_events *events, struct ebpf_event_header *hdr, const struct trace_values *v,
                               const struct trace_path *root)
{
    struct trace_names names;
    struct trace_path path;

    if (!trace_script__find(&events->args, trace_values__upper(NUMBER(v, tids)), &names))
        return;
    trace_path__build(&path, &events->mounts, &names);
    trace_root__cut(&path, root);
    record__add_path(hdr, EBPF_TAG_SCRIPT, &path);
}

static void exec__take(struct trace_events *events, const struct trace_values *v)
{
    struct ebpf_pid_info pids;
    struct trace_path root;
    char comm[EBPF_COMM_LEN];

    trace_pids__fill(&pids, v);
    trace_caller__execs(events, v);
    struct process *p = processes__get(&events->processes, pids.tgid, pids.start_time_ns, NULL);
    struct ebpf_ns_info ns = {.pid = p ? p->ns.pid : 0};

    trace_namespaces__fill(&ns, v);
    ns.user = (uint32_t)NUMBER(v, user_ns);
    if (p) {
        p->pids = pids;
        p->ns = ns;
        trace_creds__fill(&p->creds, v);
        p->is_kernel = false;
        trace_tty__fill(&p->ctty, v);
    }
    struct trace_actor actor = {.process = p, .uid = (uint32_t)NUMBER(v, ids), .comm = comm, .ns = ns};

    trace_comm__fill(comm, NUMBER(v, comm), NUMBER(v, comm_end));
    if (!trace_event__is_wanted(events, EBPF_EVENT_PROCESS_EXEC, &actor, pids.tgid))
        return;
    struct ebpf_process_exec_event *e =
        trace_event__begin(events, EBPF_RING_MAIN, EBPF_EVENT_PROCESS_EXEC, sizeof(*e), v);
    bool has_root = root__find(events, v, p, &root);

    memcpy(e->hdr.comm, comm, sizeof(comm));
    e->pids = pids;
    trace_creds__fill(&e->creds, v);
    trace_tty__fill(&e->ctty, v);
    e->ns = ns;
    e->inode_nlink = (uint32_t)NUMBER(v, exe_nlink);
    e->argc = trace_args__count(&events->args, v);
    e->hdr.flags = (uint16_t)((NUMBER(v, exe_mode) & S_ISUID ? EBPF_EXEC_F_SETUID : 0) |
                              (NUMBER(v, exe_mode) & S_ISGID ? EBPF_EXEC_F_SETGID : 0));
    record__add_exe(events, &e->hdr, v, has_root ? &root : NULL);
    record__add_script(events, &e->hdr, v, has_root ? &root : NULL);
    record__add_cwd(events, &e->hdr, v, has_root ? &root : NULL);
    record__add_cgroup(&e->hdr, p);
    trace_args__add(&events->args, &e->hdr, v);
    if (has_root)
        record__add_path(&e->hdr, EBPF_TAG_ROOT_PATH, &root);
    if (events->env)
        trace_env__add(&events->args, &e->hdr, v);
    trace_event__end(events, EBPF_RING_MAIN, &e->hdr);
}

/* -------------------------------------------------------------------------- exits */

/* A thread gives up its namespaces. */
static void leaving__take(struct trace_events *events, const struct trace_values *v)
{
    struct process *p = processes__find(&events->processes, trace_values__upper(NUMBER(v, tids)));

    if (p && NUMBER(v, mnt_ns))
        trace_namespaces__fill(&p->ns, v);
}

/* Return how a process ends, as wait has it. */
static uint32_t exit__status(const struct trace_values *v)
{
    return NUMBER(v, signal_flags) & SIGNAL_GROUP_EXIT ? (uint32_t)NUMBER(v, signal_exit_code)
                                                       : (uint32_t)NUMBER(v, exit_code);
}

static void exit_status__fill(struct ebpf_process_exit_event *e, const struct trace_values *v)
{
    const uint32_t status = exit__status(v);

    e->exit_signal = status & SIGNAL_MASK;
    e->exit_code = e->exit_signal ? 0 : status >> 8 & 0xff;
    if (status & 0x80)
        e->hdr.flags |= EBPF_EXIT_F_CORE;
}

static void exit__take(struct trace_events *events, const struct trace_values *v)
{
    struct ebpf_pid_info pids;
    char comm[EBPF_COMM_LEN];

    trace_pids__fill(&pids, v);
    trace_caller__ends(events, v);
    struct process *p =
        NUMBER(v, live) ? NULL : processes__get(&events->processes, pids.tgid, pids.start_time_ns, NULL);

    if (NUMBER(v, live) || (p && (p->has_ended || p->is_kernel))) {
        if (p && !p->has_ended)
            processes__end(&events->processes, p);
        return;
    }
    struct trace_actor actor = {.process = p, .uid = (uint32_t)NUMBER(v, ids), .comm = comm};

    if (p)
        actor.ns = p->ns;
    trace_comm__fill(comm, NUMBER(v, leader_comm), NUMBER(v, leader_comm_end));
    pids.tid = pids.tgid;
    /* A process that nobody waits for has left both by then, and what is fetched behind them is from another record. */
    if (!NUMBER(v, group_pointer))
        pids.pgid = p ? p->pids.pgid : 0;
    if (!NUMBER(v, session_pointer))
        pids.sid = p ? p->pids.sid : 0;
    if (trace_event__is_wanted(events, EBPF_EVENT_PROCESS_EXIT, &actor, pids.tgid)) {
        struct ebpf_process_exit_event *e =
            trace_event__begin(events, EBPF_RING_MAIN, EBPF_EVENT_PROCESS_EXIT, sizeof(*e), v);

        memcpy(e->hdr.comm, comm, sizeof(comm));
        e->pids = pids;
        trace_creds__fill(&e->creds, v);
        if (p && (NUMBER(v, tty) || pids.sid == pids.tgid)) /* that of a leader is taken from it when it ends */
            e->ctty = p->ctty;
        exit_status__fill(e, v);
        e->ns = actor.ns;
        e->ns.user = (uint32_t)NUMBER(v, user_ns);
        if (!e->ns.mnt)
            e->hdr.flags |= EBPF_EXIT_F_PARTIAL;
        record__add_cgroup(&e->hdr, p);
        trace_event__end(events, EBPF_RING_MAIN, &e->hdr);
    }
    if (p)
        processes__end(&events->processes, p);
}

/* ------------------------------------------------------------------------- probes */

bool trace_life__take(struct trace_events *events, const struct trace_values *v)
{
    const struct thread *thread;

    switch (v->probe) {
    case TRACE_PROBE_fork:
        fork__take(events, v);
        trace_args__drop(&events->args, v->tid);
        return true;
    case TRACE_PROBE_exec:
        trace_ids__end_exec(events, v, true);
        exec__take(events, v);
        trace_args__drop(&events->args, v->tid);
        trace_script__drop(&events->args, trace_values__upper(NUMBER(v, tids)));
        return true;
    case TRACE_PROBE_image:
    case TRACE_PROBE_script:
    case TRACE_PROBE_script_names:
        thread = threads__find(&events->threads, v->tid);
        return trace_script__note(&events->args, v, thread ? thread->tgid : v->tid);
    case TRACE_PROBE_leaving:
        leaving__take(events, v);
        return true;
    case TRACE_PROBE_exit: /* the record of an exec that has succeeded may have been lost */
        trace_ids__end_exec(events, v, !(exit__status(v) & SIGNAL_MASK));
        exit__take(events, v);
        trace_args__drop(&events->args, v->tid);
        if (!NUMBER(v, live))
            trace_script__drop(&events->args, trace_values__upper(NUMBER(v, tids)));
        return true;
    default:
        return trace_args__note(&events->args, v);
    }
}
