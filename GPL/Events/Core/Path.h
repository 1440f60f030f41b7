/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Path.h - paths of files as variable fields.
 *
 * A path is walked from the leaf to the root and stored in that order, so that it can be cut at the root and never
 * loses its leaf; user space reverses it. It ends at the root directory of the process, so it is the path that the
 * process sees. If that root is not the host's, varlen__root_path appends where it is.
 *
 * A probe takes the root directory of a process once (path_root__of), and says where each path begins (struct
 * path_start). Where a path begins is always an argument, never something that an earlier record left in the slot.
 */
#ifndef EBPF_CORE_PATH_H
#define EBPF_CORE_PATH_H

#include "Dentry.h"
#include "MountCache.h"
#include "Select.h"

enum walk_phase {
    WALK_UP,
    WALK_CHECK,
    WALK_UNCHECKED, /* up again, without a check afterwards */
    WALK_DONE,
};

/* Append the path of s->job as field `tag`; in Path.bpf.c. Returns 0, or a negative number if there was no room. */
extern int path__append_job(u32 slot, u32 tag);

/* Continue a walk that was begun. */
extern int path__walk(u32 slot);

/*
 * Walk from s->job, up to the root, behind the w->kept bytes of a path whose last part they are, without the first
 * w->skip components.
 */
extern int path__walk_above(u32 slot);

/*
 * Clear the flag that the leaf of a walk is deleted, if its file system may have dropped the name for another reason.
 */
extern int path__doubt_deletion(u32 slot);

/*
 * Store the root directory of a task in the slot, and return it, for the paths that end there. For `typed` see Read.h.
 */
static __always_inline const struct path_root *path_root__of(struct scratch *s, bool typed, struct task_struct *task)
{
    struct path_root *root = &s->job.root;
    struct fs_struct *fs = KREAD(typed, task, fs);
    struct nsproxy *nsproxy = KREAD(typed, task, nsproxy);

    if (typed) {
        struct mnt_namespace *ns = nsproxy->mnt_ns;

        STORE_POINTER(root->dentry, fs->root.dentry);
        STORE_POINTER(root->mnt, fs->root.mnt);
        STORE_POINTER(root->mnt_ns, ns);
        if (mounts__have_numbers())
            root->mnt_event = ns->event;
    } else {
        root->dentry = (u64)BPF_CORE_READ(fs, root.dentry);
        root->mnt = (u64)BPF_CORE_READ(fs, root.mnt);
        root->mnt_ns = (u64)BPF_CORE_READ(nsproxy, mnt_ns);
    }
    root->is_apart = false;
    return root;
}

/*
 * Where a path begins: at a dentry, reached through a mount, as seen by the process with that root directory. The
 * pointers are typed, or addresses.
 */
struct path_start {
    const struct path_root *root;
    struct vfsmount *mnt;
    struct dentry *mnt_root; /* needed for typed pointers only */
    struct dentry *dentry;
};

/* Return the start at a typed path. */
static __always_inline struct path_start path_start__of(const struct path_root *root, struct path *path)
{
    struct vfsmount *mnt = path->mnt;

    return (struct path_start){.root = root, .mnt = mnt, .mnt_root = mnt->mnt_root, .dentry = path->dentry};
}

/* Return the start at the addresses of a mount and a dentry. */
static __always_inline struct path_start path_start__at(const struct path_root *root, u64 mnt, u64 dentry)
{
    return (struct path_start){.root = root, .mnt = (void *)mnt, .dentry = (void *)dentry};
}

/* Make the slot's job the path that begins there. Its root is copied only if it is another slot's. */
static __always_inline void path_start__store(struct scratch *s, struct path_start start)
{
    STORE_POINTER(s->job.dentry, start.dentry);
    STORE_POINTER(s->job.mnt, start.mnt);
    if (start.root != &s->job.root)
        s->job.root = *start.root;
}

/* Append a path as field `tag`, walked by addresses. */
static __always_inline void path__append(struct scratch *s, enum ebpf_tag tag, struct path_start start)
{
    path_start__store(s, start);
    path__append_job(s->slot, tag);
}

