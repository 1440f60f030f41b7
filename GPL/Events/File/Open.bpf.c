// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * FILE_CREATE, for files that an open creates; FILE_MEMFD_OPEN and FILE_SHMEM_OPEN: an existing memfd, or file under
 * /dev/shm, was opened.
 *
 * Hook: security_file_open. Every open passes it once, by whatever call or io_uring, with the path resolved and the
 * file created if it had to be: the kernel marks such a file FMODE_CREATED. A few loads are enough to ignore other
 * opens. The system calls, the obvious hooks, have a string that another thread can change. An LSM program, which the
 * kernel never skips, would come too late: a module before it (Landlock) may refuse an open that has created its file.
 * On kernels that preempt BPF programs, a kprobe on this function is used.
 *
 * O_TMPFILE creates a file without a name: it is reported when linkat gives it one, see Create.bpf.c.
 *
 * An open that the file system refuses after this point is reported if it created the file, because the file does
 * exist. Tried: open, openat, openat2 and creat, by 32-bit callers and io_uring, on tmpfs, ext4 and overlayfs. Misses:
 * opens that fail before this point, after a file was created: see fentry__security_d_instantiate in Create.bpf.c.
 */
#include "Content.h"
#include "Operation.h"

/* A name of three letters, without its NUL, as a number. */
#define NAME3(a, b, c) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16)

/* Return the bytes of a short name that the dentry itself contains. */
static __always_inline u32 dentry__short_name(struct dentry *dentry)
{
    u32 name = 0;

    if (emit_constants.casts)
        return READ_ONCE(*(u64 *)((void *)UNTRUSTED(dentry, dentry) + compat__short_name_offset()));
    bpf_probe_read_kernel(&name, sizeof(name), (void *)dentry + compat__short_name_offset());
    return name;
}

/*
 * Return whether a dentry has a name of three letters. Such a name is in the dentry itself, so one load excludes most
 * others.
 */
static __always_inline bool dentry__is_named(struct dentry *dentry, u32 name3)
{
    u32 name = 0;

    if (dentry__short_name(dentry) != name3 || READ_AT(dentry, dentry, d_name.len) != 3)
        return false;
    bpf_probe_read_kernel(&name, 3, READ_AT(dentry, dentry, d_name.name));
    return name == name3;
}

/*
 * A cache of mounts that are not /dev/shm, so that an open of a file on another tmpfs follows no addresses; see
 * mounts__have_numbers. A rename of a mountpoint does not change the number, but the kernel refuses it in the namespace
 * of the mount (EBUSY): if another namespace renames one to shm, that is noticed after the next mount or unmount.
 */
#define ELSEWHERE_MAX 32 /* a power of two; indexed by the device of the file system */

static struct mount_elsewhere {
    u64 claims, version;
    u64 mnt, ns;
    u64 event; /* 0: empty, or being written */
} mounts_elsewhere[ELSEWHERE_MAX];

static __always_inline bool mounts_elsewhere__are_cached(void)
{
    return event__is_wanted(EBPF_EVENT_FILE_SHMEM_OPEN) && mounts__have_numbers();
}

static __always_inline struct mnt_namespace *current__mnt_ns(void)
{
    struct task_struct *task = (void *)bpf_get_current_task_btf();

    return task->nsproxy->mnt_ns;
}

static __always_inline struct mount_elsewhere *mounts_elsewhere__entry(struct super_block *sb)
{
    return &mounts_elsewhere[sb->s_dev & (ELSEWHERE_MAX - 1)];
}

static __always_inline bool mounts_elsewhere__have(struct vfsmount *mnt, struct super_block *sb)
{
    struct mnt_namespace *ns = current__mnt_ns();
    struct mount_elsewhere *entry = mounts_elsewhere__entry(sb);
    u64 event = ns->event, version = READ_ONCE(entry->version);

    FENCE();
    return event && READ_ONCE(entry->event) == event && (u64)mnt == READ_ONCE(entry->mnt) &&
           (u64)ns == READ_ONCE(entry->ns) && READ_AFTER(entry->version) == version;
}

