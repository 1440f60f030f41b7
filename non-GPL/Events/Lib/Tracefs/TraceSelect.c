// SPDX-License-Identifier: BSD-2-Clause
/* TraceSelect.c - see TraceSelect.h. */
#include "TraceSelect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define COMM_MAX (EBPF_COMM_LEN - 1)
#define INITIAL_CGROUP_NAMESPACE 0xEFFFFFFBu /* inode number, a constant of the kernel */
#define CGROUP_MOUNT "/sys/fs/cgroup"

/* Kinds that say something about a process. Paths are tested when there is a record, the others by the library. */
#define PROCESS_KINDS                                                                                                  \
    (1u << EBPF_SELECT_PID | 1u << EBPF_SELECT_TREE | 1u << EBPF_SELECT_UID | 1u << EBPF_SELECT_COMM |                 \
     1u << EBPF_SELECT_CGROUP | 1u << EBPF_SELECT_CONTAINER)

static uint32_t namespace__of(const char *path)
{
    struct stat st;

    return stat(path, &st) ? 0 : (uint32_t)st.st_ino;
}

/* Return the part of a cgroup's path that is below the root of the hierarchy. */
static const char *cgroup__path(const char *text)
{
    size_t len = strlen(CGROUP_MOUNT);

    return !strncmp(text, CGROUP_MOUNT, len) && (text[len] == '/' || !text[len]) ? text + len : text;
}

static int condition__copy(struct trace_condition *to, const struct ebpf_condition *from, const struct ebpf_log *log)
{
    *to = (struct trace_condition){.kind = from->kind, .exclude = from->exclude, .id = from->id};
    if ((unsigned int)from->kind > EBPF_SELECT_PORT) {
        ebpf_log__write(log, EBPF_LOG_ERROR, "cannot select: there is no such kind of condition; use a later library");
        return -EINVAL;
    }
    if (from->kind == EBPF_SELECT_COMM && (!from->text || !*from->text || strlen(from->text) > COMM_MAX)) {
        ebpf_log__write(log, EBPF_LOG_ERROR, "cannot select by '%s': a thread's name has 1 to 15 bytes",
                        from->text ? from->text : "");
        return -EINVAL;
    }
    if (from->kind == EBPF_SELECT_CGROUP && (!from->text || !*from->text)) {
        ebpf_log__write(log, EBPF_LOG_ERROR, "cannot select by '': it is no cgroup; write its path from the root");
        return -EINVAL;
    }
    if (from->kind == EBPF_SELECT_CGROUP && namespace__of("/proc/self/ns/cgroup") != INITIAL_CGROUP_NAMESPACE) {
        ebpf_log__write(log, EBPF_LOG_ERROR,
                        "cannot select by cgroup in a cgroup namespace, whose paths are not the machine's; run it in "
                        "the initial one (a container with --cgroupns=host, or nsenter --target 1 --cgroup --mount)");
        return -EOPNOTSUPP;
    }
    if (from->kind == EBPF_SELECT_PATH)
        return trace_condition__resolve(to, from->text, log);
    if (!from->text)
        return 0;
    to->text = strdup(from->kind == EBPF_SELECT_CGROUP ? cgroup__path(from->text) : from->text);
    return to->text ? 0 : -ENOMEM;
}

/* Return whether a process descends from another one, or is it; as far as the table knows. */
static bool process__is_below(const struct processes *processes, const struct process *process, uint32_t root)
{
    for (uint32_t depth = 0; process && depth <= processes->count; depth++) {
        if (process->pids.tgid == root)
            return true;
        process = processes__find(processes, process->pids.ppid);
    }
    return false;
}

static void selection__mark(const struct trace_selection *selection, struct processes *processes)
{
    for (struct process *p = processes__next(processes, NULL); p; p = processes__next(processes, p)) {
        p->chosen = p->trees = 0;
        for (size_t i = 0; i < selection->count && !p->has_ended; i++) {
            const struct trace_condition *c = &selection->conditions[i];

            if (c->kind == EBPF_SELECT_PID && p->pids.tgid == c->id)
                p->chosen |= UINT64_C(1) << i;
            if (c->kind == EBPF_SELECT_TREE && process__is_below(processes, p, c->id))
                p->trees |= UINT64_C(1) << i;
        }
    }
}

