/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Path.h - paths of files and of cgroups as variable fields.
 *
 * A path is walked from the leaf to the root, and stored in that order, so that it can be cut at the root and never
 * loses its leaf; user space turns it round. It ends at the root directory of the process, so it is the path as the
 * process sees it. Where that root is not the host's, varlen__root_path tells where it is.
 */
#ifndef EBPF_CORE_PATH_H
#define EBPF_CORE_PATH_H

#include "Compat.h"
#include "Emit.h"

/* Append the path in s->job as field `tag`; in Path.bpf.c. Returns 0, or a negative errno when there was no room. */
extern int path__append(u32 slot, u32 tag);

/* Append the path of a cgroup's node from the root of its hierarchy; in Path.bpf.c. */
extern int cgroup_path__append(u32 slot, u64 kn);

static __always_inline void path_job__set(struct scratch *s, struct path *path, struct path *root)
{
    *(struct dentry *volatile *)&s->job.dentry = path->dentry;
    *(struct vfsmount *volatile *)&s->job.mnt = path->mnt;
    *(struct dentry *volatile *)&s->job.root_dentry = root->dentry;
    *(struct vfsmount *volatile *)&s->job.root_mnt = root->mnt;
}

/* The path of something that a typed task's process uses, as that process sees it. */
static __always_inline void varlen__path(struct scratch *s, enum ebpf_tag tag, struct path *path, struct fs_struct *fs)
{
    path_job__set(s, path, &fs->root);
    path__append(s->slot, tag);
}

/* Where the root of the process is, seen from the root of its mount namespace; nothing when it is the host's root. */
static __always_inline void varlen__root_path(struct scratch *s, struct fs_struct *fs)
{
    if (scalar__of(s, fs->root.dentry) == emit_runtime.host_root_dentry)
        return;
    path_job__set(s, &fs->root, &fs->root);
    s->job.root_dentry = 0;
    s->job.root_mnt = 0;
    path__append(s->slot, EBPF_TAG_ROOT_PATH);
}

/*
 * The cgroup of a typed task: in the pids controller's own hierarchy where there is one (cgroup v1), else in the
 * unified hierarchy (v2, id 0), where the pids controller's state may belong to an ancestor of the task's cgroup.
 */
static __always_inline void varlen__cgroup_path(struct scratch *s, struct task_struct *task)
{
    struct css_set *cset = task->cgroups;
    struct cgroup *cgroup = cset->dfl_cgrp;

    if (bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id)) {
        u32 id = bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id);
        u64 css = 0;

        bpf_probe_read_kernel(&css, sizeof(css), (void *)&cset->subsys + id * sizeof(void *));
        struct cgroup *pids = BPF_CORE_READ((struct cgroup_subsys_state *)css, cgroup);

        if (BPF_CORE_READ(pids, root, hierarchy_id)) {
            cgroup_path__append(s->slot, (u64)BPF_CORE_READ(pids, kn));
            return;
        }
    }
    cgroup_path__append(s->slot, scalar__of(s, cgroup->kn));
}

#endif
