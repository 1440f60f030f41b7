// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Mount.bpf.c - remembers by which mounts tasks change files; see Mount.h. */
#include "Mount.h"

#define RECENT_TASKS 2048
#define RECENT_MOUNTS 3

struct recent {
    u64 owner; /* bpf_get_current_pid_tgid */
    u64 mounts[RECENT_MOUNTS];
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, RECENT_TASKS);
    __type(key, u32);
    __type(value, struct recent);
} recent_mounts SEC(".maps");

static __always_inline struct recent *recent__of(u64 owner)
{
    u32 place = (u32)owner & (RECENT_TASKS - 1);

    return bpf_map_lookup_elem(&recent_mounts, &place);
}

static __always_inline int recent__add(struct vfsmount *mnt)
{
    u64 owner = bpf_get_current_pid_tgid();
    struct recent *r = recent__of(owner);

    if (!r)
        return 0;
    if (r->owner == owner) {
        r->mounts[2] = r->mounts[1];
        r->mounts[1] = r->mounts[0];
    } else {
        r->mounts[2] = r->mounts[1] = 0;
    }
    *(struct vfsmount *volatile *)&r->mounts[0] = mnt;
    *(volatile u64 *)&r->owner = owner;
    return 0;
}

SEC("ebpf.fentry/mnt_want_write")
int BPF_PROG(fentry__mnt_want_write, struct vfsmount *mnt)
{
    return recent__add(mnt);
}

SEC("ebpf.fentry/mnt_want_write_file")
int BPF_PROG(fentry__mnt_want_write_file, struct file *file)
{
    return recent__add(file->f_path.mnt);
}

static __always_inline bool mount__is_of(u64 vfsmount, struct super_block *sb)
{
    struct vfsmount *mnt = (void *)vfsmount;

    return mnt && BPF_CORE_READ(mnt, mnt_sb) == sb;
}

u64 mount__recent(u64 dentry_addr)
{
    struct dentry *dentry = (void *)dentry_addr;
    struct super_block *sb = BPF_CORE_READ(dentry, d_sb);
    u64 owner = bpf_get_current_pid_tgid();
    struct recent *r = recent__of(owner);

    for (u32 i = 0; r && i < RECENT_MOUNTS; i++) {
        u64 mnt = *(volatile u64 *)&r->mounts[i];

        if (mount__is_of(mnt, sb) && *(volatile u64 *)&r->owner == owner)
            return mnt;
    }
    struct task_struct *task = (void *)bpf_get_current_task();
    struct fs_struct *fs = BPF_CORE_READ(task, fs);
    u64 mnt = (u64)BPF_CORE_READ(fs, pwd.mnt);

    if (mount__is_of(mnt, sb))
        return mnt;
    mnt = (u64)BPF_CORE_READ(fs, root.mnt);
    return mount__is_of(mnt, sb) ? mnt : 0;
}
