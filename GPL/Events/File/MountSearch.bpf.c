// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * MountSearch.bpf.c - finds the mount that leads to a dentry; see MountSearch.h.
 *
 * The list of a file system's mounts is read without its lock. If an entry is freed meanwhile, the walk may go astray
 * or end early: steps are counted, and an end that is not the list's own counts as ambiguous.
 *
 * Misses: a file that was named through another namespace (/proc/PID/root) gets the path that it has in the process'
 * own namespace, if it has one there. Tried: mnt_want_write knows the mount, but each change of any file calls it, and
 * the mount would have to be stored until the end of the call.
 */
#include "MountSearch.h"

#define LIST_INNER 8
#define LIST_OUTER 128
#define CLIMB_INNER 8
#define CLIMB_OUTER 32
#define LAYER_OF_OVERLAY 0ULL

#define LINK_HIT 1ULL    /* bit in the address of a link: its mount is in the namespace */
#define LINK_ASTRAY 2ULL /* no address: the list could not be read to its end */

#define ANY_NAMESPACE 0ULL

/* Return whether a system call changes attributes of an open file, which is its first argument. */
static __always_inline bool syscall__is_of_fd(const struct syscall_begin *call)
{
    if (call->is_32)
        return call->nr == NR_32_fsetxattr || call->nr == NR_32_fremovexattr || call->nr == NR_32_ioctl;
    return call->nr == NR_fsetxattr || call->nr == NR_fremovexattr || call->nr == NR_ioctl;
}

/* Return the mount of the open file that a system call names, if the file is open as this dentry; otherwise 0. */
static __always_inline u64 mount__of_fd(u64 dentry)
{
    struct syscall_begin call = {};

    syscall__read(&call);
    struct file *file = syscall__is_of_fd(&call) ? fd__file(call.first) : NULL;

    return (u64)BPF_CORE_READ(file, f_path.dentry) == dentry ? (u64)BPF_CORE_READ(file, f_path.mnt) : 0;
}

static __always_inline bool dentry__is_layer(u64 dentry)
{
    return compat__inode_is_layer(BPF_CORE_READ((struct dentry *)dentry, d_inode));
}

/*
 * Go up CLIMB_INNER steps from a dentry. Return 1 if that met `root`, or, for LAYER_OF_OVERLAY, the upper or work
 * directory of an overlay; 0 at the top; otherwise the dentry reached.
 */
u64 dentry__climb(u64 dentry, u64 root)
{
#pragma clang loop unroll(disable)
    for (int i = 0; i < CLIMB_INNER; i++) {
        if (root == LAYER_OF_OVERLAY ? dentry__is_layer(dentry) : dentry == root)
            return 1;
        u64 parent = (u64)BPF_CORE_READ((struct dentry *)dentry, d_parent);

        if (!parent || parent == dentry)
            return 0;
        dentry = parent;
    }
    return dentry;
}

/* Return whether a dentry of the mount's file system can be changed through the mount. */
int mount__leads_to(u64 vfsmount, u64 dentry)
{
    struct vfsmount *mnt = (void *)vfsmount;
    u64 root = (u64)BPF_CORE_READ(mnt, mnt_root);

    if (BPF_CORE_READ(mnt, mnt_flags) & MNT_READONLY)
        return 0;
    if (root == (u64)BPF_CORE_READ(mnt, mnt_sb, s_root))
        return 1;
#pragma clang loop unroll(disable)
    for (int i = 0; i < CLIMB_OUTER && dentry > 1; i++)
        dentry = dentry__climb(dentry, root);
    return dentry == 1;
}

/* Return the next link, 0 after the last. */
static __always_inline u64 link__next(u64 link, u64 head)
{
    u64 next = 0;

    return bpf_probe_read_kernel(&next, sizeof(next), (void *)link) ? LINK_ASTRAY : compat__next_mount_link(next, head);
}

/* Return the struct vfsmount of a link. */
static __always_inline u64 link__mount(u64 link)
{
    return (link & ~LINK_HIT) - compat__mount_link_offset() + bpf_core_field_offset(struct mount, mnt);
}

