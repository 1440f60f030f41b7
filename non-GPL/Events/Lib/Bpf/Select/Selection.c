/* SPDX-License-Identifier: BSD-2-Clause */
/* Selection.c - checks conditions and puts them into lists; see Selection.h. */
#include "Selection.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "Resolve.h"

#define COMM_MAX (EBPF_COMM_LEN - 1)
#define CGROUP_TRIES 8
#define PID_NAMESPACE_PATH "/proc/self/ns/pid"
#define CGROUP_NAMESPACE_PATH "/proc/self/ns/cgroup"
#define INITIAL_PID_NAMESPACE 0xEFFFFFFCu /* inode numbers, constants of the kernel */
#define INITIAL_CGROUP_NAMESPACE 0xEFFFFFFBu

_Static_assert((int)EBPF_SELECT_PID == (int)SELECT_PID && (int)EBPF_SELECT_TREE == (int)SELECT_TREE &&
                   (int)EBPF_SELECT_UID == (int)SELECT_UID && (int)EBPF_SELECT_COMM == (int)SELECT_COMM &&
                   (int)EBPF_SELECT_CGROUP == (int)SELECT_CGROUP &&
                   (int)EBPF_SELECT_CONTAINER == (int)SELECT_CONTAINER && (int)EBPF_SELECT_PATH == (int)SELECT_PATH,
               "the interface and the probes differ");

static void list__clear(struct select_list *list)
{
    memset(list, 0, sizeof(*list));
    memset(list->pids, 0xff, sizeof(list->pids)); /* SELECT_NO_ID */
    memset(list->uids, 0xff, sizeof(list->uids));
    memset(list->comms, 0xff, sizeof(list->comms));
}

static int refuse(const struct ebpf_log *log, const char *why, const char *what)
{
    ebpf_log__write(log, EBPF_LOG_ERROR, "cannot select by '%s': %s", what ? what : "", why);
    return -EINVAL;
}

static int ids__add(uint32_t *ids, uint32_t id, const struct ebpf_log *log)
{
    char text[16];

    for (size_t i = 0; i < SELECT_VALUES; i++) {
        if (ids[i] == SELECT_NO_ID) {
            ids[i] = id;
            return 0;
        }
    }
    snprintf(text, sizeof(text), "%u", id);
    return refuse(log, "there can be 16 of a kind at most; use a cgroup or a tree", text);
}

static int comm__add(struct select_list *list, const char *text, const struct ebpf_log *log)
{
    char comm[EBPF_COMM_LEN] = {0};
    size_t len = strlen(text), i = 0;

    if (!len || len > COMM_MAX)
        return refuse(log, "a thread's name has 1 to 15 bytes", text);
    memcpy(comm, text, len);
    while (i < SELECT_TEXTS && list->comms[i][0] != UINT64_MAX)
        i++;
    if (i == SELECT_TEXTS)
        return refuse(log, "there can be 8 names at most", text);
    memcpy(list->comms[i], comm, sizeof(comm));
    return 0;
}

static int cgroup__add(struct select_list *list, const char *text, const struct ebpf_log *log)
{
    char path[CGROUP_PATH_MAX];
    const char *why;
    int level = cgroup__resolve(text, path, &why);
    size_t i = 0;

    if (level < 0)
        return refuse(log, why, text);
    while (i < SELECT_TEXTS && list->cgroup_is_set[i])
        i++;
    if (i == SELECT_TEXTS)
        return refuse(log, "there can be 8 cgroups at most; name one above them", text);
    list->cgroups[i] = cgroup__id(path);
    list->cgroup_levels[i] = (uint32_t)level;
    list->cgroup_is_set[i] = 1;
    if (strlen(path) < SELECT_PATH_MAX)
        memcpy(list->cgroup_paths[i], path, strlen(path));
    else if (list->cgroups[i])
        ebpf_log__write(log, EBPF_LOG_WARNING,
                        "cgroup '%s' will not be recognized if it is removed and created again: its path is too long",
                        text);
    else
        return refuse(log, "there is no such cgroup, and its path is too long to wait for it", text);
    if (!list->cgroups[i])
        ebpf_log__write(log, EBPF_LOG_WARNING,
                        "there is no cgroup '%s' yet; its processes will match once it is created", text);
    return 0;
}

