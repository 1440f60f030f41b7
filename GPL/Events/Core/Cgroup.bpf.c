// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Cgroup.bpf.c - walks from a cgroup to the root of its hierarchy, in nested loops like those of Path.bpf.c. */
#include "Cgroup.h"
#include "Path.h"

#define WALK_INNER 8
#define WALK_OUTER 8

struct cgroup_paths_map cgroup_paths SEC(".maps");

/* Cache the path that was just appended as `v`. */
static __always_inline void cgroup_cache__store(struct ebpf_varlen *v, u64 id)
{
    struct cgroup_cache_entry *e = cgroup_cache__entry(id);
    u64 len = READ_ONCE(v->len);

    if (!e || len > CGROUP_CACHE_LEN)
        return;
    if (claim__enter(&e->claims)) {
        VERSION_STEP(e->version);
        WRITE_ONCE(e->id, id);
        WRITE_ONCE(e->len, len);
        bpf_probe_read_kernel(e->path, len, v + 1);
        VERSION_STEP(e->version);
    }
    claim__release(&e->claims);
}

/* Append the name of one node and go to its parent. */
__noinline int cgroup_path__step(u32 slot)
{
    struct scratch *s = scratch__at(slot);

    if (!s)
        return -1;
    struct kernfs_node *kn = (void *)s->walk.dentry;
    struct kernfs_node *parent = compat__kernfs_parent(kn);
    u64 used = READ_ONCE(s->walk.used);
    u64 off = READ_ONCE(s->walk.start) + used;

    if (!parent) {
        s->walk.phase = WALK_DONE;
        return 0;
    }
    BARRIER(off);
    if (used > EBPF_PATH_MAX - NAME_MAX - 1 || off > SCRATCH_PATHS - NAME_MAX - 1)
        return 0;
    long n = bpf_probe_read_kernel_str(&s->data[off], NAME_MAX + 1, BPF_CORE_READ(kn, name));

    if (n > 0) {
        s->walk.used = used + n;
        s->walk.dentry = (u64)parent;
    }
    return 0;
}

__noinline int cgroup_path__walk_inner(u32 slot)
{
    struct scratch *s = scratch__at(slot);

    if (!s)
        return -1;
    for (int i = 0; i < WALK_INNER && READ_ONCE(s->walk.phase) != WALK_DONE; i++)
        cgroup_path__step(slot);
    return 0;
}

int cgroup_path__append(u32 slot, u64 kn_addr, u64 id)
{
    struct scratch *s = scratch__at(slot);

    if (!s)
        return -1;
    struct ebpf_varlen *v = varlen__begin(s, EBPF_TAG_CGROUP_PATH, SCRATCH_PATHS - EBPF_PATH_MAX - 64);

    if (!v)
        return -1;
    s->walk.dentry = kn_addr;
    s->walk.start = s->len + sizeof(*v);
    s->walk.used = 0;
    s->walk.phase = WALK_UP;
    for (int i = 0; i < WALK_OUTER && READ_ONCE(s->walk.phase) != WALK_DONE; i++)
        cgroup_path__walk_inner(slot);
    varlen__end(s, v, s->walk.used, 0, s->walk.phase == WALK_DONE ? 0 : EBPF_VARLEN_TRUNCATED);
    if (id && s->walk.phase == WALK_DONE)
        cgroup_cache__store(v, id);
    return 0;
}
