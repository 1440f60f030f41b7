// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * FILE_CREATE and FILE_DELETE, for btrfs subvolumes and snapshots, which ioctls create and delete.
 *
 * Hooks: for creations the ends of the ioctl system calls, or, where kprobes report creations,
 * kprobe__security_d_instantiate (Create.bpf.c); for deletions their beginning, where a deletion is noted as
 * any other, and d_delete, where the inode still exists, but no device number (Delete.bpf.c). A subvolume that is given
 * by its number, or whose name the kernel does not know yet, is first seen at d_delete. btrfs is a module, which may be
 * loaded later than the probes, so nothing is attached to it; and the kernel function that it calls (d_instantiate) is
 * called for each file, socket and pipe. The new dentry is searched by the caller's name among the newest of its
 * directory.
 *
 * Each ioctl becomes about 200 instructions slower, so the programs are loaded only if the kernel has btrfs when the
 * probes start.
 *
 * Tried: subvolumes and snapshots by both versions of the calls, in directories that know the name already. Misses: a
 * btrfs that is loaded later. Names that the caller changes during the call count as lost. A subvolume that is first
 * seen at d_delete has no spares, and has the device number of the file system.
 */
#include "Operation.h"
#include "Subvolume.h"

#define SNAP_CREATE 0x50009401
#define SUBVOL_CREATE 0x5000940e
#define SNAP_DESTROY 0x5000940f
#define SNAP_CREATE_V2 0x50009417
#define SUBVOL_CREATE_V2 0x50009418
#define SNAP_DESTROY_V2 0x5000943f
#define NAME_AT 8 /* in the argument */
#define NAME_AT_V2 56
#define NAME_COMPARED 64

#define CHILD_INNER 16
#define CHILD_OUTER 64

/* Return whether a dentry has an inode and a name: all of a short name is compared, the beginning of a longer one. */
static __always_inline bool dentry__has_name(struct dentry *dentry, const u64 *name)
{
    u64 own[NAME_COMPARED / 8] = {}, differs = 0;

    if (!BPF_CORE_READ(dentry, d_inode))
        return false;
    bpf_probe_read_kernel_str(own, sizeof(own), BPF_CORE_READ(dentry, d_name.name));
#pragma unroll
    for (int i = 0; i < NAME_COMPARED / 8; i++)
        differs |= own[i] ^ name[i];
    return !differs;
}

/*
 * Search CHILD_INNER links of a directory's children for the name at a user address. Return the dentry, or the link
 * reached, with the lowest bit set; 0 at the end.
 */
u64 child__seek(u64 link, u64 head, u64 user_name)
{
    u64 name[NAME_COMPARED / 8] = {};

    if (bpf_probe_read_user_str(name, sizeof(name), (void *)user_name) < 0)
        return 0;
#pragma clang loop unroll(disable)
    for (int i = 0; i < CHILD_INNER; i++) {
        if (bpf_probe_read_kernel(&link, sizeof(link), (void *)link) || !link || link == head)
            return 0;
        if (dentry__has_name((void *)(link - compat__sibling_offset()), name))
            return link - compat__sibling_offset();
    }
    return link | 1;
}

/* Return the child of a directory with the name at a user address; 0 if it is not found. */
u64 child__find(u64 directory, u64 user_name)
{
    u64 head = directory + compat__children_offset(), link = head | 1;

#pragma clang loop unroll(disable)
    for (int i = 0; i < CHILD_OUTER && link & 1; i++)
        link = child__seek(link & ~1ULL, head, user_name);
    return link & 1 ? 0 : link;
}

static __always_inline void subvolume__fill(struct scratch *s, u64 dentry, u64 mnt)
{
    file_event__fill(s, mnt, dentry, (u64)BPF_CORE_READ((struct dentry *)dentry, d_inode));
}

static __always_inline bool command__creates_v2(u32 command)
{
    return command == SNAP_CREATE_V2 || command == SUBVOL_CREATE_V2;
}

static __always_inline bool command__creates(u32 command)
{
    return command__creates_v2(command) || command == SNAP_CREATE || command == SUBVOL_CREATE;
}

