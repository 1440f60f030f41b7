// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * FILE_RENAME: a file or directory was renamed or moved, or exchanged with another one.
 *
 * Hooks: d_move and d_exchange, which vfs_rename, or the file system itself, calls when the rename is done: both
 * dentries are still in their old directories, so one program reads both paths. The mount and the flags are noted at
 * path_rename of the LSM, which every rename passes, by system call or io_uring; see Operation.h. On kernels that
 * preempt BPF programs kprobes are used.
 *
 * A rename of one name of a file to another name of this file does nothing, and is no event. Tried: rename, renameat2
 * with each flag, by 32-bit callers and io_uring, on tmpfs, ext4 and overlayfs. Misses: renames by a file system's own
 * ioctls.
 */
#include "Delete.h"

/* Both directories are reached through one mount, or there would be no rename. */
PATH_HOOK(rename, (struct path * old_dir, struct dentry *old, struct path *new_dir, struct dentry *new, u32 flags),
          (KPROBE_ARG(regs, 1, path), KPROBE_ARG(regs, 2, dentry), NULL, NULL, KPROBE_ARG_5(regs)),
          dir_op__begin(EBPF_EVENT_FILE_RENAME, old_dir->mnt, old, DIR_OP_RENAME, flags &RENAME_FLAGS))

static __always_inline void renamed__fill_target(struct ebpf_file_rename_event *e, struct inode *target)
{
    e->replaced_inode = e->exchanged_inode = 0;
    e->replaced_nlink = e->reserved_replaced = 0;
    if (e->hdr.flags & EBPF_RENAME_F_EXCHANGE) {
        e->exchanged_inode = compat__inode_number(target);
    } else if (target) {
        e->hdr.flags |= EBPF_RENAME_F_REPLACED;
        e->replaced_inode = compat__inode_number(target);
        e->replaced_nlink = target->i_nlink;
    }
}

static __always_inline int renamed__emit(enum preemption preemption, struct dentry *old, struct dentry *new,
                                         const struct dir_op *op)
{
    EMIT_OPERATION(FILE_RENAME, e, s, preemption) {
        struct inode *inode = old->d_inode;

        e->hdr.flags = op->flags;
        renamed__fill_target(e, new->d_inode);
        dir_op__fill_both(s, file_actor__fill(s), op, old, new, inode);
    }
    return 0;
}

static __always_inline int d_move__begin(enum preemption preemption, struct dentry *old, struct dentry *new)
{
    struct dir_op *op = dir_op__end(preemption, EBPF_EVENT_FILE_RENAME, SPARE_MOVE, old, false);

    if (op && op->kind == DIR_OP_RENAME)
        return renamed__emit(preemption, old, new, op);
    return op && op->kind == DIR_OP_DELETE ? deleted__emit(preemption, old, op) : 0;
}

SEC("ebpf.kprobe/d_move")
int kprobe__d_move(struct pt_regs *regs)
{
    return d_move__begin(NOT_PREEMPTED, KPROBE_ARG(regs, 1, dentry), KPROBE_ARG(regs, 2, dentry));
}

struct spare_body_map move_body SEC(".maps");

SEC("ebpf.fentry/d_move")
int BPF_PROG(fentry__d_move, struct dentry *old, struct dentry *new)
{
    SPARE_BODY(ctx, move_body);
    return d_move__begin(MAY_BE_PREEMPTED, old, new);
}

static __always_inline int d_exchange__begin(enum preemption preemption, struct dentry *old, struct dentry *new)
{
    struct dir_op *op = dir_op__end(preemption, EBPF_EVENT_FILE_RENAME, SPARE_EXCHANGE, old, false);

    return op ? renamed__emit(preemption, old, new, op) : 0;
}

SEC("ebpf.kprobe/d_exchange")
int kprobe__d_exchange(struct pt_regs *regs)
{
    return d_exchange__begin(NOT_PREEMPTED, KPROBE_ARG(regs, 1, dentry), KPROBE_ARG(regs, 2, dentry));
}

struct spare_body_map exchange_body SEC(".maps");

SEC("ebpf.fentry/d_exchange")
int BPF_PROG(fentry__d_exchange, struct dentry *old, struct dentry *new)
{
    SPARE_BODY(ctx, exchange_body);
    return d_exchange__begin(MAY_BE_PREEMPTED, old, new);
}

DIR_OP_SPARES("ebpf.fentry/d_move", fentry__d_move, move_body, SPARE_MOVE, (struct dentry *)ctx[0])
DIR_OP_SPARES("ebpf.fentry/d_exchange", fentry__d_exchange, exchange_body, SPARE_EXCHANGE, (struct dentry *)ctx[0])

/* ----------------------------------------------------- ends of system calls */

SYSCALL_END(rename, call)
{
    if (call->ret)
        return 0;
    EMIT_FILE(FILE_RENAME, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered())) {
        struct caller_path old = CALL_PATH(call), new = CALL_NEW_PATH(call);

        file_event__fill_renamed(s, e, syscall__arg(call, call->form.extra), &old, &new);
    }
    return 0;
}
