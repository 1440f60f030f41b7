// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Path.bpf.c - walks from a leaf to a root.
 *
 * Global functions: the verifier checks each once in a program, by itself, however often it is called. They take
 * scalars only (5.10), so they are given the number of the scratch slot and look it up. A step is such a function, and
 * so is a turn of some steps: the verifier sees one step, not hundreds in a row, and a start costs a fraction. What a
 * walk carries from step to step is in the slot. Calls are written out rather than looped over, for of a loop the
 * verifier looks at each turn; but not all of them, for to see how deep calls go it follows each that is written down,
 * and those in what is called. These numbers cost the least.
 *
 * A path is renamed under us at any time. The kernel counts the changes of each dentry (d_seq), so after the walk each
 * component is looked at again: when none has changed, all of them were as they were read at one moment in between, the
 * end of the walk. Otherwise the walk begins anew. What was copied may be anything until then: length and name may have
 * been those of different names.
 */
#include "Path.h"

#define MOUNT_CACHE_LEN 240
#define MOUNT_CACHE_COMPONENTS 4
#define MOUNT_CACHE_ENTRIES 256 /* a power of two */
#define MOUNT_CACHE_SETTLED_NS 1000000000ULL

#define TURN_STEPS 16 /* dentries and mounts */
#define ROUND_TURNS 4
#define WALK_ROUNDS 16
#define STEPS_MAX (TURN_STEPS * ROUND_TURNS * WALK_ROUNDS)
#define STEPS_LAST 320 /* of these, for a walk that is not checked, when all before were disturbed */
#define TURN_CGROUPS 8
#define CGROUP_TURNS 8

/* What a dentry begins with, as it is read at once. */
struct dentry_head {
    u32 flags, seq;
    u64 hash_next, hash_pprev;
    u64 parent;
    u32 hash, name_len;
    u64 name;
};

#define DENTRY_HAS(member, at)                                                                                         \
    (bpf_core_field_offset(struct dentry, member) == __builtin_offsetof(struct dentry_head, at))

static __always_inline void dentry_head__read(struct dentry_head *head, struct dentry *dentry)
{
    if (DENTRY_HAS(d_seq, seq) && DENTRY_HAS(d_hash, hash_next) && DENTRY_HAS(d_parent, parent) &&
        DENTRY_HAS(d_name, hash)) {
        bpf_probe_read_kernel(head, sizeof(*head), dentry);
        return;
    }
    head->seq = BPF_CORE_READ(dentry, d_seq.seqcount.sequence);
    head->hash_pprev = (u64)BPF_CORE_READ(dentry, d_hash.pprev);
    head->parent = (u64)BPF_CORE_READ(dentry, d_parent);
    head->hash = BPF_CORE_READ(dentry, d_name.hash);
    head->name_len = BPF_CORE_READ(dentry, d_name.len);
    head->name = (u64)BPF_CORE_READ(dentry, d_name.name);
}

/*
 * Append one component and its NUL. Returns its length with the NUL, 0 when it would make the value longer than a path
 * may be. In a walk that is not checked a name is what there is up to a NUL, for the length may be another one's.
 */
static __always_inline u32 component__append(struct scratch *s, const struct dentry_head *head, bool checked)
{
    u64 used = READ_ONCE(s->walk.used);
    u64 off = READ_ONCE(s->walk.start) + used;
    u64 len = head->name_len;

    if (len > NAME_MAX)
        len = NAME_MAX;
    if (used + len + 1 > EBPF_PATH_MAX)
        return 0;
    BARRIER(off);
    BARRIER(len);
    if (off > SCRATCH_PATHS - NAME_MAX - 1 || len > NAME_MAX)
        return 0;
    if (!checked) {
        long n = bpf_probe_read_kernel_str(&s->data[off], NAME_MAX + 1, (void *)head->name);

        return n > 0 && used + n <= EBPF_PATH_MAX ? n : 0;
    }
    bpf_probe_read_kernel(&s->data[off], len, (void *)head->name);
    s->data[off + len] = 0;
    return len + 1;
}

