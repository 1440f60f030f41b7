// SPDX-License-Identifier: BSD-2-Clause
/* TraceFiles.c - see TraceFiles.h. */
#include "TraceFiles.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "TraceFileChanges.h"
#include "TraceFileOpens.h"
#include "TraceFileOps.h"
#include "TraceRecord.h"
#include "TraceTask.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_MASK 0x7fffffffu /* the highest bit of ctime says that it was read (6.13) */
#define DEVICE_MINOR_BITS 20

static bool name__is_root(struct slice name)
{
    return name.len == 1 && *name.data == '/';
}

/* Fill in the names from one on; false if the root of the file system is not among them. */
static bool names__fill(struct trace_path *path, const struct trace_values *v, enum trace_value set, int first)
{
    path->len = path->flags = 0;
    for (int i = first; i < TRACE_FILE_NAMES; i++) {
        struct slice name = trace_file__text(v, set, i);

        if (!name.len)
            return false;
        if (name__is_root(name))
            return true;
        trace_path__add(path, name.data, name.len);
    }
    return false;
}

void trace_file__fill_path(struct trace_events *events, struct trace_path *path, const struct trace_values *v,
                           enum trace_value set)
{
    struct trace_directories *dirs = &events->files->directories;
    const uint64_t parent = trace_file__number(v, set, TRACE_FILE_PARENT);
    const uint64_t inode = trace_file__number(v, set, TRACE_FILE_PARENT_INODE);
    const struct slice leaf = trace_file__text(v, set, 0);
    struct slice above;
    uint16_t flags;

    if (parent == trace_file__number(v, set, TRACE_FILE_DENTRY) && !name__is_root(leaf)) {
        path->len = path->flags = 0;
        trace_path__add(path, leaf.data, leaf.len);
        path->flags = EBPF_VARLEN_NAME_ONLY;
        return;
    }
    if (name__is_root(leaf)) { /* one that is none was opened by its handle, and has no name yet */
        const uint64_t mode = trace_file__number(v, set, TRACE_FILE_INFO + TRACE_INODE_MODE);

        path->len = 0;
        path->flags = mode && !S_ISDIR(mode) ? EBPF_VARLEN_UNREACHABLE : 0;
        return;
    }
    if (!names__fill(path, v, set, 1))
        path->flags |= EBPF_VARLEN_TRUNCATED;
    if (path->flags & EBPF_VARLEN_TRUNCATED &&
        trace_directories__find(dirs, parent, inode, trace_file__text(v, set, 1), &above, &flags) &&
        above.len >= path->len) {
        memcpy(path->data, above.data, above.len);
        path->len = (uint32_t)above.len;
        path->flags = flags;
    } else {
        trace_directories__learn(dirs, parent, inode, (struct slice){path->data, path->len}, path->flags);
    }
    trace_path__prepend(path, leaf.data, leaf.len);
}

void trace_file__place(struct trace_events *events, struct trace_path *path, int mount,
                       const struct trace_caller *caller)
{
    struct trace_path root;
    const char *root_path = caller->process ? caller->process->root_path : NULL;

    if (path->flags & (EBPF_VARLEN_NAME_ONLY | EBPF_VARLEN_TRUNCATED | EBPF_VARLEN_UNREACHABLE))
        return;
    trace_path__place(path, &events->mounts, mount, caller->pids.tgid);
    if (!root_path || path->flags & EBPF_VARLEN_UNREACHABLE)
        return;
    trace_path__from_text(&root, root_path, strlen(root_path));
    if (!trace_path__cut_root(path, &root))
        path->flags |= EBPF_VARLEN_UNREACHABLE;
}

void trace_file__place_by_device(struct trace_events *events, struct trace_path *path,
                                 const struct ebpf_file_info *info, const struct trace_caller *caller)
{
    bool is_ambiguous;
    int mount = trace_mounts__find_by_device(&events->mounts, info->dev_major, info->dev_minor, caller->pids.tgid,
                                             &is_ambiguous);

    trace_file__place(events, path, mount, caller);
    if (is_ambiguous)
        path->flags |= EBPF_VARLEN_AMBIGUOUS;
}

static uint32_t mode__type(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return EBPF_FILE_TYPE_FILE;
    case S_IFDIR:
        return EBPF_FILE_TYPE_DIR;
    case S_IFLNK:
        return EBPF_FILE_TYPE_SYMLINK;
    case S_IFCHR:
        return EBPF_FILE_TYPE_CHARACTER_DEVICE;
    case S_IFBLK:
        return EBPF_FILE_TYPE_BLOCK_DEVICE;
    case S_IFIFO:
        return EBPF_FILE_TYPE_NAMED_PIPE;
    case S_IFSOCK:
        return EBPF_FILE_TYPE_SOCKET;
    default:
        return 0;
    }
}

static int64_t inode__time(const struct trace_values *v, enum trace_value set, int seconds)
{
    return (int64_t)trace_file__number(v, set, seconds) * NS_PER_S +
           (int64_t)(trace_file__number(v, set, seconds + 1) & NS_MASK);
}

