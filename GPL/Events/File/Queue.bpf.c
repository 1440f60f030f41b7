// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * FILE_CREATE and FILE_DELETE, for files that calls of their own create and delete: mq_open and mq_unlink for message
 * queues, bpf(2) for files that stand for objects (BPF_OBJ_PIN). Where their file systems are mounted, open, unlink and
 * the like work too, and are reported as for any other file.
 *
 * Hooks: the end of vfs_mkobj, which only these two call, and d_delete (Delete.bpf.c), where the number of the system
 * call shows that it is mq_unlink. The mount of a pinned object is noted at path_mknod, see Operation.h. Message queues
 * pass no such hook, because they are found without a mount: if the process sees none, the path begins at the root of
 * their file system, and is unreachable. A note for a queue's dentry is another operation's, on a file system of that
 * kind that is mounted somewhere, so it is ignored.
 *
 * Tried: queues that exist already, queues with and without a mount, 32-bit callers, objects whose name is taken.
 * Misses: files that BPF itself puts into bpffs while it is mounted (the kernel's iterators).
 */
#include "MountSearch.h"
#include "Operation.h"
#include "Queue.h"

/* Return the current task's note about a dentry that it creates; NULL if there is none. */
static __always_inline const struct dir_op *dir_op__take_creation(struct dentry *dentry)
{
    struct task_state *state = task_state__find();

    if (dentry__is_queue(dentry) || !dir_op__is_of(state, dentry))
        return NULL;
    state->dir_op.dentry = 0;
    return &state->dir_op;
}

static __always_inline int object__made(enum preemption preemption, struct dentry *dentry, u64 address, int ret)
{
    const struct dir_op *op = dir_op__take_creation(dentry);

    if (ret || current__is_kernel_thread() || (op && op->kind == DIR_OP_REPORTED))
        return 0;
    EMIT_FILE(FILE_CREATE, e, s, preemption, fate__of(current__is_filtered()))
        file_event__fill_by(s, address, op ? op->mnt : mount__of_dentry(address));
    return 0;
}

SEC("ebpf.fexit/vfs_mkobj")
int BPF_PROG(fexit__vfs_mkobj, struct dentry *dentry, unsigned short mode, void *make, void *arg, int ret)
{
    return object__made(MAY_BE_PREEMPTED, dentry, ctx__address(ctx), ret);
}

SEC("ebpf.session/vfs_mkobj")
int session__vfs_mkobj(struct pt_regs *regs)
{
    if (!kernel__session_is_return(regs))
        return session__begin(regs, KPROBE_ARG_1(regs));
    return object__made(NOT_PREEMPTED, SESSION_COOKIE(regs, dentry), *kernel__session_cookie(regs), SESSION_RET(regs));
}

int queue__deleted(u64 dentry, u32 preemption)
{
    /* filtered operations do not get here */
    EMIT_FILE(FILE_DELETE, e, s, preemption, FATE_MADE)
        file_event__fill_by(s, dentry, mount__of_dentry(dentry));
    return 0;
}
