/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Path.h - paths of files and of cgroups as variable fields.
 *
 * A path is walked from the leaf to the root, and stored in that order, so that it can be cut at the root and never
 * loses its leaf; user space turns it round. It ends at the root directory of the process, so it is the path as the
 * process sees it. Where that root is not the host's, varlen__root_path tells where it is.
 *
 * A probe says once whose root it is (path_job__root), then appends paths.
 */
#ifndef EBPF_CORE_PATH_H
#define EBPF_CORE_PATH_H

#include "Compat.h"
#include "Emit.h"

/* Append the path in s->job as field `tag`; in Path.bpf.c. Returns 0, or a negative number when there was no room. */
extern int path__append(u32 slot, u32 tag);

/*
 * Append the path of a cgroup's node from the root of its hierarchy, which is that of cgroup v2 or not; in Path.bpf.c.
 */
extern int cgroup_path__append(u32 slot, u64 kn, u32 is_v2);

static __always_inline struct mount *mount__of(u64 vfsmount)
{
    return (void *)(vfsmount - bpf_core_field_offset(struct mount, mnt));
}

/* In no directory, and named by memfd_create. */
static __always_inline bool dentry__is_memfd(struct dentry *dentry)
{
    char name[8] = {};

    if (dentry->d_parent != dentry)
        return false;
    bpf_probe_read_kernel(name, MEMFD_PREFIX_LEN, dentry->d_name.name);
    return *(u64 *)name == MEMFD_PREFIX;
}

/* Paths that are appended from now on are as a process with this root directory sees them. For `typed` see Compat.h. */
static __always_inline void path_job__root(struct scratch *s, bool typed, struct fs_struct *fs)
{
    if (typed) {
        *(struct dentry *volatile *)&s->job.root_dentry = fs->root.dentry;
        *(struct vfsmount *volatile *)&s->job.root_mnt = fs->root.mnt;
    } else {
        s->job.root_dentry = (u64)BPF_CORE_READ(fs, root.dentry);
        s->job.root_mnt = (u64)BPF_CORE_READ(fs, root.mnt);
    }
}

static __always_inline void varlen__path(struct scratch *s, enum ebpf_tag tag, bool typed, struct path *path)
{
    if (typed) {
        *(struct dentry *volatile *)&s->job.dentry = path->dentry;
        *(struct vfsmount *volatile *)&s->job.mnt = path->mnt;
    } else {
        s->job.dentry = (u64)BPF_CORE_READ(path, dentry);
        s->job.mnt = (u64)BPF_CORE_READ(path, mnt);
    }
    path__append(s->slot, tag);
}

/* Whether a mount is the top of its namespace: nothing is above it but, as a rule, the first root file system. */
static __always_inline bool mount__is_top(struct mount *mnt)
{
    struct mount *parent = BPF_CORE_READ(mnt, mnt_parent);

    return parent == mnt || (BPF_CORE_READ(parent, mnt_parent) == parent &&
                             BPF_CORE_READ(mnt, mnt_mountpoint) == BPF_CORE_READ(parent, mnt.mnt_root));
}

/*
 * Where the root of the process is, seen from the root of its mount namespace; nothing when it is the host's root, be
 * it in another namespace with the same root.
 */
static __always_inline void varlen__root_path(struct scratch *s)
{
    if (s->job.root_dentry == emit_runtime.host_root_dentry &&
        (s->job.root_mnt == emit_runtime.host_root_mnt || mount__is_top(mount__of(s->job.root_mnt))))
        return;
    struct path_job job = s->job;

    s->job.dentry = job.root_dentry;
    s->job.mnt = job.root_mnt;
    s->job.root_dentry = 0;
    s->job.root_mnt = 0;
    path__append(s->slot, EBPF_TAG_ROOT_PATH);
    s->job = job;
}

/*
 * The cgroup of who is in a css_set: in the pids controller's own hierarchy where there is one (cgroup v1), else in the
 * unified hierarchy (v2, id 0), where the pids controller's state may belong to an ancestor of the task's cgroup.
 */
static __always_inline void varlen__cgroup_path(struct scratch *s, bool typed, struct css_set *cset)
{
    if (bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id)) {
        u32 id = bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id);
        u64 css = 0;

        bpf_probe_read_kernel(&css, sizeof(css), (void *)&cset->subsys + id * sizeof(void *));
        struct cgroup *pids = BPF_CORE_READ((struct cgroup_subsys_state *)css, cgroup);

        if (BPF_CORE_READ(pids, root, hierarchy_id)) {
            cgroup_path__append(s->slot, (u64)BPF_CORE_READ(pids, kn), false);
            return;
        }
    }
    cgroup_path__append(s->slot, scalar__of(s, KREAD(typed, cset, dfl_cgrp, kn)), true);
}

#endif
