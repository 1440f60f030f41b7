// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Path.bpf.c - walks from a leaf to a root.
 *
 * The functions are global: the verifier checks each once a program, by itself, however often it is called. Global
 * functions take scalars only (5.10), so they get the number of the scratch slot and look it up. The state of a walk is
 * in the slot.
 *
 * A step is such a function, so the verifier sees one step, not hundreds in a row, and loading costs a fraction. The
 * steps are called in three nested loops. The verifier re-checks every iteration of a loop, but it also follows every
 * call site to bound the depth of the stack, so neither one long loop nor many unrolled calls are cheap. 16 x 4 x 16 is
 * the cheapest split that was measured.
 *
 * A path may be renamed at any time. The kernel counts the changes of each dentry (d_seq), so after the walk each
 * component is looked at again. If none has changed, all of them were valid together at one moment: at the end of the
 * walk. Otherwise the walk starts again. Until then what was copied may be anything: length and bytes may belong to
 * different names.
 */
#include "Path.h"

#define WALK_INNER 16 /* steps, each to a dentry or a mount */
#define WALK_MIDDLE 4
#define WALK_OUTER 16
#define STEPS_MAX (WALK_INNER * WALK_MIDDLE * WALK_OUTER)
#define STEPS_UNCHECKED 320 /* of these, for a last walk that is not checked, if all walks before were disturbed */

/*
 * Append one component and its NUL. Returns its length with the NUL, or 0 if the value would become longer than a path
 * may be. In a walk that is not checked a name ends at its NUL, because the length may belong to another name.
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
    w->used = w->kept;
    w->flags = 0;
    w->components = 0;
    w->checked = 0;
    w->typed = 0;
    w->mounts = 0;
    w->phase = phase;
}

/* Go from the root of a mount to its mountpoint. Returns false at the top of the namespace. */
static __always_inline bool walk__up_mount(struct path_walk *w)
{
    struct mount *mnt = (void *)w->mnt, *parent;
    u64 mountpoint[2] = {}; /* parent mount, and dentry there */

    if (bpf_core_field_offset(struct mount, mnt_mountpoint) ==
        bpf_core_field_offset(struct mount, mnt_parent) + sizeof(u64)) {
        bpf_core_read(mountpoint, sizeof(mountpoint), &mnt->mnt_parent);
    } else {
        mountpoint[0] = (u64)BPF_CORE_READ(mnt, mnt_parent);
        mountpoint[1] = (u64)BPF_CORE_READ(mnt, mnt_mountpoint);
    }
    if (mountpoint[0] == (u64)mnt)
        return false;
    parent = (void *)mountpoint[0];
    w->mounts++;
    w->dentry = mountpoint[1];
    w->mnt = mountpoint[0];
    w->mnt_root = (u64)BPF_CORE_READ(parent, mnt.mnt_root);
    return true;
}

/* Return whether a dentry that is in no directory is a root: all roots have this name, which nothing else can have. */
static __always_inline bool dentry__is_root(const struct dentry_head *head)
{
    u8 name = 0;

    bpf_probe_read_kernel(&name, 1, (void *)head->name);
    return head->name_len == 1 && name == '/';
}

