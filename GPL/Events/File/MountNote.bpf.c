// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * MountNote.bpf.c - the mount through which a directory is changed, where the LSM's path hooks are missing
 * (CONFIG_SECURITY_PATH=n).
 *
 * Hook: mnt_want_write, which each such operation passes with the mount, by system call or io_uring, just before it
 * looks up what it will change. Opens for writing and changes of attributes pass it too, so the note says nothing but
 * the mount: the program at the end of an operation on a directory completes it, if its dentry is on the file system of
 * the mount (dir_op__complete). A stacked file system calls it for its layers as well, while the note of its own mount
 * is needed: through private copies of mounts, which are in no namespace of a process.
 *
 * filename_parentat, the obvious hook, has the directory as well, but its name depends on the compiler: since 5.14 it
 * is a part of __filename_parentat, which has other arguments.
 *
 * Less than with path hooks: the flags of a rename by io_uring, the device of a deleted subvolume of btrfs, and what an
 * open for a directory leaves behind (fentry__security_d_instantiate). A file that NFS renames because it is open is
 * reported as renamed.
 */
#include "Operation.h"

/* Return whether a mount is a private copy, which is in no namespace (MNT_NS_INTERNAL). */
static __always_inline bool mount__is_private(u64 vfsmount)
{
    return (u64)BPF_CORE_READ(mount__of(vfsmount), mnt_ns) > (u64)-MAX_ERRNO - 1;
}

/* Count what may be an operation, for which there is no memory, as one that is lost. */
static __always_inline void operation__is_lost(void)
{
    const u32 types[] = {EBPF_EVENT_FILE_CREATE, EBPF_EVENT_FILE_DELETE, EBPF_EVENT_FILE_RENAME, EBPF_EVENT_FILE_LINK};

#pragma unroll
    for (u32 i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (event__is_wanted(types[i])) {
            count__seen_and_lost(types[i], EBPF_REASON_STATE);
            return;
        }
    }
}

SEC("ebpf.fentry/mnt_want_write")
int BPF_PROG(fentry__mnt_want_write, struct vfsmount *mnt)
{
    if (!emit_runtime.live || current__is_kernel_thread() || current__is_filtered())
        return 0;
    if (mount__is_private(scalar__of_any(mnt) ?: scalar__of_any(mnt)))
        return 0;
    struct task_state *state = task_state__get();

    if (!state) {
        operation__is_lost();
        return 0;
    }
    STORE_POINTER(state->dir_op.mnt, mnt);
    STORE_POINTER(state->dir_op.mnt_root, mnt->mnt_root);
    STORE_POINTER(state->dir_op.name_id, mnt->mnt_sb);
    state->dir_op.dentry = 0;
    state->dir_op.kind = DIR_OP_MOUNT;
    return 0;
}
