// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* MountCache.bpf.c - see MountCache.h. */
#include "MountCache.h"
#include "Cache.h"
#include "Dentry.h"
#include "Slot.h"
#include "Table.h"

#define MOUNT_CACHE_LEN 240
#define MOUNT_CACHE_COMPONENTS 4
#define MOUNT_CACHE_BITS 8
#define MOUNT_CACHE_ENTRIES (1 << MOUNT_CACHE_BITS)
#define MOUNT_CACHE_SETTLED_NS 1000000000ULL

struct mount_cache_entry {
    u64 claims;
    u64 mnt; /* struct vfsmount */
    u64 root_dentry, root_mnt;
    u64 mountpoint[2]; /* parent mount, and dentry there */
    u32 version;       /* odd while it is being written */
    u32 len;
    u64 components;
    u64 ns, event;  /* namespace, and its number when the mount was found at its mountpoint; 0: not known */
    u64 since;      /* when that was: boot time, ns */
    u64 is_settled; /* it stays at its mountpoint as long as the namespace has the number */
    struct {
        u64 dentry, parent, hash_len;
        u32 seq, reserved;
    } seen[MOUNT_CACHE_COMPONENTS];
    u8 path[MOUNT_CACHE_LEN];
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, MOUNT_CACHE_ENTRIES);
    __type(key, u32);
    __type(value, struct mount_cache_entry);
} mount_paths SEC(".maps");

static __always_inline struct mount_cache_entry *mount_cache__entry(struct scratch *s)
{
    u64 key = s->job.mnt ^ s->job.root.mnt << 7 ^ s->job.root.dentry << 3;

    return table__slot(&mount_paths, MOUNT_CACHE_ENTRIES, hash__of(key, MOUNT_CACHE_BITS));
}

static __always_inline bool mountpoint__read(u64 mountpoint[2], u64 vfsmount)
{
    struct mount *mnt = mount__of(vfsmount);

    return bpf_core_field_offset(struct mount, mnt_mountpoint) ==
               bpf_core_field_offset(struct mount, mnt_parent) + sizeof(u64) &&
           !bpf_core_read(mountpoint, 2 * sizeof(u64), &mnt->mnt_parent);
}

/* mount_cache__holds by typed pointers. */
static __always_inline bool mount_cache__holds_typed(const struct mount_cache_entry *e)
{
    struct mount *mnt = UNTRUSTED(mount, mount__of(e->mnt));

    if ((u64)mnt->mnt_parent != e->mountpoint[0] || (u64)mnt->mnt_mountpoint != e->mountpoint[1])
        return false;
#pragma clang loop unroll(disable)
    for (u32 i = 0; i < MOUNT_CACHE_COMPONENTS; i++) {
        if (i >= e->components)
            break;
        struct dentry *dentry = UNTRUSTED(dentry, (void *)e->seen[i].dentry);

        if (dentry->d_seq.seqcount.sequence != e->seen[i].seq || (u64)dentry->d_parent != e->seen[i].parent ||
            ((u64)dentry->d_name.len << 32 | dentry->d_name.hash) != e->seen[i].hash_len)
            return false;
    }
    return true;
}

/* Return whether an entry is valid without a look at its mount. The numbers are read first: see mount_cache__settle. */
static __always_inline bool mount_cache__is_settled(const struct mount_cache_entry *e, const struct scratch *s)
{
    return mounts__have_numbers() && READ_ONCE(e->event) == s->job.root.mnt_event &&
           READ_ONCE(e->ns) == s->job.root.mnt_ns && READ_AFTER(e->is_settled);
}

/* Note that the mount was found at its mountpoint, after the time of the record. */
static __always_inline void mount_cache__settle(struct mount_cache_entry *e, struct scratch *s)
{
    const struct ebpf_event_header *hdr = (void *)s->data;
    struct mount *mnt = mount__of(s->job.mnt);

    if (e->event != s->job.root.mnt_event || e->ns != s->job.root.mnt_ns) {
        WRITE_ONCE(e->is_settled, 0);
        FENCE();
        WRITE_ONCE(e->event, s->job.root.mnt_event);
        WRITE_ONCE(e->ns, s->job.root.mnt_ns);
        e->since = bpf_ktime_get_boot_ns();
    } else if (e->event && hdr->ts_boot_ns > e->since + MOUNT_CACHE_SETTLED_NS) {
        if ((u64)BPF_CORE_READ(mnt, mnt_ns) == e->ns)
            WRITE_ONCE(e->is_settled, 1);
        else
            e->since = bpf_ktime_get_boot_ns();
    }
}