void selection__find_cgroups(struct select_list *list)
{
    bool has_some = list->kinds & 1u << SELECT_CGROUP;

    for (size_t i = 0; has_some && i < SELECT_TEXTS; i++) {
        const char *path = (const char *)list->cgroup_paths[i];
        volatile uint64_t *known = &list->cgroups[i];
        uint64_t id;

        /* repeat if it was created again meanwhile: the probes may have noted the new id first */
        for (int tries = 0; tries < CGROUP_TRIES && *path && (id = cgroup__id(path)) && *known != id; tries++)
            *known = id;
    }
}

void selection__warn_of_nobody(const struct ebpf_condition *conditions, size_t count, const struct ebpf_log *log)
{
    for (size_t i = 0; i < count; i++) {
        const struct ebpf_condition *c = &conditions[i];

        if ((c->kind == EBPF_SELECT_PID || c->kind == EBPF_SELECT_TREE) && kill((pid_t)c->id, 0) && errno == ESRCH)
            ebpf_log__write(log, EBPF_LOG_WARNING,
                            "there is no process %u; a later process with this id will not match", c->id);
    }
}

/* Write the components of a path, leaf first, each with its NUL. Returns the length, or -1 if there is no room. */
static int path__reverse(const char *path, char *out, size_t size)
{
    size_t len = 0, end = strlen(path);

    while (end) {
        size_t start = end;

        while (start && path[start - 1] != '/')
            start--;
        if (start < end) {
            if (len + end - start + 1 > size)
                return -1;
            memcpy(out + len, path + start, end - start);
            len += end - start;
            out[len++] = '\0';
        }
        end = start ? start - 1 : 0;
    }
    return (int)len;
}

/* Add a path as it is. */
static int path__add_one(struct select_list *list, const char *path, const struct ebpf_log *log)
{
    char reversed[SELECT_PATH_MAX] = {0};
    int len = path__reverse(path, reversed, sizeof(reversed));
    size_t i = 0;

    if (len < 0)
        return refuse(log, "a path can have 255 bytes at most; name a directory above it", path);
    while (i < SELECT_TEXTS && list->path_lens[i])
        i++;
    if (i == SELECT_TEXTS)
        return refuse(log, "there can be 8 paths at most, links and what they lead to", path);
    memcpy(list->paths[i], reversed, sizeof(reversed));
    list->path_lens[i] = (uint32_t)len;
    return 0;
}

/* Add a path as events have it, without links in it; if it is a link, both its own path and its target. */
static int path__add(struct select_list *list, const char *text, const struct ebpf_log *log)
{
    char path[PATH_MAX], target[PATH_MAX];
    const char *why;
    int links = path__resolve(text, path, target, &why);

    if (links < 0)
        return refuse(log, why, text);
    if (links && !*target && !strcmp(text, path))
        ebpf_log__write(log, EBPF_LOG_WARNING,
                        "'%s' is a link that leads nowhere: only events about the link itself match", text);
    else if (links)
        ebpf_log__write(log, EBPF_LOG_INFO, "for '%s', events about '%s'%s%s%s match", text, path,
                        *target ? " and '" : "", target, *target ? "'" : "");
    int err = path__add_one(list, path, log);

    return !err && *target ? path__add_one(list, target, log) : err;
}

static int condition__add(struct select_list *list, const struct ebpf_condition *c, const struct ebpf_log *log)
{
    bool wants_text = c->kind == EBPF_SELECT_COMM || c->kind == EBPF_SELECT_CGROUP || c->kind == EBPF_SELECT_PATH;

    if (wants_text && !c->text)
        return refuse(log, "it has no text", NULL);
    switch (c->kind) {
    case EBPF_SELECT_PID:
        return ids__add(list->pids, c->id, log);
    case EBPF_SELECT_UID:
        return ids__add(list->uids, c->id, log);
    case EBPF_SELECT_COMM:
        return comm__add(list, c->text, log);
    case EBPF_SELECT_CGROUP:
        return cgroup__add(list, c->text, log);
    case EBPF_SELECT_PATH:
        return path__add(list, c->text, log);
    case EBPF_SELECT_TREE:
    case EBPF_SELECT_CONTAINER:
    case EBPF_SELECT_ADDRESS:
    case EBPF_SELECT_PORT:
        return 0;
    }
    return refuse(log, "a condition is of no known kind", NULL);
}

