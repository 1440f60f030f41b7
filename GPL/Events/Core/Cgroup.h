/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Cgroup.h - the cgroup of a task, and its path as a variable field. */
#ifndef EBPF_CORE_CGROUP_H
#define EBPF_CORE_CGROUP_H

#include "Cache.h"
#include "Slot.h"
#include "Table.h"

/*
 * Append the path of a cgroup's node, up to the root of its hierarchy; in Cgroup.bpf.c. `id`: the node's, by which the
 * path may be cached; 0 if it may not.
 */
extern int cgroup_path__append(u32 slot, u64 kn, u64 id);

/*
 * The cache of cgroup paths, by the id of the node. Under v2 a cgroup cannot be renamed and its id is not reused, so an
 * entry never gets old. Under v1 cgroups can be renamed and each hierarchy has its own ids, so those paths are not
 * cached.
 */
#define CGROUP_CACHE_LEN 488
#define CGROUP_CACHE_ENTRIES 512 /* a power of two */

struct cgroup_cache_entry {
    u64 id;
    u64 claims;
    u32 len;
    u32 version; /* odd while it is being written */
    u8 path[CGROUP_CACHE_LEN];
};

struct cgroup_paths_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, CGROUP_CACHE_ENTRIES);
    __type(key, u32);
    __type(value, struct cgroup_cache_entry);
};

extern struct cgroup_paths_map cgroup_paths SEC(".maps");

static __always_inline struct cgroup_cache_entry *cgroup_cache__entry(u64 id)
{
    return table__slot(&cgroup_paths, CGROUP_CACHE_ENTRIES, id);
}

/* Append the path of a cgroup from the cache. Returns false if it is not cached. */
static __always_inline bool cgroup_cache__copy(struct scratch *s, u64 id)
{
    struct cgroup_cache_entry *e = cgroup_cache__entry(id);
    struct ebpf_varlen *v =
        e && e->id == id ? varlen__begin(s, EBPF_TAG_CGROUP_PATH, SCRATCH_PATHS - EBPF_PATH_MAX - 64) : NULL;

    if (!v)
        return false;
    u32 version = READ_ONCE(e->version);

    FENCE();
    u64 len = READ_ONCE(e->len);

    if (version & 1 || len > CGROUP_CACHE_LEN)
        return false;
    cached__copy(v + 1, e->path, len, CGROUP_CACHE_LEN);
    if (READ_AFTER(e->id) != id || READ_ONCE(e->version) != version)
        return false;
    varlen__end(s, v, len, 0, 0);
    return true;
}

/* A cgroup: its node, and the id by which its path may be cached, 0 if it may not. */
struct cgroup_ref {
    u64 node, id;
};

/*
 * Return the cgroup of a task: in the pids controller's own hierarchy if there is one (cgroup v1), else in the unified
 * hierarchy (v2, id 0), where the pids controller's state may belong to an ancestor of the task's cgroup. Kernels may
 * be built without cgroups: then there is none. For `memory` see scalar__through.
 */
static __always_inline struct cgroup_ref cgroup_ref__of(u64 *memory, bool typed, struct task_struct *task)
{
    struct cgroup_ref ref = {};

    if (!compat__has_cgroups())
        return ref;
    struct css_set *cset = KREAD(typed, task, cgroups);
    struct cgroup *unified = KREAD(typed, cset, dfl_cgrp);

    if (compat__has_pids_controller()) {
        u64 id = bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id);
        struct cgroup_subsys_state **css_at = (void *)&cset->subsys + id * sizeof(void *), *css = NULL;

        if (typed)
            css = *css_at;
        else
            bpf_probe_read_kernel(&css, sizeof(css), css_at);
        struct cgroup *pids = KREAD(typed, css, cgroup);

        if (pids != unified && KREAD(typed, pids, root, hierarchy_id)) {
            ref.node = scalar__through(memory, KREAD(typed, pids, kn));
            return ref;
        }
    }
    struct kernfs_node *kn = KREAD(typed, unified, kn);

    ref.id = KREAD(typed, kn, id);
    ref.node = scalar__through(memory, kn);
    return ref;
}

static __always_inline void varlen__cgroup_ref(struct scratch *s, struct cgroup_ref ref)
{
    if (compat__has_cgroups() && (!ref.id || !cgroup_cache__copy(s, ref.id)))
        cgroup_path__append(s->slot, ref.node, ref.id);
}

static __always_inline void varlen__cgroup_path(struct scratch *s, bool typed, struct task_struct *task)
{
    varlen__cgroup_ref(s, cgroup_ref__of(&s->scalar, typed, task));
}

#endif
