/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceFiles.h - makes the events of files: what they have in common, and which records they are made of.
 *
 * A thread passes a hook of the security modules first, which has the path of the mount and the dentry, then a function
 * that shows success: the dentry gets an inode (d_instantiate), loses it (d_delete), or is moved (d_move). Both are
 * paired by the thread and the address of the dentry; so the layers of an overlay, which pass the second function too,
 * are no events.
 */
#ifndef EBPF_TRACE_FILES_H
#define EBPF_TRACE_FILES_H

#include "TraceCaller.h"
#include "TraceDirectories.h"
#include "TraceOps.h"

#define TRACE_FILE_NAMES 7

/* The values of a set, from the id of its first one (ProbesFile.def). */
enum trace_file_value {
    TRACE_FILE_DENTRY = TRACE_FILE_NAMES,
    TRACE_FILE_HASHED,
    TRACE_FILE_PARENT,
    TRACE_FILE_PARENT_INODE,
    TRACE_FILE_INODE,
    TRACE_FILE_DEVICE,
    TRACE_FILE_INFO, /* here a set of an inode begins */
};

enum trace_inode_value {
    TRACE_INODE_MODE,
    TRACE_INODE_NLINK,
    TRACE_INODE_NUMBER,
    TRACE_INODE_OWNER,
    TRACE_INODE_SIZE,
    TRACE_INODE_ATIME,
    TRACE_INODE_ATIME_NS,
    TRACE_INODE_MTIME,
    TRACE_INODE_MTIME_NS,
    TRACE_INODE_CTIME,
    TRACE_INODE_CTIME_NS,
    TRACE_INODE_TARGET,
};

struct trace_files {
    struct trace_directories directories;
    struct trace_ops ops;     /* on names in directories */
    struct trace_ops changes; /* of files, which may be within those */
    int memfd_mount;          /* on which memfds are; -1: not known */
    uint32_t memfd_major, memfd_minor;
};

/* Make room. 0 or -ENOMEM. */
int trace_files__init(struct trace_events *events);
void trace_files__fini(struct trace_events *events);

/* Take a record of ProbesFile.def. */
void trace_files__take(struct trace_events *events, const struct trace_values *v);

static inline uint64_t trace_file__number(const struct trace_values *v, enum trace_value set, int which)
{
    return v->of[(int)set + which].number;
}

static inline struct slice trace_file__text(const struct trace_values *v, enum trace_value set, int which)
{
    return v->of[(int)set + which].text;
}

/* Fill in the path of a file in its file system. */
void trace_file__fill_path(struct trace_events *events, struct trace_path *path, const struct trace_values *v,
                           enum trace_value set);

/* Place such a path, as a process sees it through a mount. */
void trace_file__place(struct trace_events *events, struct trace_path *path, int mount,
                       const struct trace_caller *caller);

/*
 * Place such a path by the device of the file, if the mount is not known: it is ambiguous if several mounts show the
 * file system.
 */
void trace_file__place_by_device(struct trace_events *events, struct trace_path *path,
                                 const struct ebpf_file_info *info, const struct trace_caller *caller);

/* Fill in file_info from a set of an inode. */
void trace_file__fill_info(struct ebpf_file_info *info, const struct trace_values *v, enum trace_value set,
                           uint64_t device);

/* Fill in the device of a file from the mount that it is on. */
void trace_file__fill_device(struct trace_events *events, struct ebpf_file_info *info, int mount, uint32_t tgid);

/* Begin an event of a file, whose fixed part begins like that of FILE_CREATE; `caller` acts in it. */
struct ebpf_file_create_event *trace_file_event__begin(struct trace_events *events, enum ebpf_event_type type,
                                                       size_t size, const struct trace_values *v,
                                                       const struct trace_caller *caller);

void trace_file_event__add_path(struct ebpf_event_header *hdr, enum ebpf_tag tag, const struct trace_path *path);

void trace_file_event__add_text(struct ebpf_event_header *hdr, enum ebpf_tag tag, struct slice text);

/* Add what comes behind the paths, and end the event. */
void trace_file_event__end(struct trace_events *events, struct ebpf_event_header *hdr,
                           const struct trace_caller *caller, struct slice target);

#endif