static __always_inline void walk__restart(struct scratch *s, enum walk_phase phase)
{
    struct path_walk *w = &s->walk;
    struct mount *mnt = mount__of(s->job.mnt);

    w->dentry = s->job.dentry;
    w->mnt = (u64)mnt;
    w->mnt_root = (u64)BPF_CORE_READ(mnt, mnt.mnt_root);
    w->used = 0;
    w->flags = 0;
    w->components = 0;
    w->checked = 0;
    w->typed = 0;
    w->mounts = 0;
    w->phase = phase;
}

/* From the root of a mount to where it is mounted. False at the top of the namespace. */
static __always_inline bool walk__up_mount(struct path_walk *w)
{
    struct mount *mnt = (void *)w->mnt, *parent;
    u64 place[2] = {}; /* parent and mountpoint */

    if (bpf_core_field_offset(struct mount, mnt_mountpoint) ==
        bpf_core_field_offset(struct mount, mnt_parent) + sizeof(u64)) {
        bpf_core_read(place, sizeof(place), &mnt->mnt_parent);
    } else {
        place[0] = (u64)BPF_CORE_READ(mnt, mnt_parent);
        place[1] = (u64)BPF_CORE_READ(mnt, mnt_mountpoint);
    }
    if (place[0] == (u64)mnt)
        return false;
    parent = (void *)place[0];
    w->mounts++;
    w->dentry = place[1];
    w->mnt = place[0];
    w->mnt_root = (u64)BPF_CORE_READ(parent, mnt.mnt_root);
    return true;
}

/* Whether a dentry that is in no directory is a root: all have this name, which nothing else can have. */
static __always_inline bool dentry__is_root(const struct dentry_head *head)
{
    u8 name = 0;

    bpf_probe_read_kernel(&name, 1, (void *)head->name);
    return head->name_len == 1 && name == '/';
}

/* One dentry up. False when the walk has ended, with its flags set. */
static __always_inline bool walk__up_dentry(struct scratch *s, struct path_walk *w, bool checked)
{
    struct dentry_head head = {};
    u64 n = READ_ONCE(w->components);

    dentry_head__read(&head, (void *)w->dentry);
    bool detached = head.parent == w->dentry;

    /* a root, perhaps of nothing: a file that was opened by its handle may be in no directory that the kernel knows */
    if (detached && (n || dentry__is_root(&head))) {
        w->flags |= EBPF_VARLEN_UNREACHABLE;
        return false;
    }
    u32 len = component__append(s, &head, checked);

    BARRIER(n);
    if (!len || n >= EBPF_PATH_COMPONENTS_MAX) {
        w->flags |= EBPF_VARLEN_TRUNCATED;
        return false;
    }
    w->seen[n].dentry = w->dentry;
    w->seen[n].seq = head.seq;
    w->components = n + 1;
    w->used += len;
    if (detached) {
        w->flags |= EBPF_VARLEN_NAME_ONLY;
        return false;
    }
    if (!n && !head.hash_pprev)
        w->flags |= EBPF_VARLEN_DELETED;
    w->dentry = head.parent;
    return true;
}

static __always_inline bool walk__up(struct scratch *s, struct path_walk *w, bool checked)
{
    if (w->dentry == s->job.root_dentry && w->mnt == (u64)mount__of(s->job.root_mnt))
        return false;
    if (w->dentry != w->mnt_root)
        return walk__up_dentry(s, w, checked);
    if (walk__up_mount(w))
        return true;
    if (s->job.root_dentry || s->job.root_is_apart)
        w->flags |= EBPF_VARLEN_UNREACHABLE;
    return false;
}

/* Look at a component again. */
static __always_inline void walk__check(struct scratch *s, struct path_walk *w)
{
    u64 n = READ_ONCE(w->checked);

    BARRIER(n);
    if (n >= EBPF_PATH_COMPONENTS_MAX || n >= w->components) {
        w->phase = WALK_DONE;
        return;
    }
    struct dentry *dentry = (void *)w->seen[n].dentry;
    u32 seq = w->seen[n].seq;

    if (seq & 1 || seq != BPF_CORE_READ(dentry, d_seq.seqcount.sequence))
        walk__restart(s, WALK_UP);
    else
        w->checked = n + 1;
}