static void selection__warn_of_nobody(const struct trace_selection *selection, const struct processes *processes,
                                      const struct ebpf_log *log)
{
    for (size_t i = 0; i < selection->count; i++) {
        const struct trace_condition *c = &selection->conditions[i];
        bool is_process = c->kind == EBPF_SELECT_PID || c->kind == EBPF_SELECT_TREE;
        const struct process *p = is_process ? processes__find(processes, c->id) : NULL;

        if (is_process && (!p || p->has_ended))
            ebpf_log__write(log, EBPF_LOG_WARNING, "there is no process %u: no process will match this condition",
                            c->id);
    }
}

int trace_selection__set(struct trace_selection *selection, struct processes *processes,
                         const struct ebpf_condition *conditions, size_t count, const struct ebpf_log *log)
{
    struct trace_selection next = {.host_pid_ns = namespace__of("/proc/1/ns/pid"),
                                   .host_mnt_ns = namespace__of("/proc/1/ns/mnt")};
    int err = 0;

    if (count > TRACE_CONDITIONS_MAX) {
        ebpf_log__write(log, EBPF_LOG_ERROR,
                        "cannot select: there can be %d conditions at most; use a cgroup or a tree",
                        TRACE_CONDITIONS_MAX);
        return -EINVAL;
    }
    for (; next.count < count && !err; next.count++)
        err = condition__copy(&next.conditions[next.count], &conditions[next.count], log);
    if (err) {
        trace_selection__fini(&next);
        return err;
    }
    trace_selection__fini(selection);
    *selection = next;
    selection__mark(selection, processes);
    selection__warn_of_nobody(selection, processes, log);
    return 0;
}

void trace_selection__fini(struct trace_selection *selection)
{
    for (size_t i = 0; i < selection->count; i++) {
        free(selection->conditions[i].text);
        free(selection->conditions[i].target);
    }
    selection->count = 0;
}

static bool cgroup__is_below(const char *path, const char *root)
{
    size_t len = strlen(root);

    while (len && root[len - 1] == '/')
        len--;
    return path && !strncmp(path, root, len) && (path[len] == '/' || !path[len]);
}

static bool condition__matches(const struct trace_selection *selection, size_t i, const struct trace_actor *actor)
{
    const struct trace_condition *c = &selection->conditions[i];
    const struct process *p = actor->process;

    switch (c->kind) {
    case EBPF_SELECT_PID:
        return p && p->chosen >> i & 1;
    case EBPF_SELECT_TREE:
        return p && p->trees >> i & 1;
    case EBPF_SELECT_UID:
        return actor->uid == c->id;
    case EBPF_SELECT_COMM:
        return !strncmp(actor->comm, c->text, EBPF_COMM_LEN);
    case EBPF_SELECT_CGROUP:
        return p && cgroup__is_below(p->cgroup, c->text);
    case EBPF_SELECT_CONTAINER:
        return (actor->ns.pid && actor->ns.pid != selection->host_pid_ns) ||
               (actor->ns.mnt && actor->ns.mnt != selection->host_mnt_ns);
    default:
        return true;
    }
}

bool trace_selection__passes(const struct trace_selection *selection, const struct trace_actor *actor)
{
    uint32_t included = 0, matched = 0; /* kinds */

    for (size_t i = 0; i < selection->count; i++) {
        const struct trace_condition *c = &selection->conditions[i];

        if (!(PROCESS_KINDS >> c->kind & 1))
            continue;
        bool matches = condition__matches(selection, i, actor);

        if (c->exclude && matches)
            return false;
        included |= c->exclude ? 0 : 1u << c->kind;
        matched |= !c->exclude && matches ? 1u << c->kind : 0;
    }
    return included == matched;
}