void trace_file__fill_info(struct ebpf_file_info *info, const struct trace_values *v, enum trace_value set,
                           uint64_t device)
{
    const uint64_t owner = trace_file__number(v, set, TRACE_INODE_OWNER);

    *info = (struct ebpf_file_info){
        .mode = (uint32_t)trace_file__number(v, set, TRACE_INODE_MODE),
        .inode = trace_file__number(v, set, TRACE_INODE_NUMBER),
        .size = trace_file__number(v, set, TRACE_INODE_SIZE),
        .uid = (uint32_t)owner,
        .gid = trace_values__upper(owner),
        .atime = inode__time(v, set, TRACE_INODE_ATIME),
        .mtime = inode__time(v, set, TRACE_INODE_MTIME),
        .ctime = inode__time(v, set, TRACE_INODE_CTIME),
        .dev_major = (uint32_t)(device >> DEVICE_MINOR_BITS),
        .dev_minor = (uint32_t)(device & ((1u << DEVICE_MINOR_BITS) - 1)),
        .nlink = (uint32_t)trace_file__number(v, set, TRACE_INODE_NLINK),
    };
    info->type = mode__type(info->mode);
}

void trace_file__fill_device(struct trace_events *events, struct ebpf_file_info *info, int mount, uint32_t tgid)
{
    const struct trace_files *files = events->files;

    if (mount == files->memfd_mount) {
        info->dev_major = files->memfd_major;
        info->dev_minor = files->memfd_minor;
        return;
    }
    const struct trace_mount *found = trace_mounts__find(&events->mounts, mount, tgid);

    if (found) {
        info->dev_major = found->dev_major;
        info->dev_minor = found->dev_minor;
    }
}

struct ebpf_file_create_event *trace_file_event__begin(struct trace_events *events, enum ebpf_event_type type,
                                                       size_t size, const struct trace_values *v,
                                                       const struct trace_caller *caller)
{
    struct ebpf_file_create_event *e = trace_event__begin(events, EBPF_RING_BULK, type, size, v);

    memcpy(e->hdr.comm, caller->comm, sizeof(caller->comm));
    e->pids = caller->pids;
    e->creds = caller->creds;
    e->mount_namespace = caller->ns.mnt;
    return e;
}

void trace_file_event__add_path(struct ebpf_event_header *hdr, enum ebpf_tag tag, const struct trace_path *path)
{
    trace_record__add(hdr, tag, path->data, path->len, 0, path->flags);
}

void trace_file_event__add_text(struct ebpf_event_header *hdr, enum ebpf_tag tag, struct slice text)
{
    trace_record__add(hdr, tag, text.data ? text.data : "", (uint32_t)text.len, 0, 0);
}

static void event__add_text_path(struct ebpf_event_header *hdr, enum ebpf_tag tag, const char *text)
{
    struct trace_path path = {.flags = EBPF_VARLEN_TRUNCATED};

    if (text)
        trace_path__from_text(&path, text, strlen(text));
    trace_file_event__add_path(hdr, tag, &path);
}

void trace_file_event__end(struct trace_events *events, struct ebpf_event_header *hdr,
                           const struct trace_caller *caller, struct slice target)
{
    const struct process *p = caller->process;

    trace_file_event__add_text(hdr, EBPF_TAG_SYMLINK_TARGET, target);
    event__add_text_path(hdr, EBPF_TAG_CGROUP_PATH, p ? p->cgroup : NULL);
    if (p && p->root_path)
        event__add_text_path(hdr, EBPF_TAG_ROOT_PATH, p->root_path);
    if (trace_selection__passes_paths(&events->selection, hdr))
        trace_event__end(events, EBPF_RING_BULK, hdr);
    else
        trace_event__drop(events, EBPF_RING_BULK, hdr);
}

/* Find out on which mount memfds are: the kernel's own, which is in no list. */
static void memfd__find(struct trace_files *files)
{
    int fd = memfd_create("mount", MFD_CLOEXEC);
    struct stat st;

    files->memfd_mount = -1;
    if (fd < 0)
        return;
    if (!fstat(fd, &st)) {
        files->memfd_mount = fd__mount_id(fd);
        files->memfd_major = major(st.st_dev);
        files->memfd_minor = minor(st.st_dev);
    }
    close(fd);
}

int trace_files__init(struct trace_events *events)
{
    events->files = calloc(1, sizeof(*events->files));
    if (!events->files)
        return -ENOMEM;
    memfd__find(events->files);
    return 0;
}

void trace_files__fini(struct trace_events *events)
{
    if (!events->files)
        return;
    trace_directories__fini(&events->files->directories);
    trace_ops__fini(&events->files->ops);
    trace_ops__fini(&events->files->changes);
    free(events->files);
    events->files = NULL;
}

void trace_files__take(struct trace_events *events, const struct trace_values *v)
{
    if (v->probe == TRACE_PROBE_opening)
        trace_file_open__take(events, v);
    else if (!trace_file_changes__take(events, v))
        trace_file_ops__take(events, v);
}