/* Cache a mount of the current namespace as not /dev/shm, as found when the namespace had this number. */
static __always_inline void mounts_elsewhere__add(struct vfsmount *mnt, struct super_block *sb, u64 event)
{
    struct mount_elsewhere *entry = mounts_elsewhere__entry(sb);

    if (!claim__try(&entry->claims))
        return;
    WRITE_ONCE(entry->event, 0);
    VERSION_STEP(entry->version);
    STORE_POINTER(entry->mnt, mnt);
    STORE_POINTER(entry->ns, current__mnt_ns());
    FENCE();
    WRITE_ONCE(entry->event, event);
    claim__release(&entry->claims);
}

/*
 * Return whether the name of a mount's mountpoint shows that it is not /dev/shm, without a look at the directory above.
 */
static __always_inline bool mount__is_named_otherwise(struct mount *mnt)
{
    return dentry__short_name(READ_AT(mount, mnt, mnt_mountpoint)) != NAME3('s', 'h', 'm');
}

/* Return whether a mountpoint is the directory shm in a directory or mountpoint dev, as /dev/shm is everywhere. */
static __always_inline bool mount__is_dev_shm(struct mount *mnt)
{
    struct dentry *mountpoint = READ_AT(mount, mnt, mnt_mountpoint);

    if (!dentry__is_named(mountpoint, NAME3('s', 'h', 'm')))
        return false;
    struct mount *parent = READ_AT(mount, mnt, mnt_parent);
    struct dentry *above = READ_AT(dentry, mountpoint, d_parent);

    if (above == READ_AT(mount, parent, mnt.mnt_root))
        above = READ_AT(mount, parent, mnt_mountpoint);
    return dentry__is_named(above, NAME3('d', 'e', 'v'));
}

/*
 * Return the address of the mount; as a pointer, from which the verifier allows a constant to be subtracted, if
 * possible.
 */
static __always_inline struct mount *opened__mount(struct file *file)
{
    if (emit_constants.casts)
        return mount__of((u64)file->f_path.mnt);
    u64 mnt = scalar__of_any(file->f_path.mnt);

    return mount__of(mnt ? mnt : (u64)BPF_CORE_READ(file, f_path.mnt));
}

/* Return whether a file on a tmpfs is under /dev/shm. */
static __always_inline bool opened__is_in_dev_shm(struct file *file, struct vfsmount *vfsmount, struct super_block *sb)
{
    struct mount *mnt = opened__mount(file);

    if (mounts_elsewhere__are_cached()) {
        u64 event = current__mnt_ns()->event; /* before the mount is examined */

        if (mount__is_named_otherwise(mnt)) {
            /* an unmount marks all mounts of a tree before it changes the number of the namespace */
            if (event && (u64)current__mnt_ns() == (u64)BPF_CORE_READ(mnt, mnt_ns) &&
                !(BPF_CORE_READ(mnt, mnt.mnt_flags) & MNT_UMOUNT))
                mounts_elsewhere__add(vfsmount, sb, event);
            return false;
        }
    }
    return mount__is_dev_shm(mnt);
}

/* Return the event that the opening of a file is, 0 for none. */
static __always_inline u32 opened__type(struct file *file)
{
    u32 mode = file->f_mode;

    if (mode & FMODE_NOACCOUNT)
        return 0;
    if (mode & FMODE_CREATED)
        return event__is_wanted(EBPF_EVENT_FILE_CREATE) && !(file->f_flags & O_TMPFILE_BIT) &&
                       !current__is_kernel_thread()
                   ? EBPF_EVENT_FILE_CREATE
                   : 0;
    if (!event__is_wanted(EBPF_EVENT_FILE_MEMFD_OPEN) && !event__is_wanted(EBPF_EVENT_FILE_SHMEM_OPEN))
        return 0;
    struct vfsmount *mnt = file->f_path.mnt;
    struct super_block *sb = mnt->mnt_sb;

    if (sb->s_magic != TMPFS_MAGIC || (mounts_elsewhere__are_cached() && mounts_elsewhere__have(mnt, sb)))
        return 0;
    if (sb->s_flags & SB_KERNMOUNT)
        return event__is_wanted(EBPF_EVENT_FILE_MEMFD_OPEN) && dentry__is_memfd(file->f_path.dentry)
                   ? EBPF_EVENT_FILE_MEMFD_OPEN
                   : 0;
    return event__is_wanted(EBPF_EVENT_FILE_SHMEM_OPEN) && (file->f_inode->i_mode & S_IFMT) == S_IFREG &&
                   opened__is_in_dev_shm(file, mnt, sb)
               ? EBPF_EVENT_FILE_SHMEM_OPEN
               : 0;
}

