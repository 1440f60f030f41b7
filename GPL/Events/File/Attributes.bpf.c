// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * FILE_MODIFY, change_type PERMISSIONS, OWNER, TIMES, XATTRS and FLAGS.
 *
 * Hooks: the ends of chmod_common, chown_common and vfs_utimes, which all calls of the three families pass with the
 * path, and whose values show success. Changes of extended attributes and access control lists pass vfs_setxattr and
 * vfs_removexattr, and since 6.2 vfs_set_acl and vfs_remove_acl, with a dentry only: see MountSearch.h. An overlay
 * calls these for its layers too, which is no event. notify_change, which is behind them, also runs for writes,
 * truncations and the file system's own changes.
 *
 * Flags of an inode (chattr) pass vfs_fileattr_set, by FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR or file_setattr(2). Before
 * 5.13 each file system handles them itself, so the programs are at the ends of the ioctl system calls.
 *
 * Tried: each call by path and by descriptor, by 32-bit callers, on tmpfs, ext4 and overlayfs, with and without copying
 * up. Misses: changes by ioctls of single file systems (FS_IOC_SETVERSION, encryption, verity), and changes that nfsd
 * and other kernel threads make for others; with the credentials of another io_uring personality, changes below the
 * upper layer of an overlay. A change to the value that was there before is reported.
 */
#include "Content.h"
#include "MountSearch.h"
#include "Subvolume.h"

#define XATTR_NAME_SIZE 256

static __always_inline int change__emit(enum preemption preemption, struct path *path, enum ebpf_change_type type)
{
    EMIT_CHANGE(type, e, s, preemption)
        file_event__fill_seldom(s, path, path->dentry->d_inode);
    return 0;
}

/* Programs at both ends of a function that changes the file to which its first argument, a path, leads. */
static __always_inline int change__session(struct pt_regs *regs, enum ebpf_change_type type)
{
    if (!kernel__session_is_return(regs))
        return session__begin(regs, KPROBE_ARG_1(regs));
    return (int)SESSION_RET(regs) ? 0 : change__emit(NOT_PREEMPTED, SESSION_COOKIE(regs, path), type);
}

SPARES("ebpf.fexit/chmod_common", fexit__chmod_common, chmod_body, SPARE_CHMOD)

SEC("ebpf.fexit/chmod_common")
int BPF_PROG(fexit__chmod_common, struct path *path, unsigned int mode, int ret)
{
    SPARE_BEGIN(ctx, chmod_body, SPARE_CHMOD);
    return ret ? 0 : change__emit(MAY_BE_PREEMPTED, path, EBPF_CHANGE_PERMISSIONS);
}

SEC("ebpf.session/chmod_common")
int session__chmod_common(struct pt_regs *regs)
{
    return change__session(regs, EBPF_CHANGE_PERMISSIONS);
}

SPARES("ebpf.fexit/chown_common", fexit__chown_common, chown_body, SPARE_CHOWN)

SEC("ebpf.fexit/chown_common")
int BPF_PROG(fexit__chown_common, struct path *path, unsigned int user, unsigned int group, int ret)
{
    SPARE_BEGIN(ctx, chown_body, SPARE_CHOWN);
    return ret ? 0 : change__emit(MAY_BE_PREEMPTED, path, EBPF_CHANGE_OWNER);
}

SEC("ebpf.session/chown_common")
int session__chown_common(struct pt_regs *regs)
{
    return change__session(regs, EBPF_CHANGE_OWNER);
}

SPARES("ebpf.fexit/vfs_utimes", fexit__vfs_utimes, utimes_body, SPARE_UTIMES)

SEC("ebpf.fexit/vfs_utimes")
int BPF_PROG(fexit__vfs_utimes, struct path *path, void *times, int ret)
{
    SPARE_BEGIN(ctx, utimes_body, SPARE_UTIMES);
    return ret ? 0 : change__emit(MAY_BE_PREEMPTED, path, EBPF_CHANGE_TIMES);
}

SEC("ebpf.session/vfs_utimes")
int session__vfs_utimes(struct pt_regs *regs)
{
    return change__session(regs, EBPF_CHANGE_TIMES);
}