__noinline int path__step(u32 slot)
{
    struct scratch *s = scratch__at(slot);

    if (!s)
        return -1;
    struct path_walk *w = &s->walk;

    if (++w->steps == STEPS_MAX - STEPS_LAST) {
        walk__restart(s, WALK_LAST);
        w->flags = EBPF_VARLEN_UNSTABLE;
    } else if (w->phase == WALK_CHECK) {
        walk__check(s, w);
    } else if (!walk__up(s, w, w->phase == WALK_UP)) {
        w->phase = w->phase == WALK_UP ? WALK_CHECK : WALK_DONE;
    }
    return 0;
}

__noinline int path__turn(u32 slot)
{
    struct scratch *s = scratch__at(slot);

    if (!s)
        return -1;
    for (int i = 0; i < TURN_STEPS && READ_ONCE(s->walk.phase) != WALK_DONE; i++)
        path__step(slot);
    return 0;
}

__noinline int path__round(u32 slot)
{
    struct scratch *s = scratch__at(slot);

    if (!s)
        return -1;
    for (int i = 0; i < ROUND_TURNS && READ_ONCE(s->walk.phase) != WALK_DONE; i++)
        path__turn(slot);
    return 0;
}

__noinline int path__walk(u32 slot)
{
    struct scratch *s = scratch__at(slot);

    if (!s)
        return -1;
#pragma clang loop unroll(disable)
    for (int i = 0; i < WALK_ROUNDS && READ_ONCE(s->walk.phase) != WALK_DONE; i++)
        path__round(slot);
    if (s->walk.phase != WALK_DONE)
        s->walk.flags |= EBPF_VARLEN_TRUNCATED; /* more mounts than steps */
    return 0;
}

/* A file without a name has the one that O_TMPFILE gives it: "#" and its inode number. */
static __always_inline bool dentry__is_nameless(struct dentry *dentry)
{
    char name[2] = {};

    bpf_probe_read_kernel(name, sizeof(name), BPF_CORE_READ(dentry, d_name.name));
    return name[0] == '#' && name[1] >= '0' && name[1] <= '9';
}

/*
 * The leaf of a walk is in no table of names. On most file systems that is to be deleted. One that asks somebody else
 * whether its names still hold (FUSE, NFS), or is on top of others (overlayfs), also takes those out of the table that
 * it has doubts about; there what was deleted has no links, or the mark of an unlink.
 */
int path__doubt_deletion(u32 slot)
{
    struct scratch *s = scratch__at(slot);

    if (!s)
        return -1;
    struct dentry *dentry = (void *)s->job.dentry;

    if (BPF_CORE_READ(dentry, d_op, d_revalidate) && !(BPF_CORE_READ(dentry, d_flags) & compat__cant_mount()) &&
        BPF_CORE_READ(dentry, d_inode, i_nlink) && !dentry__is_nameless(dentry))
        s->walk.flags &= ~EBPF_VARLEN_DELETED;
    return 0;
}

int path__append(u32 slot, u32 tag)
{
    struct scratch *s = scratch__at(slot);

    if (!s)
        return -1;
    struct ebpf_varlen *v = varlen__begin(s, tag, SCRATCH_PATHS - EBPF_PATH_MAX - 64);

    if (!v)
        return -1;
    s->walk.start = s->len + sizeof(*v);
    s->walk.steps = 0;
    walk__restart(s, WALK_UP);
    path__walk(slot);
    if (s->walk.flags & EBPF_VARLEN_DELETED)
        path__doubt_deletion(slot);
    varlen__end(s, v, s->walk.used, 0, s->walk.flags);
    path__select(s, tag);
    return 0;
}

/*
 * Where mounts are mounted, as path text, as a process with a certain root directory sees it. Mounts seldom move: to
 * see that an entry still holds, its mount and the few directories above it are looked at, which takes a third of a
 * walk. Only what is mounted below the root's own mount is kept.
 *
 * Where namespaces have numbers, the mount itself is not looked at again. An unmount gives the namespace its number a
 * moment before it takes the mount away; so a mount counts as settled only when it was found to be in the namespace a
 * second after that was seen with its number.
 */