/* The three events have equal members and one ring, so one record layout serves all of them. */
_Static_assert(sizeof(struct ebpf_file_create_event) == sizeof(struct ebpf_file_memfd_open_event) &&
                   sizeof(struct ebpf_file_create_event) == sizeof(struct ebpf_file_shmem_open_event),
               "the events of opened files have one layout");

/* Submit the record as the event whose type is in its header. */
static __always_inline void opened__end(struct scratch **s)
{
    if (*s)
        file_event__submit(*s, ((struct ebpf_event_header *)(*s)->data)->type & (EMIT_TYPES_MAX - 1));
}

static __always_inline int opened__emit(enum preemption preemption, struct file *file, u32 type)
{
    type = scalar__hide(type) & (EMIT_TYPES_MAX - 1); /* one record for the verifier, not three */
    struct scratch *begun =
        emit__begin(preemption, type, sizeof(emit_record_FILE_CREATE), fate__of(current__is_filtered()));

    EMIT_RECORD(FILE_CREATE, e, s, file_event__begin(begun, 0), opened__end)
        file_event__fill_of(s, &file->f_path, file->f_inode);
    return 0;
}

SPARES("ebpf.fentry/security_file_open", fentry__security_file_open, open_body, SPARE_OPEN)

/* A mark each time takes less than its spares would need to see that an open is no event. */
SEC("ebpf.fentry/security_file_open")
int BPF_PROG(fentry__security_file_open, struct file *trusted)
{
    SPARE_BEGIN(ctx, open_body, SPARE_OPEN);
    struct file *file = UNTRUSTED(file, trusted);
    u32 type = opened__type(file);

    return type ? opened__emit(MAY_BE_PREEMPTED, file, type) : 0;
}

SEC("ebpf.kprobe/security_file_open")
int kprobe__security_file_open(struct pt_regs *regs)
{
    struct file *file = KPROBE_ARG(regs, 1, file);
    u32 type = opened__type(file);

    return type ? opened__emit(NOT_PREEMPTED, file, type) : 0;
}

/*
 * Without security modules (CONFIG_SECURITY=n): do_dentry_open, which calls security_file_open elsewhere. A file that
 * the open creates exists at its beginning. Whether an existing file is opened shows at its end, which is not reached
 * by a few kinds of refusals only (a program that runs, a read-only mount). The file has no inode yet at the beginning.
 */
SEC("ebpf.fentry/do_dentry_open")
int BPF_PROG(fentry__do_dentry_open, struct file *file)
{
    struct dentry *dentry = file->f_path.dentry;

    if (!(file->f_mode & FMODE_CREATED) || opened__type(file) != EBPF_EVENT_FILE_CREATE)
        return 0;
    EMIT_FILE(FILE_CREATE, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered()))
        file_event__fill_of(s, &file->f_path, dentry->d_inode);
    return 0;
}

SEC("ebpf.fexit/do_dentry_open")
int BPF_PROG(fexit__do_dentry_open, struct file *file)
{
    if ((int)COMPAT_RET(ctx, do_dentry_open) || file->f_mode & (FMODE_CREATED | FMODE_PATH))
        return 0;
    u32 type = opened__type(file);

    return type ? opened__emit(MAY_BE_PREEMPTED, file, type) : 0;
}

/*
 * 5.10 and 5.15: an open with O_CREAT and O_DIRECTORY creates a regular file, sees that it is no directory, fails, and
 * leaves the file behind. Later kernels refuse it before (43b450632676). The kernel calls this function when the file
 * system has created the file, and also when it has found one; the note distinguishes the two. The end of the open, the
 * obvious hook, would add a cost to each open.
 */
SEC("ebpf.fentry/security_d_instantiate")
int BPF_PROG(fentry__security_d_instantiate, struct dentry *dentry, struct inode *inode)
{
    struct task_state *state = current__open_flags() & LOOKUP_DIRECTORY ? task_state__find() : NULL;

    if (!dir_op__is_of(state, dentry) || state->dir_op.kind != DIR_OP_OPEN)
        return 0;
    state->dir_op.dentry = 0;
    EMIT_FILE(FILE_CREATE, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered()))
        file_event__fill_typed(s, dir_op__start(file_event__fill_root(s), &state->dir_op, dentry), inode);
    return 0;
}