static __always_inline bool mount_cache__holds(const struct mount_cache_entry *e, bool is_settled)
{
    u64 mountpoint[2];

    if (emit_constants.casts)
        return mount_cache__holds_typed(e);
    if (!is_settled && (!mountpoint__read(mountpoint, e->mnt) || mountpoint[0] != e->mountpoint[0] ||
                        mountpoint[1] != e->mountpoint[1]))
        return false;
#pragma clang loop unroll(disable)
    for (u32 i = 0; i < MOUNT_CACHE_COMPONENTS; i++) {
        struct dentry_head head; /* not cleared, because all of it is read */

        if (i >= e->components)
            break;
        dentry_head__read(&head, (void *)e->seen[i].dentry);
        if (head.seq != e->seen[i].seq || head.parent != e->seen[i].parent ||
            ((u64)head.name_len << 32 | head.hash) != e->seen[i].hash_len)
            return false;
    }
    return true;
}

int mount_cache__append(u32 slot)
{
    struct scratch *s = scratch__at(slot);
    struct mount_cache_entry *e = s ? mount_cache__entry(s) : NULL;
    u32 version = e ? READ_ONCE(e->version) : 1;

    FENCE();
    if (!e || e->mnt != s->job.mnt || e->root_mnt != s->job.root.mnt || e->root_dentry != s->job.root.dentry)
        return -1;
    u64 len = READ_ONCE(e->len), used = READ_ONCE(s->walk.used);

    bool is_settled = mount_cache__is_settled(e, s);

    if (version & 1 || len > MOUNT_CACHE_LEN || used > EBPF_PATH_MAX - MOUNT_CACHE_LEN ||
        !mount_cache__holds(e, is_settled))
        return -1;
    u64 off = READ_ONCE(s->walk.start) + used;

    BARRIER(off); /* the check stands next to the use: the verifier loses the bounds of a spilled value */
    if (off > SCRATCH_PATHS - MOUNT_CACHE_LEN)
        return -1;
    cached__copy(&s->data[off], e->path, len, MOUNT_CACHE_LEN);
    if (READ_AFTER(e->version) != version)
        return -1;
    s->walk.used = used + len;
    if (mounts__have_numbers() && !is_settled && claim__try(&e->claims)) {
        if (READ_ONCE(e->version) == version)
            mount_cache__settle(e, s);
        claim__release(&e->claims);
    }
    return 0;
}

static __always_inline bool mount_cache__fill(struct mount_cache_entry *e, struct scratch *s, u64 off, u64 len)
{
    u64 typed = READ_ONCE(s->walk.typed), n = s->walk.components - typed;

    /* the mountpoint is read again, and has to be the one that the walk went through */
    if (!mountpoint__read(e->mountpoint, s->job.mnt) || e->mountpoint[0] != (u64)mount__of(s->job.root.mnt) ||
        (!n && e->mountpoint[1] != s->job.root.dentry))
        return false;
#pragma clang loop unroll(disable)
    for (u64 i = 0; i < MOUNT_CACHE_COMPONENTS; i++) {
        struct dentry_head head = {};
        u64 at = typed + i;

        BARRIER(at);
        if (i >= n)
            break;
        if (at >= EBPF_PATH_COMPONENTS_MAX || (!i && s->walk.seen[at].dentry != e->mountpoint[1]))
            return false;
        dentry_head__read(&head, (void *)s->walk.seen[at].dentry);
        if (head.seq != s->walk.seen[at].seq)
            return false;
        e->seen[i].dentry = s->walk.seen[at].dentry;
        e->seen[i].seq = head.seq;
        e->seen[i].parent = head.parent;
        e->seen[i].hash_len = (u64)head.name_len << 32 | head.hash;
    }
    e->components = n;
    e->event = e->is_settled = 0;
    e->mnt = s->job.mnt;
    e->root_mnt = s->job.root.mnt;
    e->root_dentry = s->job.root.dentry;
    e->len = len;
    return !bpf_probe_read_kernel(e->path, len, &s->data[off]);
}

int mount_cache__store(u32 slot, u32 used)
{
    struct scratch *s = scratch__at(slot);
    struct mount_cache_entry *e = s ? mount_cache__entry(s) : NULL;

    if (!e || s->walk.flags & ~EBPF_VARLEN_DELETED || s->walk.mounts != 1 ||
        s->walk.components - s->walk.typed > MOUNT_CACHE_COMPONENTS)
        return -1;
    u64 off = (u64)READ_ONCE(s->walk.start) + used, len = (u64)READ_ONCE(s->walk.used) - used;

    BARRIER(off);
    BARRIER(len);
    if (len > MOUNT_CACHE_LEN || off > SCRATCH_PATHS - MOUNT_CACHE_LEN)
        return -1;
    if (claim__enter(&e->claims)) {
        VERSION_STEP(e->version);
        if (!mount_cache__fill(e, s, off, len))
            WRITE_ONCE(e->mnt, 0);
        VERSION_STEP(e->version);
    }
    claim__release(&e->claims);
    return 0;
}
