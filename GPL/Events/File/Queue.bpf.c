// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * FILE_CREATE and FILE_DELETE, for files that calls of their own create and delete: mq_open and mq_unlink for message
 * queues, bpf(2) for files that stand for objects (BPF_OBJ_PIN). Where their file systems are mounted, open, unlink and
 * the like work too, and are reported as for any other file.
 *
 * Hooks: the end of vfs_mkobj, which only these two call, and d_delete (Delete.bpf.c), where the number of the system
 * call shows that it is mq_unlink. Where kprobes report creations, kprobe__security_d_instantiate (Create.bpf.c) finds
 * both. The mount of a pinned object is noted at path_mknod, see Operation.h. Message queues pass no such hook, because
 * they are found without a mount: if the process sees none, the path begins at the root of their file system, and is
 * unreachable. A note for a queue's dentry is another operation's, on a file system of that kind that is mounted
 * somewhere, so it is ignored.
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

SEC("ebpf.fexit/vfs_mkobj")
int BPF_PROG(fexit__vfs_mkobj, struct dentry *dentry, unsigned short mode, void *make, void *arg, int ret)
{
    const struct dir_op *op = dir_op__take_creation(dentry);
    u64 address = ctx__address(ctx);

    if (ret || current__is_kernel_thread())
        return 0;
    EMIT_FILE(FILE_CREATE, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered()))
        file_event__fill_by(s, address, op ? op->mnt : mount__of_dentry(address));
    return 0;
}

int queue__created(u64 dentry, u64 inode)
{
    EMIT_FILE(FILE_CREATE, e, s, NOT_PREEMPTED, fate__of(current__is_filtered()))
        file_event__fill_through(s, mount__of_dentry(dentry), dentry, inode);
    return 0;
}

int queue__deleted(u64 dentry, u32 preemption)
{
    /* filtered operations do not get here */
    EMIT_FILE(FILE_DELETE, e, s, preemption, FATE_MADE)
        file_event__fill_by(s, dentry, mount__of_dentry(dentry));
    return 0;
}

/* ----------------------------------------------------- ends of system calls */

/* A queue is created within a tick of the kernel's clock, which its directory gets as the time of its last change. */
#define TICK_NS_MAX 10000000

/*
 * Return whether the open file at an address is a queue that its mq_open has probably created. Nothing shows it for
 * certain without O_EXCL: it is the last queue that was created, and nobody has sent or received a message since then.
 * A global function, because of its stack.
 */
__noinline int queue__is_new(u64 address)
{
    struct file *file = (void *)address;
    struct inode *inode = BPF_CORE_READ(file, f_inode), *dir = BPF_CORE_READ(file, f_path.dentry, d_parent, d_inode);
    struct inode_copy copy, dir_copy;

    bpf_probe_read_kernel(&copy, sizeof(copy), inode);
    bpf_probe_read_kernel(&dir_copy, sizeof(dir_copy), dir);
    s64 age = COMPAT_COPIED_TIME(&dir_copy, dir, mtime) - COMPAT_COPIED_TIME(&copy, inode, ctime);

    return age >= 0 && age <= TICK_NS_MAX;
}

/* The queue is the kernel's own file. */
static __always_inline int queue__opened(const struct syscall_end *call)
{
    u32 flags = syscall__arg(call, 2);
    struct file *file = flags & O_CREAT ? fd__file(call->ret) : NULL;

    if (!file && flags & O_CREAT && call->ret >= 0)
        count__unreadable(EBPF_EVENT_FILE_CREATE);
    if (!file || (!(flags & O_EXCL) && !queue__is_new((u64)file)))
        return 0;
    u64 dentry = (u64)BPF_CORE_READ(file, f_path.dentry);

    EMIT_FILE(FILE_CREATE, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered()))
        file_event__fill_by(s, dentry, mount__of_dentry(dentry));
    return 0;
}

/* The name is in the root directory of the file system that belongs to the caller's IPC namespace. */
static __always_inline int queue__unlinked(const struct syscall_end *call)
{
    struct task_struct *task = (void *)bpf_get_current_task();
    u64 dir = (u64)BPF_CORE_READ(task, nsproxy, ipc_ns, mq_mnt, mnt_root);

    EMIT_FILE(FILE_DELETE, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered())) {
        const struct path_root *root = file_actor__fill(s);

        file_info__fill_unknown(s, EBPF_FILE_TYPE_FILE);
        caller_path__append_in(s, EBPF_TAG_PATH, path_start__at(root, mount__of_dentry(dir) & ~MOUNT_AMBIGUOUS, dir),
                               syscall__arg(call, 1), false);
    }
    return 0;
}

#define BPF_OBJ_PIN_COMMAND 6
#define PIN_FLAG_PATH_FD (1u << 14)

/* What the call is given for that command; since 6.6, a descriptor may follow. */
struct pin_attr {
    u64 path;
    u32 object, flags;
};

static __always_inline int object__pinned(const struct syscall_end *call)
{
    u64 address = syscall__arg(call, 2);
    struct caller_path path = {.dir = AT_FDCWD};
    struct pin_attr attr = {};

    if ((u32)syscall__arg(call, 1) != BPF_OBJ_PIN_COMMAND)
        return 0;
    bpf_probe_read_user(&attr, sizeof(attr), (void *)address);
    if (attr.flags & PIN_FLAG_PATH_FD)
        bpf_probe_read_user(&path.dir, sizeof(path.dir), (void *)(address + sizeof(attr)));
    path.text = attr.path;

    EMIT_FILE(FILE_CREATE, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered()))
        file_event__fill_called(s, &path, EBPF_FILE_TYPE_FILE);
    return 0;
}

/* One program for all: a start takes less time. */
SYSCALL_END(object, call)
{
    if (call->ret < 0)
        return 0;
    if (call->form.what == UNLINKS_QUEUE)
        return event__is_called(EBPF_EVENT_FILE_DELETE) ? queue__unlinked(call) : 0;
    if (!event__is_called(EBPF_EVENT_FILE_CREATE))
        return 0;
    return call->form.what == OPENS_QUEUE ? queue__opened(call) : object__pinned(call);
}
