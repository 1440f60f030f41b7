// SPDX-License-Identifier: BSD-2-Clause
/*
 * TraceRoot.c - see TraceRoot.h.
 *
 * PROCESS_CHROOT: set_fs_root, which changes the root directory of a process, if the same thread has come by
 * security_path_chroot before: setns, for one, sets a root as well.
 */
#include "TraceRoot.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "TraceCaller.h"
#include "TraceNotes.h"
#include "TraceRecord.h"
#include "TraceTask.h"

/* Read where the root directory of a process is. False if it is gone, or it is the host's. */
static bool root__read(uint32_t tgid, char ret_text[EBPF_PATH_MAX])
{
    char link[64];

    snprintf(link, sizeof(link), "/proc/%u/root", tgid);
    ssize_t len = readlink(link, ret_text, EBPF_PATH_MAX);

    if (len <= 1 || len == EBPF_PATH_MAX)
        return false;
    ret_text[len] = '\0';
    return true;
}

/* Find out where a root directory of a process is: from its parent, if that has the same, or from /proc. */
static void root__set(const struct trace_events *events, struct process *process, const uint64_t root[2],
                      uint64_t time_ns)
{
    const struct process *parent = processes__find(&events->processes, process->pids.ppid);
    char text[EBPF_PATH_MAX];
    bool is_parents = parent && !memcmp(parent->root, root, sizeof(parent->root));

    if (is_parents && parent->root_path) {
        process__set_root(process, root, parent->root_path);
        return;
    }
    bool is_read = trace_procfs__is_program(process->pids.tgid, 0, time_ns) && root__read(process->pids.tgid, text);

    if (!is_read && is_parents)
        is_read = trace_procfs__is_program(parent->pids.tgid, 0, time_ns) && root__read(parent->pids.tgid, text);
    process__set_root(process, root, is_read ? text : NULL);
}

bool trace_root__find(const struct trace_events *events, struct process *process, const uint64_t root[2],
                      uint32_t mnt_ns, uint64_t time_ns, struct trace_path *ret_root)
{

    if (!process || !root[1] || !events->root_dentry || mnt_ns != events->host_mnt_ns ||
        (root[0] == events->root_mount && root[1] == events->root_dentry))
        return false;
    if (memcmp(root, process->root, sizeof(process->root)) || !process->root_path)
        root__set(events, process, root, time_ns);
    if (!process->root_path)
        return false;
    trace_path__from_text(ret_root, process->root_path, strlen(process->root_path));
    return true;
}

void trace_root__cut(struct trace_path *path, const struct trace_path *root)
{
    if (root && !(path->flags & (EBPF_VARLEN_NAME_ONLY | EBPF_VARLEN_TRUNCATED)) && !trace_path__cut_root(path, root))
        path->flags |= EBPF_VARLEN_UNREACHABLE;
}

/* ------------------------------------------------------------------------- chroot */

static void chroot_call__note(struct trace_events *events, const struct trace_values *v)
{
    struct trace_note *note = trace_note__make(events, v, (struct slice){0}, (struct slice){0});

    if (!note) {
        events->missed[EBPF_EVENT_PROCESS_CHROOT]++;
        return;
    }
    note->of[0] = NUMBER(v, new_root_mount);
    note->of[1] = NUMBER(v, new_root_dentry);
}

/*
 * Put the path of a new root directory together. A mount of another namespace is not looked for: where the process has
 * it is seen from its new root by now.
 */
static void set_root__build(struct trace_events *events, const struct trace_values *v, uint32_t tgid,
                            struct trace_path *ret_path)
{
    struct trace_names names = {.mount = (int)NUMBER(v, set_root_mount_id), .tgid = tgid, .link = "root"};
    const int missing = events->mounts.missing;

    trace_args__names(&events->args, v, TRACE_VALUE_set_root0, names.of);
    if (!trace_procfs__is_program(tgid, 0, v->time_ns))
        names.link = "";
    if (!trace_mounts__find(&events->mounts, names.mount, events->self))
        names.mount = -1;
    events->mounts.missing = -1;
    trace_path__build(ret_path, &events->mounts, &names);
    events->mounts.missing = missing;
}

static void chroot__report(struct trace_events *events, const struct trace_values *v, const struct trace_caller *caller,
                           struct trace_path *path, const struct trace_path *root)
{
    if (!trace_caller__is_wanted(events, caller, EBPF_EVENT_PROCESS_CHROOT))
        return;
    struct ebpf_process_chroot_event *e =
        trace_event__begin(events, EBPF_RING_MAIN, EBPF_EVENT_PROCESS_CHROOT, sizeof(*e), v);

    trace_root__cut(path, root);
    memcpy(e->hdr.comm, caller->comm, sizeof(caller->comm));
    e->pids = caller->pids;
    e->creds = caller->creds;
    e->ns = caller->ns;
    if (caller->process)
        e->ctty = caller->process->ctty;
    trace_record__add(&e->hdr, EBPF_TAG_PATH, path->data, path->len, 0, path->flags);
    if (root)
        trace_record__add(&e->hdr, EBPF_TAG_ROOT_PATH, root->data, root->len, 0, root->flags);
    trace_event__end(events, EBPF_RING_MAIN, &e->hdr);
}

static void set_root__take(struct trace_events *events, const struct trace_values *v)
{
    const struct trace_note *note = trace_note__find(events, v, TRACE_PROBE_chroot_call);
    const uint64_t before[2] = {NUMBER(v, old_root_mount), NUMBER(v, old_root_dentry)};
    const uint64_t now[2] = {NUMBER(v, set_root_mount), NUMBER(v, set_root_dentry)};
    bool is_chroot = note && note->of[0] == now[0] && note->of[1] == now[1];
    struct trace_path path, root;
    struct trace_caller caller;
    char text[EBPF_PATH_MAX + 1];

    trace_note__drop(events, v);
    trace_caller__find(&caller, events, v);
    bool has_root = trace_root__find(events, caller.process, before, caller.ns.mnt, v->time_ns, &root);

    set_root__build(events, v, caller.pids.tgid, &path);
    bool is_known = !path.flags && path.len && caller.ns.mnt == events->host_mnt_ns &&
                    !(now[0] == events->root_mount && now[1] == events->root_dentry);

    if (is_known)
        trace_path__to_text(&path, text);
    if (caller.process) /* as the host sees it */
        process__set_root(caller.process, now, is_known ? text : NULL);
    trace_args__drop(&events->args, v->tid);
    if (is_chroot)
        chroot__report(events, v, &caller, &path, has_root ? &root : NULL);
}

bool trace_chroot__take(struct trace_events *events, const struct trace_values *v)
{
    switch (v->probe) {
    case TRACE_PROBE_chroot_call:
        chroot_call__note(events, v);
        return true;
    case TRACE_PROBE_chrooted:
        set_root__take(events, v);
        return true;
    default:
        return false;
    }
}