/*
 * The walk in Path.bpf.c takes a helper call for each look at a dentry. The parents of a typed dentry are typed too,
 * and each look is one instruction. So most of a path is walked here: up to the root of the mount, or of the process.
 */
#define TYPED_COMPONENTS 8

enum walk_result { WALK_AT_ROOT, WALK_AT_MOUNT, WALK_GIVEN_UP };

#define SHORT_NAME_COPIED 24

/*
 * Append the name of a dentry. A name of the usual length is copied from the dentry itself. Returns false if there is
 * no room.
 */
static __always_inline bool component__append_typed(struct scratch *s, struct dentry *dentry)
{
    u64 used = READ_ONCE(s->walk.used);
    u64 off = READ_ONCE(s->walk.start) + used;
    u64 len = dentry->d_name.len;

    BARRIER(off);
    BARRIER(len);
    if (used > EBPF_PATH_MAX - NAME_MAX - 1 || off > SCRATCH_PATHS - NAME_MAX - 1 || len > NAME_MAX)
        return false;
    if (len > SHORT_NAME_COPIED) {
        s->data[off + len] = 0; /* in each branch: behind both, the verifier would check what follows twice */
        bpf_probe_read_kernel(&s->data[off], len, dentry->d_name.name);
    } else {
        kernel__copy(true, &s->data[off], (void *)dentry + compat__short_name_offset(), SHORT_NAME_COPIED);
        s->data[off + len] = 0;
    }
    s->walk.used = used + len + 1;
    return true;
}

static __noinline int walk__up_typed(struct scratch *s, struct dentry *dentry)
{
    struct path_walk *w = &s->walk;
    /* through another mount the root directory is a directory like any other */
    u64 root = s->job.mnt == s->job.root.mnt ? s->job.root.dentry : 0;

    for (u32 n = 0; n < TYPED_COMPONENTS; n++) {
        bool is_root = (u64)dentry == root;

        if (is_root || (u64)dentry == READ_ONCE(w->mnt_root)) {
            STORE_POINTER(w->dentry, dentry);
            w->components = w->checked = w->typed = n;
            return is_root ? WALK_AT_ROOT : WALK_AT_MOUNT;
        }
        u32 seq = dentry->d_seq.seqcount.sequence;

        FENCE();
        struct dentry *parent = dentry->d_parent;

        if (parent == dentry || seq & 1 || !component__append_typed(s, dentry))
            return WALK_GIVEN_UP;
        if (!n && !dentry->d_hash.pprev)
            w->flags = EBPF_VARLEN_DELETED;
        STORE_POINTER(w->seen[n].dentry, dentry);
        w->seen[n].seq = seq;
        dentry = parent;
    }
    return WALK_GIVEN_UP;
}

/* Return whether the components that walk__up_typed went through are unchanged. */
static __noinline int walk__check_typed(struct scratch *s, struct dentry *dentry)
{
    struct path_walk *w = &s->walk;

    FENCE();
    for (u32 n = 0; n < TYPED_COMPONENTS; n++) {
        if (n >= READ_ONCE(w->typed))
            return 1;
        if ((u64)dentry != w->seen[n].dentry || dentry->d_seq.seqcount.sequence != w->seen[n].seq)
            return 0;
        dentry = dentry->d_parent;
    }
    return 1;
}

