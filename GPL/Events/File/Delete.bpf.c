// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * FILE_DELETE: a name of a file, or a directory, was deleted.
 *
 * Hook: d_delete, which vfs_unlink and vfs_rmdir call when the file system has done it, and where the inode still
 * exists. The mount is noted at path_unlink and path_rmdir of the LSM, which unlink, unlinkat, rmdir and io_uring pass;
 * see Operation.h. The obvious hook, vfs_rmdir, is inlined on 5.10, although BTF lists it. On kernels that preempt BPF
 * programs a kprobe is used.
 *
 * NFS does not delete an open file, but renames it: d_move (Rename.bpf.c) reports that.
 *
 * A file that is replaced by a rename is reported by FILE_RENAME. Tried: unlink, unlinkat, rmdir, by 32-bit callers and
 * io_uring, on tmpfs, ext4 and overlayfs; failures of each kind. Misses: deletions by a file system's own ioctls.
 */
#include "Delete.h"
#include "Queue.h"
#include "Subvolume.h"

PATH_HOOK(unlink, (struct path * dir, struct dentry *dentry), DIR_AND_DENTRY,
          dir_op__begin(EBPF_EVENT_FILE_DELETE, dir->mnt, dentry, DIR_OP_DELETE, 0))

/* It may be a subvolume, whose device number is released by the end. */
static __always_inline u32 directory__device(struct dentry *dentry)
{
    return super__has_devices(dentry->d_sb->s_magic) ? btrfs__device((u64)BPF_CORE_READ(dentry, d_inode)) : 0;
}

PATH_HOOK(rmdir, (struct path * dir, struct dentry *dentry), DIR_AND_DENTRY,
          dir_op__begin(EBPF_EVENT_FILE_DELETE, dir->mnt, dentry, DIR_OP_DELETE, directory__device(dentry)))

static __always_inline int d_delete__begin(enum preemption preemption, struct dentry *dentry, u64 address)
{
    if (!emit_runtime.live)
        return 0;
    bool is_queue = queue__is_unlinked(dentry);

    if (is_queue && preemption == MAY_BE_PREEMPTED)
        spare__mark(SPARE_DELETE);
    if (dir_op__is_left_out(EBPF_EVENT_FILE_DELETE, false))
        return 0;
    if (is_queue) {
        queue__deleted(address, preemption);
        return 0;
    }
    struct dir_op *op = dir_op__take(preemption, EBPF_EVENT_FILE_DELETE, SPARE_DELETE, dentry, false);

    if (op && op->kind == DIR_OP_DELETE)
        return deleted__emit(preemption, dentry, op);
    if (dentry->d_sb->s_magic == BTRFS_MAGIC)
        subvolume__deleted(address, preemption);
    return 0;
}

SEC("ebpf.kprobe/d_delete")
int kprobe__d_delete(struct pt_regs *regs)
{
    return d_delete__begin(NOT_PREEMPTED, KPROBE_ARG(regs, 1, dentry), KPROBE_ARG_1(regs));
}

struct spare_body_map delete_body SEC(".maps");

SEC("ebpf.fentry/d_delete")
int BPF_PROG(fentry__d_delete, struct dentry *dentry)
{
    SPARE_BODY(ctx, delete_body);
    return d_delete__begin(MAY_BE_PREEMPTED, dentry, ctx__address(ctx));
}

/* An mq_unlink leaves no note: see Queue.bpf.c. */
#define DELETE_SPARE(n)                                                                                                \
    SEC("ebpf.fentry/d_delete") int BPF_PROG(fentry__d_delete_spare##n, struct dentry *dentry)                         \
    {                                                                                                                  \
        if (emit_constants.spares && queue__is_unlinked(dentry))                                                       \
            return spare__run(ctx, &delete_body, SPARE_DELETE, n, 3);                                                  \
        return dir_op__run_spare(ctx, &delete_body, SPARE_DELETE, dentry, n, 3);                                       \
    }

DELETE_SPARE(1)
DELETE_SPARE(2)
DELETE_SPARE(3)

/* ----------------------------------------------------- ends of system calls */

/* The file is gone, so only the caller's path is left of it, and that a directory was removed by a call of its own. */
SYSCALL_END(delete, call)
{
    if (call->ret)
        return 0;
    EMIT_FILE(FILE_DELETE, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered())) {
        bool is_dir = call->form.what || syscall__arg(call, call->form.extra) & AT_REMOVEDIR;
        struct caller_path path = CALL_PATH(call);

        file_event__fill_called(s, &path, is_dir ? EBPF_FILE_TYPE_DIR : FILE_TYPE_UNKNOWN);
    }
    return 0;
}