/*
 * Search after a link for the next one whose mount is not `except`, is in the namespace and leads to the dentry. Return
 * it with LINK_HIT, or the link reached.
 */
__noinline u64 link__seek(u64 link, u64 head, u64 ns, u64 dentry, u64 except)
{
#pragma clang loop unroll(disable)
    for (int i = 0; i < LIST_INNER; i++) {
        link = link__next(link, head);
        if (!link || link == LINK_ASTRAY)
            return link;
        struct mount *mnt = (void *)(link - compat__mount_link_offset());
        u64 of = (u64)BPF_CORE_READ(mnt, mnt_ns);

        if ((ns == ANY_NAMESPACE ? of <= (u64)-MAX_ERRNO : of == ns) && link__mount(link) != except &&
            mount__leads_to(link__mount(link), dentry))
            return link | LINK_HIT;
    }
    return link;
}

/*
 * Search like link__seek, but much further. Return 0 if the list has no such link, and a link without a mark if the
 * list is too long.
 */
__noinline u64 link__find(u64 link, u64 head, u64 ns, u64 dentry, u64 except)
{
#pragma clang loop unroll(disable)
    for (int i = 0; i < LIST_OUTER && link && !(link & (LINK_HIT | LINK_ASTRAY)); i++)
        link = link__seek(link, head, ns, dentry, except);
    return link;
}

/*
 * Return the mount of the namespace that leads to a dentry, or `preferred` if that is not 0; MOUNT_AMBIGUOUS is set if
 * there is another one.
 */
static __always_inline u64 mount__search(u64 sb, u64 dentry, u64 ns, u64 preferred)
{
    u64 head = compat__mount_list(sb), link = head, found = preferred;

    if (!found) {
        link = link__find(head, head, ns, dentry, 0);
        if (!(link & LINK_HIT))
            return 0;
        found = link__mount(link);
    }
    return link__find(link & ~LINK_HIT, head, ns, dentry, found) ? found | MOUNT_AMBIGUOUS : found;
}

static __always_inline bool mount__is_candidate(u64 vfsmount, u64 sb, u64 dentry)
{
    return (u64)BPF_CORE_READ((struct vfsmount *)vfsmount, mnt_sb) == sb && mount__leads_to(vfsmount, dentry);
}

/* Return the mount of the working or root directory of a task, if it leads to the dentry. */
static __always_inline u64 mount__preferred(struct task_struct *task, u64 sb, u64 dentry)
{
    struct fs_struct *fs = BPF_CORE_READ(task, fs);
    u64 mnt = (u64)BPF_CORE_READ(fs, pwd.mnt);

    if (mount__is_candidate(mnt, sb, dentry))
        return mnt;
    mnt = (u64)BPF_CORE_READ(fs, root.mnt);
    return mount__is_candidate(mnt, sb, dentry) ? mnt : 0;
}

u64 mount__of_dentry(u64 dentry)
{
    struct task_struct *task = (void *)bpf_get_current_task();
    u64 sb = (u64)BPF_CORE_READ((struct dentry *)dentry, d_sb);
    u64 mnt = mount__of_fd(dentry);

    if (mnt)
        return mnt;
    mnt = mount__search(sb, dentry, (u64)BPF_CORE_READ(task, nsproxy, mnt_ns), mount__preferred(task, sb, dentry));
    return mnt ? mnt : mount__search(sb, dentry, ANY_NAMESPACE, 0);
}

/* Return whether the current task may be acting for a file system. */
static __always_inline bool current__may_act_inside(void)
{
    struct task_struct *task = (void *)bpf_get_current_task();
    struct syscall_begin call = {};

    if (BPF_CORE_READ(task, cred) != BPF_CORE_READ(task, real_cred))
        return true;
    syscall__read(&call);
    return call.nr == NR_fsconfig || call.nr == (call.is_32 ? NR_32_mount : NR_mount);
}

int dentry__is_changed_inside(u64 dentry)
{
    if (!current__may_act_inside())
        return 0;
#pragma clang loop unroll(disable)
    for (int i = 0; i < CLIMB_OUTER && dentry > 1; i++)
        dentry = dentry__climb(dentry, LAYER_OF_OVERLAY);
    return dentry == 1;
}