/* ----------------------------------------------------- ends of system calls */

/* opened__type of a file at an address. */
static __always_inline u32 opened__type_at(struct file *file)
{
    u32 mode = BPF_CORE_READ(file, f_mode);
    struct vfsmount *mnt = BPF_CORE_READ(file, f_path.mnt);

    if (mode & FMODE_NOACCOUNT)
        return 0;
    if (mode & FMODE_CREATED)
        return BPF_CORE_READ(file, f_flags) & O_TMPFILE_BIT ? 0 : EBPF_EVENT_FILE_CREATE;
    if (BPF_CORE_READ(mnt, mnt_sb, s_magic) != TMPFS_MAGIC)
        return 0;
    if (BPF_CORE_READ(mnt, mnt_sb, s_flags) & SB_KERNMOUNT)
        return dentry__is_memfd_at(BPF_CORE_READ(file, f_path.dentry)) ? EBPF_EVENT_FILE_MEMFD_OPEN : 0;
    return (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) == S_IFREG && mount__is_dev_shm(mount__of((u64)mnt))
               ? EBPF_EVENT_FILE_SHMEM_OPEN
               : 0;
}

/* Return the flags of a call that has opened a file, which the file itself no longer shows. */
static __always_inline u64 open__flags(const struct syscall_end *call)
{
    u64 flags = call->form.extra ? syscall__arg(call, call->form.extra) : O_CREAT | O_TRUNC;

    if (call->form.what == OPENS_BY_HOW)
        bpf_probe_read_user(&flags, sizeof(flags), (void *)flags);
    return flags;
}

#define O_NEW (O_CREAT | O_EXCL)

/* Another thread has closed the descriptor of a file that was opened. */
static __always_inline void opened__is_lost(u64 flags)
{
    if (flags & O_CREAT)
        count__unreadable(EBPF_EVENT_FILE_CREATE);
    if (flags & O_TRUNC)
        count__unreadable(EBPF_EVENT_FILE_MODIFY);
}

/* Report an open of the file at an address, if it is an event. */
static __always_inline int opened__report(struct file *file)
{
    u32 type = scalar__hide(opened__type_at(file)) & (EMIT_TYPES_MAX - 1);

    if (!((emit_constants.events & emit_runtime.called) >> type & 1))
        return 0;
    struct scratch *begun =
        emit__begin(MAY_BE_PREEMPTED, type, sizeof(emit_record_FILE_CREATE), fate__of(current__is_filtered()));

    EMIT_RECORD(FILE_CREATE, e, s, file_event__begin(begun, 0), opened__end)
        file_event__fill_file(s, file);
    return 0;
}

SYSCALL_END(open, call)
{
    struct file *file = call->ret < 0 ? NULL : fd__file(call->ret);

    if (!file) {
        if (call->ret >= 0)
            opened__is_lost(open__flags(call));
        return 0;
    }
    opened__report(file);
    if ((open__flags(call) & (O_NEW | O_PATH)) == O_NEW && !(BPF_CORE_READ(file, f_mode) & FMODE_CREATED))
        count__unreadable(EBPF_EVENT_FILE_CREATE); /* it is another one */
    if (event__is_called(EBPF_EVENT_FILE_MODIFY) && !(BPF_CORE_READ(file, f_mode) & FMODE_CREATED) &&
        open__flags(call) & O_TRUNC)
        content__changed((u64)file, BYTES_UNKNOWN);
    return 0;
}

URING_END(open, end)
{
    struct io_open *open = (void *)end->req;

    if (end->res < 0 || (end->opcode != IORING_OP_OPENAT && end->opcode != IORING_OP_OPENAT2) ||
        BPF_CORE_READ(open, file_slot))
        return 0;
    struct file *file = fd__file(end->res);

    if (!file) {
        opened__is_lost(BPF_CORE_READ(open, how.flags));
        return 0;
    }
    opened__report(file);
    if (event__is_called(EBPF_EVENT_FILE_MODIFY) && !(BPF_CORE_READ(file, f_mode) & FMODE_CREATED) &&
        BPF_CORE_READ(open, how.flags) & O_TRUNC)
        content__changed((u64)file, BYTES_UNKNOWN);
    return 0;
}