static __always_inline int xattr__emit(enum preemption preemption, u64 dentry, u64 name)
{
    EMIT_CHANGE(EBPF_CHANGE_XATTRS, e, s, preemption) {
        file_event__fill_by(s, dentry, mount__of_dentry(dentry));
        varlen__kernel_str(s, EBPF_TAG_XATTR_NAME, (void *)name, XATTR_NAME_SIZE);
    }
    return 0;
}

static __always_inline int xattr__changed(u64 dentry, u64 name)
{
    return dentry__is_changed_inside(dentry) ? 0 : xattr__emit(MAY_BE_PREEMPTED, dentry, name);
}

/*
 * Programs at both ends of a function whose second and third argument are dentry and name. The session stores one for
 * the end, the task the other: a call that an overlay makes within such a function is no event.
 */
static __always_inline int xattr__session(struct pt_regs *regs)
{
    struct task_state *state;

    if (kernel__session_is_return(regs)) {
        if ((int)SESSION_RET(regs))
            return 0;
        state = task_state__find();
        return xattr__emit(NOT_PREEMPTED, *kernel__session_cookie(regs), state ? state->xattr_name : 0);
    }
    u64 dentry = KPROBE_ARG_2(regs);

    if (dentry__is_changed_inside(dentry))
        return SESSION_OVER;
    state = task_state__get();
    if (state)
        state->xattr_name = KPROBE_ARG_3(regs);
    return session__begin(regs, dentry);
}

SPARES("ebpf.fexit/vfs_setxattr", fexit__vfs_setxattr, setxattr_body, SPARE_SETXATTR)

SEC("ebpf.fexit/vfs_setxattr")
int BPF_PROG(fexit__vfs_setxattr)
{
    SPARE_BEGIN(ctx, setxattr_body, SPARE_SETXATTR);
    if ((int)COMPAT_RET(ctx, vfs_setxattr))
        return 0;
    return xattr__changed(COMPAT_ARG_ADDRESS(ctx, vfs_setxattr, dentry, 0),
                          COMPAT_ARG_ADDRESS(ctx, vfs_setxattr, dentry, 1));
}

SEC("ebpf.session/vfs_setxattr")
int session__vfs_setxattr(struct pt_regs *regs)
{
    return xattr__session(regs);
}

SEC("ebpf.fexit/vfs_removexattr")
int BPF_PROG(fexit__vfs_removexattr)
{
    if ((int)COMPAT_ARG(ctx, vfs_removexattr, RET))
        return 0;
    return xattr__changed(COMPAT_ARG_ADDRESS(ctx, vfs_removexattr, dentry, 0),
                          COMPAT_ARG_ADDRESS(ctx, vfs_removexattr, dentry, 1));
}

SEC("ebpf.session/vfs_removexattr")
int session__vfs_removexattr(struct pt_regs *regs)
{
    return xattr__session(regs);
}

SEC("ebpf.fexit/vfs_set_acl")
int BPF_PROG(fexit__vfs_set_acl, void *idmap, struct dentry *dentry, const char *name, void *acl, int ret)
{
    return ret ? 0 : xattr__changed(ctx__address(ctx + 1), ctx__address(ctx + 2));
}

SEC("ebpf.session/vfs_set_acl")
int session__vfs_set_acl(struct pt_regs *regs)
{
    return xattr__session(regs);
}

SEC("ebpf.fexit/vfs_remove_acl")
int BPF_PROG(fexit__vfs_remove_acl, void *idmap, struct dentry *dentry, const char *name, int ret)
{
    return ret ? 0 : xattr__changed(ctx__address(ctx + 1), ctx__address(ctx + 2));
}

SEC("ebpf.session/vfs_remove_acl")
int session__vfs_remove_acl(struct pt_regs *regs)
{
    return xattr__session(regs);
}

static __always_inline int flags__end(enum preemption preemption, u64 dentry, int ret)
{
    if (ret || dentry__is_changed_inside(dentry))
        return 0;
    EMIT_CHANGE(EBPF_CHANGE_FLAGS, e, s, preemption)
        file_event__fill_by(s, dentry, mount__of_dentry(dentry));
    return 0;
}