struct mount_cache_entry {
    u64 claims;
    u64 mnt; /* struct vfsmount */
    u64 root_dentry, root_mnt;
    u64 place[2]; /* parent and mountpoint of the mount */
    u32 version;  /* odd: being written */
    u32 len;
    u64 components;
    u64 ns, event;  /* namespace and its number when the mount was found in its place; 0: not known */
    u64 since;      /* boot time, ns, when that was */
    u64 is_settled; /* it is in its place as long as the namespace has the number */
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

static __always_inline struct mount_cache_entry *mount_cache__place(struct scratch *s)
{
    u64 key = s->job.mnt ^ s->job.root_mnt << 7 ^ s->job.root_dentry << 3;
    u32 place = (u32)(key * 0x9e3779b97f4a7c15ULL >> 40) & (MOUNT_CACHE_ENTRIES - 1);

    return bpf_map_lookup_elem(&mount_paths, &place);
}

static __always_inline bool mount_place__read(u64 place[2], u64 vfsmount)
{
    struct mount *mnt = mount__of(vfsmount);

    return bpf_core_field_offset(struct mount, mnt_mountpoint) ==
               bpf_core_field_offset(struct mount, mnt_parent) + sizeof(u64) &&
           !bpf_core_read(place, 2 * sizeof(u64), &mnt->mnt_parent);
}

/* The same as below, by typed pointers. */
static __always_inline bool mount_cache__holds_typed(const struct mount_cache_entry *e)
{
    struct mount *mnt = UNTRUSTED(mount, mount__of(e->mnt));

    if ((u64)mnt->mnt_parent != e->place[0] || (u64)mnt->mnt_mountpoint != e->place[1])
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

/* Whether an entry holds without a look at its mount. The numbers are read first: see mount_cache__settle. */
static __always_inline bool mount_cache__is_settled(const struct mount_cache_entry *e, const struct scratch *s)
{
    return mounts__have_numbers() && READ_ONCE(e->event) == s->job.mnt_event && READ_ONCE(e->ns) == s->job.mnt_ns &&
           READ_ONCE(e->is_settled);
}

/* Note that the mount was found in its place by a look at it, since the time of the record. */
static __always_inline void mount_cache__settle(struct mount_cache_entry *e, struct scratch *s)
{
    const struct ebpf_event_header *hdr = (void *)s->data;
    struct mount *mnt = mount__of(s->job.mnt);

    if (e->event != s->job.mnt_event || e->ns != s->job.mnt_ns) {
        WRITE_ONCE(e->is_settled, 0);
        WRITE_ONCE(e->event, s->job.mnt_event);
        WRITE_ONCE(e->ns, s->job.mnt_ns);
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
    u64 place[2];

    if (emit_constants.casts)
        return mount_cache__holds_typed(e);
    if (!is_settled && (!mount_place__read(place, e->mnt) || place[0] != e->place[0] || place[1] != e->place[1]))
        return false;
#pragma clang loop unroll(disable)
    for (u32 i = 0; i < MOUNT_CACHE_COMPONENTS; i++) {
        struct dentry_head head; /* not cleared, for all of it is read */

        if (i >= e->components)
            break;
        dentry_head__read(&head, (void *)e->seen[i].dentry);
        if (head.seq != e->seen[i].seq || head.parent != e->seen[i].parent ||
            ((u64)head.name_len << 32 | head.hash) != e->seen[i].hash_len)
            return false;
    }
    return true;
}

/*
 * Go on with a walk that has come to the root of its mount, by what is known. Returns 0 when it is the end of the walk.
 */
int mount_cache__append(u32 slot)
{
    struct scratch *s = scratch__at(slot);
    struct mount_cache_entry *e = s ? mount_cache__place(s) : NULL;
    u32 version = e ? READ_ONCE(e->version) : 1;

    BARRIER_MEMORY();
    if (!e || e->mnt != s->job.mnt || e->root_mnt != s->job.root_mnt || e->root_dentry != s->job.root_dentry)
        return -1;
    u64 len = READ_ONCE(e->len), used = READ_ONCE(s->walk.used);

    bool is_settled = mount_cache__is_settled(e, s);

    if (version & 1 || len > MOUNT_CACHE_LEN || used > EBPF_PATH_MAX - MOUNT_CACHE_LEN ||
        !mount_cache__holds(e, is_settled))
        return -1;
    u64 off = READ_ONCE(s->walk.start) + used;

    BARRIER(off); /* the bound stands next to the use: one of what was put away in between is forgotten */
    if (off > SCRATCH_PATHS - MOUNT_CACHE_LEN)
        return -1;
    cached__copy(&s->data[off], e->path, len, MOUNT_CACHE_LEN);
    if (READ_ONCE(e->version) != version)
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

    if (!mount_place__read(e->place, s->job.mnt))
        return false;
#pragma clang loop unroll(disable)
    for (u64 i = 0; i < MOUNT_CACHE_COMPONENTS; i++) {
        struct dentry_head head = {};
        u64 at = typed + i;

        BARRIER(at);
        if (i >= n)
            break;
        if (at >= EBPF_PATH_COMPONENTS_MAX)
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
    e->root_mnt = s->job.root_mnt;
    e->root_dentry = s->job.root_dentry;
    e->len = len;
    return !bpf_probe_read_kernel(e->path, len, &s->data[off]);
}

/* Keeps what a walk has found above its mount, of which it had walked `used` bytes. */
int mount_cache__keep(u32 slot, u32 used)
{
    struct scratch *s = scratch__at(slot);
    struct mount_cache_entry *e = s ? mount_cache__place(s) : NULL;

    if (!e || s->walk.flags & ~EBPF_VARLEN_DELETED || s->walk.mounts != 1 ||
        s->walk.components - s->walk.typed > MOUNT_CACHE_COMPONENTS)
        return -1;
    u64 off = (u64)READ_ONCE(s->walk.start) + used, len = (u64)READ_ONCE(s->walk.used) - used;

    BARRIER(off);
    BARRIER(len);
    if (len > MOUNT_CACHE_LEN || off > SCRATCH_PATHS - MOUNT_CACHE_LEN)
        return -1;
    if (claim__enter(&e->claims)) {
        WRITE_ONCE(e->version, e->version + 1);
        if (!mount_cache__fill(e, s, off, len))
            WRITE_ONCE(e->mnt, 0);
        WRITE_ONCE(e->version, e->version + 1);
    }
    claim__release(&e->claims);
    return 0;
}

struct cgroup_paths_map cgroup_paths SEC(".maps");

/* Keeps what was just written as `v`. */
static __always_inline void cgroup_cache__keep(struct ebpf_varlen *v, u64 id)
{
    struct cgroup_cache_entry *e = cgroup_cache__place(id);
    u64 len = READ_ONCE(v->len);

    if (!e || len > CGROUP_CACHE_LEN)
        return;
    if (claim__enter(&e->claims)) {
        WRITE_ONCE(e->version, e->version + 1);
        WRITE_ONCE(e->id, id);
        WRITE_ONCE(e->len, len);
        bpf_probe_read_kernel(e->path, len, v + 1);
        WRITE_ONCE(e->version, e->version + 1);
    }
    claim__release(&e->claims);
}

/* A node up. */
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

__noinline int cgroup_path__turn(u32 slot)
{
    struct scratch *s = scratch__at(slot);

    if (!s)
        return -1;
    for (int i = 0; i < TURN_CGROUPS && READ_ONCE(s->walk.phase) != WALK_DONE; i++)
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
    for (int i = 0; i < CGROUP_TURNS && READ_ONCE(s->walk.phase) != WALK_DONE; i++)
        cgroup_path__turn(slot);
    varlen__end(s, v, s->walk.used, 0, s->walk.phase == WALK_DONE ? 0 : EBPF_VARLEN_TRUNCATED);
    if (id && s->walk.phase == WALK_DONE)
        cgroup_cache__keep(v, id);
    return 0;
}
