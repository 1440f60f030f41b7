// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Path.bpf.c - walks from a leaf to a root.
 *
 * Global functions: the verifier checks each once in a program, however often it is called, and forgets at the call
 * what the caller's registers held; inlined, four walks with 192 steps each go over its limit on 5.10. They take
 * scalars only (5.10), so they are given the number of the scratch slot and look it up. What a loop carries lives in
 * the slot and is read back on every turn (volatile): a value that the verifier does not know lets it see that two
 * turns are alike.
 */
#include "Path.h"

#define NAME_MAX 255
#define CGROUP_DEPTH_MAX 64
#define CGROUP_CACHE_LEN 496

/* What is read of a dentry at once: the parent and the name stand next to each other, which is checked on load. */
struct dentry_head {
    u64 parent;
    u32 hash, name_len;
    u64 name;
};

static __always_inline void dentry_head__read(struct dentry_head *head, struct dentry *dentry)
{
    if (bpf_core_field_offset(struct dentry, d_name) == bpf_core_field_offset(struct dentry, d_parent) + sizeof(u64)) {
        bpf_probe_read_kernel(head, sizeof(*head), &dentry->d_parent);
        return;
    }
    head->parent = (u64)BPF_CORE_READ(dentry, d_parent);
    head->name_len = BPF_CORE_READ(dentry, d_name.len);
    head->name = (u64)BPF_CORE_READ(dentry, d_name.name);
}

/*
 * Append one component and its NUL behind the `used` bytes of `v`'s data, which begin at `start`. Returns its length
 * with the NUL, 0 when it would make the value longer than a path may be.
 */
static __always_inline u32 component__append(struct scratch *s, u64 start, u64 used, u64 name, u64 name_len)
{
    u64 off = start + used;

    if (name_len > NAME_MAX)
        name_len = NAME_MAX;
    if (used + name_len + 1 > EBPF_PATH_MAX)
        return 0;
    BARRIER(off);
    BARRIER(name_len);
    if (off > SCRATCH_PATHS - NAME_MAX - 1 || name_len > NAME_MAX)
        return 0;
    bpf_probe_read_kernel(&s->data[off], name_len, (void *)name);
    s->data[off + name_len] = 0;
    return name_len + 1;
}

struct walk {
    struct dentry *dentry;
    struct dentry *mnt_root;
    struct mount *mnt;
};

static __always_inline struct mount *mount__of(u64 vfsmount)
{
    return (void *)(vfsmount - bpf_core_field_offset(struct mount, mnt));
}

/* From the root of a mount to where it is mounted. False at the top of the namespace. */
static __always_inline bool walk__up_mount(struct walk *w)
{
    struct mount *mnt = w->mnt; /* a variable of its own: CO-RE would take `w` for a kernel object */
    struct mount *parent = BPF_CORE_READ(mnt, mnt_parent);

    if (parent == mnt)
        return false;
    w->dentry = BPF_CORE_READ(mnt, mnt_mountpoint);
    w->mnt = parent;
    w->mnt_root = BPF_CORE_READ(parent, mnt.mnt_root);
    return true;
}

int path__append(u32 slot, u32 tag)
{
    struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);

    if (!s)
        return -1;
    struct ebpf_varlen *v = varlen__begin(s, tag, SCRATCH_PATHS - EBPF_PATH_MAX - 64);

    if (!v)
        return -1;
    const u32 start = *(volatile u32 *)&s->len + sizeof(*v);
    struct dentry *root_dentry = (void *)s->job.root_dentry;
    struct mount *root_mnt = mount__of(s->job.root_mnt);
    struct mount *mnt = mount__of(s->job.mnt);
    struct walk w = {.dentry = (void *)s->job.dentry, .mnt = mnt, .mnt_root = BPF_CORE_READ(mnt, mnt.mnt_root)};
    u16 flags = EBPF_VARLEN_TRUNCATED;

    for (int i = 0; i < EBPF_PATH_COMPONENTS_MAX + 64; i++) {
        if (w.dentry == root_dentry && w.mnt == root_mnt) {
            flags = 0;
            break;
        }
        if (w.dentry == w.mnt_root) {
            if (walk__up_mount(&w))
                continue;
            flags = root_dentry ? EBPF_VARLEN_UNREACHABLE : 0;
            break;
        }
        struct dentry_head head = {};
        u32 used = *(volatile u32 *)&v->len;

        dentry_head__read(&head, w.dentry);
        bool detached = head.parent == (u64)w.dentry;

        if (detached && used) {
            flags = EBPF_VARLEN_UNREACHABLE;
            break;
        }
        u32 n = component__append(s, start, used, head.name, head.name_len);

        if (!n)
            break;
        *(volatile u32 *)&v->len = used + n;
        if (detached) {
            flags = EBPF_VARLEN_NAME_ONLY;
            break;
        }
        w.dentry = (void *)head.parent;
    }
    varlen__end(s, v, *(volatile u32 *)&v->len, 0, flags);
    return 0;
}

