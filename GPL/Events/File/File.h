/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * File.h - what file events have in common: who acts, the file, where it is.
 *
 * Each begins with the members of struct ebpf_file_create_event. Who probes the kernel says which dentry, mount and
 * inode it is about; global functions, which the verifier checks once a program, do the rest.
 */
#ifndef EBPF_FILE_FILE_H
#define EBPF_FILE_FILE_H

#include "../Core/Path.h"
#include "../Core/Pending.h"
#include "../Core/Task.h"

#define FILE_EVENT_BEGINS_AS_CREATE(name)                                                                              \
    _Static_assert(__builtin_offsetof(struct ebpf_##name##_event, file_info) ==                                        \
                       __builtin_offsetof(struct ebpf_file_create_event, file_info),                                   \
                   "file events begin alike")

/* Ids, credentials and name of the current task, whose root directory paths are seen from; in File.bpf.c. */
extern int file_actor__fill(u32 slot);

/* file_info of the inode at an address. */
extern int file_info__fill(u32 slot, u64 inode);

/* What the inode, when it is a symbolic link, points to. */
extern int file_symlink__append(u32 slot, u64 inode);

/* The cgroup of the current task, and its root directory where that is not the host's. */
extern int file_actor__append(u32 slot);

/* A path that is the typed `path`'s. */
static __always_inline void file_path__append(struct scratch *s, enum ebpf_tag tag, struct path *path)
{
    varlen__path(s, tag, true, path);
}

/* A path of the dentry at an address, by way of a mount. */
static __always_inline void dentry_path__append(struct scratch *s, enum ebpf_tag tag, u64 dentry, u64 mnt)
{
    s->job.dentry = dentry;
    s->job.mnt = mnt;
    path__append(s->slot, tag);
}

/* A whole event but for what is its own: to be called when s->job says which path. */
static __always_inline void file_event__fill(struct scratch *s, u64 inode)
{
    struct path_job job = s->job;

    file_actor__fill(s->slot);
    file_info__fill(s->slot, inode);
    s->job.dentry = job.dentry;
    s->job.mnt = job.mnt;
    path__append(s->slot, EBPF_TAG_PATH);
    file_symlink__append(s->slot, inode);
    file_actor__append(s->slot);
}

/* An event about a typed file that is open. */
static __always_inline void file_event__fill_of(struct scratch *s, struct path *path, struct inode *inode)
{
    *(struct dentry *volatile *)&s->job.dentry = path->dentry;
    *(struct vfsmount *volatile *)&s->job.mnt = path->mnt;
    file_event__fill(s, scalar__of(s, inode));
}

#endif