/* Go one dentry up. Returns false at the end of the walk, with its flags set. */
static __always_inline bool walk__up_dentry(struct scratch *s, struct path_walk *w, bool checked)
{
    struct dentry_head head = {};
    u64 n = READ_ONCE(w->components);

    dentry_head__read(&head, (void *)w->dentry);
    bool detached = head.parent == w->dentry;

    /* the root of a file system, or a file that was opened by its handle, whose directory the kernel may not know */
    if (detached && (n || dentry__is_root(&head))) {
        w->flags |= EBPF_VARLEN_UNREACHABLE;
        return false;
    }
    bool is_skipped = n < w->skip;
    u32 len = is_skipped ? 0 : component__append(s, &head, checked);

    BARRIER(n);
    if ((!len && !is_skipped) || n >= EBPF_PATH_COMPONENTS_MAX) {
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
    if (w->dentry == s->job.root.dentry && w->mnt == (u64)mount__of(s->job.root.mnt))
        return false;
    if (w->dentry != w->mnt_root)
        return walk__up_dentry(s, w, checked);
    if (walk__up_mount(w))
        return true;
    if (s->job.root.dentry || s->job.root.is_apart)
        w->flags |= EBPF_VARLEN_UNREACHABLE;
    return false;
}

/* Check a component again. */
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

    if (++w->steps == STEPS_MAX - STEPS_UNCHECKED) {
        walk__restart(s, WALK_UNCHECKED);
        w->flags = EBPF_VARLEN_UNSTABLE;
    } else if (w->phase == WALK_CHECK) {
        walk__check(s, w);
    } else if (!walk__up(s, w, w->phase == WALK_UP)) {
        FENCE();
        w->phase = w->phase == WALK_UP ? WALK_CHECK : WALK_DONE;
    }
    return 0;
}

__noinline int path__walk_inner(u32 slot)
{
    struct scratch *s = scratch__at(slot);

    if (!s)
        return -1;
    for (int i = 0; i < WALK_INNER && READ_ONCE(s->walk.phase) != WALK_DONE; i++)
        path__step(slot);
    return 0;
}

__noinline int path__walk_middle(u32 slot)
{
    struct scratch *s = scratch__at(slot);

    if (!s)
        return -1;
    for (int i = 0; i < WALK_MIDDLE && READ_ONCE(s->walk.phase) != WALK_DONE; i++)
        path__walk_inner(slot);
    return 0;
}

__noinline int path__walk(u32 slot)
{
    struct scratch *s = scratch__at(slot);

    if (!s)
        return -1;
#pragma clang loop unroll(disable)
    for (int i = 0; i < WALK_OUTER && READ_ONCE(s->walk.phase) != WALK_DONE; i++)
        path__walk_middle(slot);
    if (s->walk.phase != WALK_DONE)
        s->walk.flags |= EBPF_VARLEN_TRUNCATED; /* more mounts than steps */
    return 0;
}

/* Return whether a file has no name, but the one that O_TMPFILE gives it: "#" and its inode number. */
static __always_inline bool dentry__is_nameless(struct dentry *dentry)
{
    char name[2] = {};

    bpf_probe_read_kernel(name, sizeof(name), BPF_CORE_READ(dentry, d_name.name));
    return name[0] == '#' && name[1] >= '0' && name[1] <= '9';
}

/*
 * The leaf of a walk is not in the kernel's hash table of names. On most file systems it is deleted then. A file system
 * that asks a server whether its names are still valid (FUSE, NFS), or is on top of others (overlayfs), also unhashes
 * names that it has doubts about. There a deleted file has no links, or the mark of an unlink.
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

int path__walk_above(u32 slot)
{
    struct scratch *s = scratch__at(slot);

    if (!s)
        return -1;
    s->walk.steps = 0;
    walk__restart(s, WALK_UP);
    return path__walk(slot);
}

int path__append_job(u32 slot, u32 tag)
{
    struct scratch *s = scratch__at(slot);

    if (!s)
        return -1;
    struct ebpf_varlen *v = varlen__begin(s, tag, SCRATCH_PATHS - EBPF_PATH_MAX - 64);

    if (!v)
        return -1;
    s->walk.start = s->len + sizeof(*v);
    s->walk.steps = s->walk.kept = s->walk.skip = 0;
    walk__restart(s, WALK_UP);
    path__walk(slot);
    if (s->walk.flags & EBPF_VARLEN_DELETED)
        path__doubt_deletion(slot);
    varlen__end(s, v, s->walk.used, 0, s->walk.flags);
    path__select(s, tag);
    return 0;
}