SEC("ebpf.fexit/vfs_fileattr_set")
int BPF_PROG(fexit__vfs_fileattr_set, void *idmap, struct dentry *dentry, void *attributes, int ret)
{
    return flags__end(MAY_BE_PREEMPTED, ctx__address(ctx + 1), ret);
}

SEC("ebpf.session/vfs_fileattr_set")
int session__vfs_fileattr_set(struct pt_regs *regs)
{
    if (!kernel__session_is_return(regs))
        return session__begin(regs, KPROBE_ARG_2(regs));
    return flags__end(NOT_PREEMPTED, *kernel__session_cookie(regs), SESSION_RET(regs));
}

#define FS_IOC_SETFLAGS 0x40086602
#define FS_IOC32_SETFLAGS 0x40046602
#define FS_IOC_FSSETXATTR 0x401c5820

static __always_inline int ioctl__done(u64 fd, u32 command)
{
    if (command != FS_IOC_SETFLAGS && command != FS_IOC32_SETFLAGS && command != FS_IOC_FSSETXATTR)
        return 0;
    struct file *file = fd__file(fd);

    if (!file)
        return 0;
    EMIT_CHANGE(EBPF_CHANGE_FLAGS, e, s, MAY_BE_PREEMPTED)
        file_event__fill_file(s, file);
    return 0;
}

SEC("ebpf.fexit/" SYSCALL_ENTRY("ioctl"))
int BPF_PROG(fexit__sys_ioctl, struct pt_regs *regs, long ret)
{
    return ret ? 0 : ioctl__done(SYSCALL_ARG_64(regs, 1), SYSCALL_ARG_64(regs, 2));
}

SEC("ebpf.fexit/" COMPAT_ENTRY("ioctl"))
int BPF_PROG(fexit__compat_sys_ioctl, struct pt_regs *regs, long ret)
{
    return ret ? 0 : ioctl__done(SYSCALL_ARG_32(regs, 1), SYSCALL_ARG_32(regs, 2));
}

/* ----------------------------------------------------- ends of system calls */

/* Append the name of the attribute that a call has changed. */
static __always_inline void xattr__append_called(struct scratch *s, const struct syscall_end *call)
{
    struct ebpf_varlen *v = varlen__begin(s, EBPF_TAG_XATTR_NAME, SCRATCH_PATHS - XATTR_NAME_SIZE);

    if (!v)
        return;
    long n = bpf_probe_read_user_str(v + 1, XATTR_NAME_SIZE, (void *)syscall__arg(call, call->form.extra));

    varlen__end(s, v, n > 0 ? n - 1 : 0, 0, n > 0 ? 0 : EBPF_VARLEN_TRUNCATED);
}

/* A change of any kind, which a truncation by its path is too. */
SYSCALL_END(change, call)
{
    struct caller_path path = CALL_PATH(call);
    struct file *file = call->form.path && !caller_path__is_empty(&path) ? NULL : fd__file(path.dir);

    if (call->ret)
        return 0;
    EMIT_CHANGE(call->form.what, e, s, MAY_BE_PREEMPTED) {
        if (file)
            file_event__fill_file(s, file);
        else
            file_event__fill_called(s, &path, FILE_TYPE_UNKNOWN);
        if (call->form.what == EBPF_CHANGE_XATTRS)
            xattr__append_called(s, call);
    }
    return 0;
}

#define FICLONE 0x40049409
#define FICLONERANGE 0x4020940d

SYSCALL_END(ioctl, call)
{
    u64 fd = syscall__arg(call, 1);
    u32 command = syscall__arg(call, 2);
    struct file *file = !call->ret && (command == FICLONE || command == FICLONERANGE) ? fd__file(fd) : NULL;

    if (call->ret)
        return 0;
    subvolume__called(fd, command, syscall__arg(call, 3));
    if (!event__is_called(EBPF_EVENT_FILE_MODIFY))
        return 0;
    return file ? content__changed((u64)file, BYTES_UNKNOWN) : ioctl__done(fd, command);
}