/*
 * Paths of cgroups, by the id of the node. A cgroup cannot be renamed under v2, and its id is not used again, so an
 * entry never gets old. Entries of an LRU map are reused at once, also under a program that has been preempted while it
 * copied one: the id at both ends tells.
 */
struct cgroup_cache_entry {
    u64 id;
    u32 len;
    u32 reserved;
    u8 path[CGROUP_CACHE_LEN];
    u64 id_again;
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1024);
    __type(key, u64);
    __type(value, struct cgroup_cache_entry);
} cgroup_paths SEC(".maps");

static __always_inline bool cgroup_cache__copy(struct scratch *s, struct ebpf_varlen *v, u64 id)
{
    struct cgroup_cache_entry *e = bpf_map_lookup_elem(&cgroup_paths, &id);

    if (!e)
        return false;
    u64 len = *(volatile u32 *)&e->len;

    if (len > CGROUP_CACHE_LEN || bpf_probe_read_kernel(v + 1, len, e->path))
        return false;
    if (*(volatile u64 *)&e->id != id || *(volatile u64 *)&e->id_again != id)
        return false;
    varlen__end(s, v, len, 0, 0);
    return true;
}

/* Keeps what was just written as `v`; the entry is put together behind it, in what is free of the slot. */
static __always_inline void cgroup_cache__keep(struct scratch *s, struct ebpf_varlen *v, u64 id)
{
    u64 off = *(volatile u32 *)&s->len;
    u64 len = *(volatile u32 *)&v->len;

    if (off > SCRATCH_PATHS - sizeof(struct cgroup_cache_entry) || len > CGROUP_CACHE_LEN)
        return;
    struct cgroup_cache_entry *e = (void *)&s->data[off];

    e->id = id;
    e->id_again = id;
    e->len = len;
    e->reserved = 0;
    bpf_probe_read_kernel(e->path, len, v + 1);
    bpf_map_update_elem(&cgroup_paths, &id, e, BPF_ANY);
}

int cgroup_path__append(u32 slot, u64 kn_addr)
{
    struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
    struct kernfs_node *kn = (void *)kn_addr;

    if (!s)
        return -1;
    struct ebpf_varlen *v = varlen__begin(s, EBPF_TAG_CGROUP_PATH, SCRATCH_PATHS - EBPF_PATH_MAX - 64);

    if (!v)
        return -1;
    u64 id = BPF_CORE_READ(kn, id);

    if (cgroup_cache__copy(s, v, id))
        return 0;
    const u32 start = *(volatile u32 *)&s->len + sizeof(*v);
    u16 flags = EBPF_VARLEN_TRUNCATED;

    for (int i = 0; i < CGROUP_DEPTH_MAX; i++) {
        struct kernfs_node *parent = compat__kernfs_parent(kn);
        u32 used = *(volatile u32 *)&v->len;
        u64 off = start + used;

        if (!parent) {
            flags = 0;
            break;
        }
        BARRIER(off);
        if (used > EBPF_PATH_MAX - NAME_MAX - 1 || off > SCRATCH_PATHS - NAME_MAX - 1)
            break;
        long n = bpf_probe_read_kernel_str(&s->data[off], NAME_MAX + 1, BPF_CORE_READ(kn, name));

        if (n <= 0)
            break;
        *(volatile u32 *)&v->len = used + n;
        kn = parent;
    }
    varlen__end(s, v, *(volatile u32 *)&v->len, 0, flags);
    if (!flags)
        cgroup_cache__keep(s, v, id);
    return 0;
}