static __always_inline bool command__deletes(u32 command)
{
    return command == SNAP_DESTROY || command == SNAP_DESTROY_V2;
}

static __always_inline int ioctl__created(u64 fd, u32 command, u64 argument)
{
    bool is_v2 = command__creates_v2(command);

    if (!command__creates(command))
        return 0;
    struct file *file = fd__file(fd);
    u64 dentry = 0;

    /* no other file system has these commands: if the file is not on btrfs now, another one has replaced it */
    if (BPF_CORE_READ(file, f_inode, i_sb, s_magic) == BTRFS_MAGIC)
        dentry = child__find((u64)BPF_CORE_READ(file, f_path.dentry), argument + (is_v2 ? NAME_AT_V2 : NAME_AT));
    if (!dentry) {
        count__unreadable(EBPF_EVENT_FILE_CREATE);
        return 0;
    }
    EMIT_FILE(FILE_CREATE, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered()))
        subvolume__fill(s, dentry, (u64)BPF_CORE_READ(file, f_path.mnt));
    return 0;
}

SEC("ebpf.fexit/" SYSCALL_ENTRY("ioctl"))
int BPF_PROG(fexit__sys_ioctl_subvolume, struct pt_regs *regs, long ret)
{
    return ret ? 0 : ioctl__created(SYSCALL_ARG_64(regs, 1), SYSCALL_ARG_64(regs, 2), SYSCALL_ARG_64(regs, 3));
}

SEC("ebpf.fexit/" COMPAT_ENTRY("ioctl"))
int BPF_PROG(fexit__compat_sys_ioctl_subvolume, struct pt_regs *regs, long ret)
{
    return ret ? 0 : ioctl__created(SYSCALL_ARG_32(regs, 1), SYSCALL_ARG_32(regs, 2), SYSCALL_ARG_32(regs, 3));
}

/* A note without a dentry means that nothing was noted. */
static __always_inline void subvolume__note(struct task_state *state, struct dentry *dentry, struct file *file)
{
    u64 inode = (u64)BPF_CORE_READ(dentry, d_inode);

    state->dir_op.dentry = (u64)dentry;
    state->dir_op.name_id = (u64)BPF_CORE_READ(dentry, d_name.hash) << 32 | BPF_CORE_READ(dentry, d_name.len);
    state->dir_op.mnt = (u64)BPF_CORE_READ(file, f_path.mnt);
    state->dir_op.mnt_root = (u64)BPF_CORE_READ(file, f_path.mnt, mnt_root);
    state->dir_op.kind = DIR_OP_DELETE;
    state->dir_op.flags = emit_constants.btrfs.device_at ? btrfs__device(inode) : 0;
}

static __always_inline int ioctl__deletes(u64 fd, u32 command, u64 argument)
{
    if (!command__deletes(command) || !emit_runtime.live || current__is_filtered())
        return 0;
    struct file *file = fd__file(fd);
    u64 dentry = 0;

    if (BPF_CORE_READ(file, f_inode, i_sb, s_magic) == BTRFS_MAGIC)
        dentry = child__find((u64)BPF_CORE_READ(file, f_path.dentry),
                             argument + (command == SNAP_DESTROY_V2 ? NAME_AT_V2 : NAME_AT));
    struct task_state *state = task_state__get();

    if (state)
        subvolume__note(state, (void *)dentry, file);
    return 0;
}

SEC("ebpf.fentry/" SYSCALL_ENTRY("ioctl"))
int BPF_PROG(fentry__sys_ioctl_subvolume, struct pt_regs *regs)
{
    return ioctl__deletes(SYSCALL_ARG_64(regs, 1), SYSCALL_ARG_64(regs, 2), SYSCALL_ARG_64(regs, 3));
}

SEC("ebpf.fentry/" COMPAT_ENTRY("ioctl"))
int BPF_PROG(fentry__compat_sys_ioctl_subvolume, struct pt_regs *regs)
{
    return ioctl__deletes(SYSCALL_ARG_32(regs, 1), SYSCALL_ARG_32(regs, 2), SYSCALL_ARG_32(regs, 3));
}