/* Mask the bytes of a name up to its NUL: a task's name may have any bytes behind that. */
static void quick__set_comm(struct select_quick *quick, const uint64_t comm[2])
{
    memcpy(quick->value, comm, sizeof(quick->value));
    memset(quick->mask, 0xff, strlen((const char *)quick->value) + 1);
}

static struct select_quick quick__of(const struct selection *selection)
{
    const uint32_t tasks = (1u << SELECT_PATH) - 1;
    const bool excludes = selection->exclude.kinds & tasks;
    const struct select_list *list = excludes ? &selection->exclude : &selection->include;
    struct select_quick quick = {.kinds = list->kinds & tasks, .excludes = excludes};

    if (quick.excludes && selection->include.kinds & tasks)
        return (struct select_quick){.kinds = 0};
    if (quick.kinds == 1u << SELECT_COMM && list->comms[1][0] == UINT64_MAX) {
        quick__set_comm(&quick, list->comms[0]);
    } else if ((quick.kinds == 1u << SELECT_UID && list->uids[1] == SELECT_NO_ID) ||
               (quick.kinds == 1u << SELECT_PID && list->pids[1] == SELECT_NO_ID)) {
        quick.value[0] = quick.kinds == 1u << SELECT_UID ? list->uids[0] : list->pids[0];
        quick.mask[0] = quick.mask[1] = UINT64_MAX;
    } else {
        quick.kinds = 0;
    }
    return quick;
}

static bool is_in_namespace(const char *path, ino_t number)
{
    struct stat ns;

    return stat(path, &ns) || ns.st_ino == number; /* unknown without /proc */
}

/*
 * The probes identify processes by their ids in the initial pid namespace, which belong to other processes elsewhere,
 * and cgroups by their levels below the root of the hierarchy.
 */
static int selection__check_namespace(const struct selection *selection, const struct ebpf_log *log)
{
    bool by_process = selection->kinds & (1u << EBPF_SELECT_PID | 1u << EBPF_SELECT_TREE);

    if (by_process && !is_in_namespace(PID_NAMESPACE_PATH, INITIAL_PID_NAMESPACE)) {
        ebpf_log__write(
            log, EBPF_LOG_ERROR,
            "cannot select by process in a pid namespace, whose numbers are not the machine's; run it in the "
            "initial one (a container with --pid=host, or nsenter --target 1 --pid), or select by cgroup");
        return -EOPNOTSUPP;
    }
    if (selection->kinds & 1u << EBPF_SELECT_CGROUP &&
        !is_in_namespace(CGROUP_NAMESPACE_PATH, INITIAL_CGROUP_NAMESPACE)) {
        ebpf_log__write(
            log, EBPF_LOG_ERROR,
            "cannot select by cgroup in a cgroup namespace, whose paths are not the machine's; run it in the initial "
            "one (a container with --cgroupns=host, or nsenter --target 1 --cgroup --mount)");
        return -EOPNOTSUPP;
    }
    return 0;
}

int selection__build(struct selection *ret_selection, const struct ebpf_condition *conditions, size_t count,
                     const struct ebpf_log *log)
{
    struct selection selection = {.kinds = 0};

    list__clear(&selection.include);
    list__clear(&selection.exclude);
    for (size_t i = 0; i < count; i++) {
        const struct ebpf_condition *c = &conditions[i];
        struct select_list *list = c->exclude ? &selection.exclude : &selection.include;
        int err = condition__add(list, c, log);

        if (err)
            return err;
        if (c->kind <= EBPF_SELECT_PATH) /* the reader checks the others */
            list->kinds |= 1u << c->kind;
    }
    selection.kinds = selection.include.kinds | selection.exclude.kinds;
    selection.quick = quick__of(&selection);
    int err = selection__check_namespace(&selection, log);

    if (!err)
        *ret_selection = selection;
    return err;
}