/* Append the path of a typed dentry as field `tag`. */
static __always_inline void path__append_typed(struct scratch *s, enum ebpf_tag tag, struct path_start start)
{
    struct ebpf_varlen *v = varlen__begin(s, tag, SCRATCH_PATHS - EBPF_PATH_MAX - 64);
    struct path_walk *w = &s->walk;

    path_start__store(s, start);
    STORE_POINTER(w->mnt_root, start.mnt_root);
    if (!v)
        return;
    w->start = s->len + sizeof(*v);
    w->used = w->flags = w->steps = w->mounts = w->kept = w->skip = 0;
    int result = walk__up_typed(s, start.dentry);

    if (result == WALK_AT_MOUNT && mount_cache__append(s->slot)) {
        u32 used = READ_ONCE(w->used);

        w->mnt = s->job.mnt - bpf_core_field_offset(struct mount, mnt);
        w->phase = WALK_UP;
        path__walk(s->slot);
        if (w->typed)
            mount_cache__store(s->slot, used);
    }
    if (result == WALK_GIVEN_UP || !walk__check_typed(s, start.dentry)) {
        path__append_job(s->slot, tag);
        return;
    }
    if (w->flags & EBPF_VARLEN_DELETED)
        path__doubt_deletion(s->slot);
    varlen__end(s, v, w->used, 0, w->flags);
    path__select(s, tag);
}

/* path__append_typed for a dentry that is in a directory, even if it is not in the kernel's hash table of names. */
static __always_inline void path__append_existing(struct scratch *s, enum ebpf_tag tag, struct path_start start)
{
    u64 at = READ_ONCE(s->len);

    path__append_typed(s, tag, start);
    BARRIER(at);
    if (at < SCRATCH_PATHS)
        ((struct ebpf_varlen *)&s->data[at])->flags &= ~EBPF_VARLEN_DELETED;
}

/* Append a struct path of the kernel as field `tag`, as the process with that root directory sees it. */
static __always_inline void varlen__path(struct scratch *s, enum ebpf_tag tag, const struct path_root *root, bool typed,
                                         struct path *path)
{
    if (typed)
        path__append_typed(s, tag, path_start__of(root, path));
    else
        path__append(s, tag, path_start__at(root, (u64)BPF_CORE_READ(path, mnt), (u64)BPF_CORE_READ(path, dentry)));
}

/*
 * Whether a mount is what its namespace shows as /: it is mounted on the root of another mount, and so on to the first.
 * As a rule there is one below the root file system (rootfs), and two since 7.0.
 */
#define MOUNTS_BELOW_ROOT 4

static __always_inline bool mount__is_top(struct mount *mnt)
{
    for (u32 i = 0; i < MOUNTS_BELOW_ROOT; i++) {
        struct mount *parent = BPF_CORE_READ(mnt, mnt_parent);

        if (parent == mnt)
            return true;
        if (BPF_CORE_READ(mnt, mnt_mountpoint) != BPF_CORE_READ(parent, mnt.mnt_root))
            return false;
        mnt = parent;
    }
    return false;
}

/*
 * Return whether the mount of the root directory is in no namespace (lazily unmounted, from open_tree), or in another
 * one.
 */
static __always_inline bool path_root__is_apart(const struct path_root *root)
{
    struct mount *mnt = mount__of(root->mnt);

    return root->mnt_ns && (u64)BPF_CORE_READ(mnt, mnt_ns) != root->mnt_ns;
}

/* Append where the root directory is, seen from the root of the process' mount namespace, as field `tag`. */
static __always_inline void varlen__path_of_root(struct scratch *s, enum ebpf_tag tag, const struct path_root *root)
{
    struct path_root own = *root;
    bool is_apart = path_root__is_apart(root);

    s->job.root.dentry = 0;
    s->job.root.mnt = 0;
    s->job.root.is_apart = is_apart;
    path__append(s, tag, path_start__at(root, own.mnt, own.dentry));
    s->job.root = own;
}

/*
 * Append where the root of the process is, seen from the root of its mount namespace. Nothing is appended for the
 * host's root, even in another namespace with a copy of the host's mounts. A root that is outside the namespace of its
 * process is flagged unreachable, so it differs from the host's whatever directory it is.
 */
static __always_inline void varlen__root_path(struct scratch *s, const struct path_root *root)
{
    bool is_host_dentry = root->dentry == emit_runtime.host_root_dentry;

    if (is_host_dentry && root->mnt == emit_runtime.host_root_mnt)
        return;
    if (is_host_dentry && !path_root__is_apart(root) && mount__is_top(mount__of(root->mnt)))
        return;
    varlen__path_of_root(s, EBPF_TAG_ROOT_PATH, root);
}

#endif
