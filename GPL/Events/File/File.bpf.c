// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* File.bpf.c - fills in the members that file events share; see File.h. */
#include "File.h"

FILE_EVENT_BEGINS_AS_CREATE(file_delete);
FILE_EVENT_BEGINS_AS_CREATE(file_rename);
FILE_EVENT_BEGINS_AS_CREATE(file_modify);
FILE_EVENT_BEGINS_AS_CREATE(file_memfd_open);
FILE_EVENT_BEGINS_AS_CREATE(file_shmem_open);
FILE_EVENT_BEGINS_AS_CREATE(file_link);

#define SYMLINK_MAX 4096

int file_actor__fill_slot(u32 slot)
{
    struct scratch *s = scratch__at(slot);

    if (!s)
        return -1;
    struct ebpf_file_create_event *e = (void *)s->data;

    WITH_CURRENT(task, typed, {
        pid_info__fill(&e->pids, typed, task);
        cred_info__fill(&e->creds, typed, task);
        e->mount_namespace = KREAD(typed, task, nsproxy, mnt_ns, ns.inum);
        comm__fill(s, typed, task);
        path_root__of(s, typed, task);
        varlen__cgroup_path(s, typed, task);
    });
    varlen__root_path(s, &s->job.root);
    return 0;
}

/* The device number of a subvolume is released when the subvolume is deleted, and is 0 then. */
int btrfs__device(u64 inode)
{
    const struct btrfs_layout *at = (const void *)&emit_constants.btrfs;
    u64 root = 0;
    u32 device = 0;

    bpf_probe_read_kernel(&root, sizeof(root), (void *)inode - at->inode_at + at->root_at);
    bpf_probe_read_kernel(&device, sizeof(device), (void *)root + at->device_at);
    return device;
}

int file_info__fill(u32 slot, u64 inode_addr)
{
    struct scratch *s = scratch__at(slot);
    struct inode *inode = (void *)inode_addr;
    struct inode_copy memory = {}, *copy = &memory;

    if (!s)
        return -1;
    struct ebpf_file_info *fi = &((struct ebpf_file_create_event *)s->data)->file_info;

    bpf_probe_read_kernel(copy, sizeof(*copy), inode);
    struct super_block *sb = INODE_GET(copy, inode, struct inode, i_sb);
    u32 dev = BPF_CORE_READ(sb, s_dev);
    u32 mode = INODE_GET(copy, inode, struct inode, i_mode);

    if (super__has_devices(emit_constants.btrfs.device_at ? BPF_CORE_READ(sb, s_magic) : 0))
        dev = btrfs__device(inode_addr) ?: dev;
    fi->type = file_type__of(mode);
    fi->mode = mode;
    fi->inode = compat__copied_number(copy, inode);
    fi->size = INODE_GET(copy, inode, struct inode, i_size);
    fi->uid = INODE_GET(copy, inode, struct inode, i_uid).val;
    fi->gid = INODE_GET(copy, inode, struct inode, i_gid).val;
    fi->atime = COMPAT_COPIED_TIME(copy, inode, atime);
    fi->mtime = COMPAT_COPIED_TIME(copy, inode, mtime);
    fi->ctime = COMPAT_COPIED_TIME(copy, inode, ctime);
    file_info__set_device(fi, dev);
    fi->nlink = INODE_GET(copy, inode, struct inode, i_nlink);
    fi->reserved = 0;
    return 0;
}

int file_symlink__append(u32 slot, u64 inode_addr)
{
    struct scratch *s = scratch__at(slot);
    struct inode *inode = (void *)inode_addr;

    if (!s)
        return -1;
    struct ebpf_file_info *fi = &((struct ebpf_file_create_event *)s->data)->file_info;

    if (fi->type != EBPF_FILE_TYPE_SYMLINK)
        return 0;
    struct ebpf_varlen *v = varlen__begin(s, EBPF_TAG_SYMLINK_TARGET, SCRATCH_PATHS - SYMLINK_MAX);

    if (!v)
        return -1;
    const char *target = BPF_CORE_READ(inode, i_link);
    long n = target ? bpf_probe_read_kernel_str(v + 1, SYMLINK_MAX, target) : 0;

    /* a long one may be in pages of the file, which cannot be read here */
    varlen__end(s, v, n > 0 ? n - 1 : 0, fi->size, n > 0 && n < SYMLINK_MAX ? 0 : EBPF_VARLEN_TRUNCATED);
    return 0;
}