SEC("ebpf.kprobe/" SYSCALL_ENTRY("ioctl"))
int kprobe__sys_ioctl_subvolume(struct pt_regs *regs)
{
    struct pt_regs *call = (void *)KPROBE_ARG_1(regs);

    return ioctl__deletes(BPF_CORE_READ(call, SYSCALL_REG_64_1), BPF_CORE_READ(call, SYSCALL_REG_64_2),
                          BPF_CORE_READ(call, SYSCALL_REG_64_3));
}

SEC("ebpf.kprobe/" COMPAT_ENTRY("ioctl"))
int kprobe__compat_sys_ioctl_subvolume(struct pt_regs *regs)
{
    struct pt_regs *call = (void *)KPROBE_ARG_1(regs);

    return ioctl__deletes(BPF_CORE_READ(call, SYSCALL_REG_32_1), BPF_CORE_READ(call, SYSCALL_REG_32_2),
                          BPF_CORE_READ(call, SYSCALL_REG_32_3));
}

/*
 * Return the mount of the open file that the current ioctl names, if it is on the dentry's file system: another thread
 * may have replaced it meanwhile.
 */
static __always_inline u64 ioctl__mount(const struct syscall_begin *call, u64 dentry)
{
    struct file *file = fd__file(call->first);
    bool is_same = BPF_CORE_READ(file, f_inode, i_sb) == BPF_CORE_READ((struct dentry *)dentry, d_sb);

    return is_same ? (u64)BPF_CORE_READ(file, f_path.mnt) : 0;
}

static __always_inline bool call__is_ioctl(const struct syscall_begin *call)
{
    return call->nr == (call->is_32 ? NR_32_ioctl : NR_ioctl);
}

int subvolume__created(u64 dentry, u64 inode)
{
    struct syscall_begin call = {};

    syscall__read(&call);
    if (!call__is_ioctl(&call) || !command__creates(call.second))
        return 0;
    EMIT_FILE(FILE_CREATE, e, s, NOT_PREEMPTED, fate__of(current__is_filtered()))
        file_event__fill(s, ioctl__mount(&call, dentry), dentry, inode);
    return 1;
}

int subvolume__deleted(u64 dentry, u32 preemption)
{
    struct syscall_begin call = {};

    syscall__read(&call);
    if (!call__is_ioctl(&call) || !command__deletes(call.second))
        return 0;
    /* filtered operations do not get here */
    EMIT_FILE(FILE_DELETE, e, s, preemption, FATE_MADE)
        subvolume__fill(s, dentry, ioctl__mount(&call, dentry));
    return 0;
}

/* ----------------------------------------------------- ends of system calls */

#define FLAGS_AT_V2 16
#define FLAG_BY_NUMBER (1u << 4) /* the subvolume has no name there */

/* Report a deletion, of which the directory's descriptor and a name in it are known; no name if it was by number. */
static __always_inline int ioctl__deleted(struct file *dir, u32 command, u64 argument)
{
    u64 flags = 0, text = argument + NAME_AT;

    if (!dir || BPF_CORE_READ(dir, f_inode, i_sb, s_magic) != BTRFS_MAGIC)
        return 0;
    if (command == SNAP_DESTROY_V2) {
        bpf_probe_read_user(&flags, sizeof(flags), (void *)(argument + FLAGS_AT_V2));
        text = flags & FLAG_BY_NUMBER ? 0 : argument + NAME_AT_V2;
    }
    EMIT_FILE(FILE_DELETE, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered())) {
        u64 mnt = (u64)BPF_CORE_READ(dir, f_path.mnt), dentry = (u64)BPF_CORE_READ(dir, f_path.dentry);
        const struct path_root *root = file_actor__fill(s);

        file_info__fill_unknown(s, EBPF_FILE_TYPE_DIR);
        caller_path__append_in(s, EBPF_TAG_PATH, path_start__at(root, mnt, dentry), text, false);
    }
    return 0;
}

int subvolume__called(u64 fd, u32 command, u64 argument)
{
    if (event__is_called(EBPF_EVENT_FILE_CREATE))
        ioctl__created(fd, command, argument);
    return command__deletes(command) && event__is_called(EBPF_EVENT_FILE_DELETE)
               ? ioctl__deleted(fd__file(fd), command, argument)
               : 0;
}
