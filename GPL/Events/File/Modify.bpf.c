// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// clang-format off: it would join the lines of the table
/*
 * FILE_MODIFY, change_type CONTENT: bytes of a regular file were written, or its size was changed.
 *
 * Hooks: the ends of these functions, whose values show how much was written, and that something was. No single
 * function is behind all of them: security_file_permission, which comes before, does not know the outcome, and the
 * common function behind them (fsnotify) is inlined and ignores files that nobody watches.
 *
 *   write, pwrite                      vfs_write
 *   writev, pwritev, pwritev2          vfs_writev
 *   sendfile                           do_splice_direct (on some kernels copy_file_range calls it too)
 *   splice, also by io_uring           do_splice
 *   copy_file_range, FICLONE           vfs_copy_file_range, vfs_clone_file_range
 *   fallocate, also by io_uring        vfs_fallocate
 *   truncate, ftruncate, O_TRUNC       vfs_truncate, do_truncate
 *   aio, io_uring                      see ModifyAsync.bpf.c
 *   a shared writable mapping          see Mapping.bpf.c
 *
 * Where the kernel preempts BPF programs, sessions (Core/Kprobe.h) are used.
 *
 * Stacked file systems write to files of their own, which the kernel marks FMODE_NOACCOUNT.
 *
 * Tried: each call of the table, by 32-bit callers, on tmpfs, ext4 and overlayfs. Misses: the kernel's own writes (core
 * dumps, accounting), ioctls of single file systems (XFS_IOC_EXCHANGE_RANGE, EXT4_IOC_SWAP_BOOT), and writes to the
 * device below a file system.
 */
// clang-format on
#include "../Core/Udp.h"
#include "Content.h"

struct spare_body_map write_body SEC(".maps");

SEC("ebpf.fexit/vfs_write")
int BPF_PROG(fexit__vfs_write, struct file *file, const char *buf, unsigned long count, s64 *pos, s64 ret)
{
    SPARE_BODY(ctx, write_body);
    if (ret <= 0 || !file__is_regular(file))
        return 0;
    spare__mark(SPARE_WRITE);
    return content__emit_often(MAY_BE_PREEMPTED, file, ret);
}

#define WRITE_SPARE(n)                                                                                                 \
    SEC("ebpf.fexit/vfs_write")                                                                                        \
    int BPF_PROG(fexit__vfs_write_spare##n, struct file *file, const char *buf, unsigned long count, s64 *pos,         \
                 s64 ret)                                                                                              \
    {                                                                                                                  \
        if (ret <= 0 || !file__is_regular(file))                                                                       \
            return 0;                                                                                                  \
        return spare__run(ctx, &write_body, SPARE_WRITE, n, 2);                                                        \
    }

WRITE_SPARE(1)
WRITE_SPARE(2)

/* Programs at the end of a function that writes to its first argument. */
static __always_inline int write__session(struct pt_regs *regs)
{
    if (!kernel__session_is_return(regs))
        return session__begin(regs, file__is_regular(KPROBE_ARG(regs, 1, file)) ? KPROBE_ARG_1(regs) : 0);
    s64 ret = SESSION_RET(regs);

    return ret > 0 ? content__emit_often(NOT_PREEMPTED, SESSION_COOKIE(regs, file), ret) : 0;
}

SEC("ebpf.session/vfs_write")
int session__vfs_write(struct pt_regs *regs)
{
    return write__session(regs);
}

SEC("ebpf.session/vfs_writev")
int session__vfs_writev(struct pt_regs *regs)
{
    return write__session(regs);
}

SPARES("ebpf.fexit/vfs_writev", fexit__vfs_writev, writev_body, SPARE_WRITEV)

SEC("ebpf.fexit/vfs_writev")
int BPF_PROG(fexit__vfs_writev, struct file *file, void *vec, unsigned long vlen, s64 *pos, int flags, s64 ret)
{
    SPARE_BEGIN(ctx, writev_body, SPARE_WRITEV);
    return ret > 0 && file__is_regular(file) ? content__emit_often(MAY_BE_PREEMPTED, file, ret) : 0;
}

/* Return whether a call is one that leads to vfs_writev. */
static __always_inline bool call__writes_vector(const struct syscall_begin *call)
{
    if (call->is_32)
        return call->nr == NR_32_writev || call->nr == NR_32_pwritev || call->nr == NR_32_pwritev2;
    return call->nr == NR_writev || call->nr == NR_pwritev || call->nr == NR_pwritev2 || call->nr == NR_writev_x32 ||
           call->nr == NR_pwritev_x32 || call->nr == NR_pwritev2_x32;
}

/* Likewise to vfs_write. */
static __always_inline bool call__writes_buffer(const struct syscall_begin *call)
{
    if (call->is_32)
        return call->nr == NR_32_write || call->nr == NR_32_pwrite64;
    return call->nr == NR_write || call->nr == NR_pwrite64;
}

/*
 * Where vfs_write or vfs_writev is inlined or renamed. A write is permitted before it is begun, so whether it succeeds
 * is not known. A function of the system call would show that, but not the file without its descriptor, which another
 * thread can replace.
 */
SEC("ebpf.fentry/security_file_permission")
int BPF_PROG(fentry__security_file_permission_write, struct file *file, int mask)
{
    struct syscall_begin call;

    if (!(mask & MAY_WRITE) || !file__is_regular(file))
        return 0;
    syscall__read(&call);
    return call__writes_buffer(&call) ? content__emit_often(MAY_BE_PREEMPTED, file, BYTES_UNKNOWN) : 0;
}

SEC("ebpf.fentry/security_file_permission")
int BPF_PROG(fentry__security_file_permission_writev, struct file *file, int mask)
{
    struct syscall_begin call;

    if (!(mask & MAY_WRITE) || !file__is_regular(file))
        return 0;
    syscall__read(&call);
    return call__writes_vector(&call) ? content__emit(MAY_BE_PREEMPTED, file, BYTES_UNKNOWN) : 0;
}

SEC("ebpf.fexit/do_splice")
int BPF_PROG(fexit__do_splice, struct file *in, s64 *off_in, struct file *out, s64 *off_out, unsigned long len,
             unsigned int flags, s64 ret)
{
    return ret > 0 ? content__emit(MAY_BE_PREEMPTED, out, ret) : 0;
}

/* Programs at the end of a function that writes to its third argument. */
static __always_inline int splice__session(struct pt_regs *regs)
{
    if (!kernel__session_is_return(regs))
        return session__begin(regs, KPROBE_ARG_3(regs));
    s64 ret = SESSION_RET(regs);

    return ret > 0 ? content__emit(NOT_PREEMPTED, SESSION_COOKIE(regs, file), ret) : 0;
}

SEC("ebpf.session/do_splice")
int session__do_splice(struct pt_regs *regs)
{
    return splice__session(regs);
}

/*
 * Return whether a mount is the kernel's own, as that of an overlay's layer: its namespace is MNT_NS_INTERNAL, an error
 * pointer. A mount that was unmounted while in use has no namespace (NULL), but belongs to the processes that use it.
 */
static __always_inline bool mount__is_internal(u64 vfsmount)
{
    struct mount *mnt = mount__of(vfsmount);
    u64 ns = (u64)BPF_CORE_READ(mnt, mnt_ns);

    /* mounts of memfds and the like are the kernel's as well, but no other file system uses theirs */
    return ns > (u64)-MAX_ERRNO && !(BPF_CORE_READ(mnt, mnt.mnt_sb, s_flags) & SB_KERNMOUNT);
}

static __always_inline int sendfile__end(enum preemption preemption, struct file *out, s64 ret)
{
    if (ret <= 0 || !file__is_regular(out) || content_op__end(COPYING) == (u64)out)
        return 0;
    /* an overlay's copy of a file that is changed, which 5.10 does not mark */
    if (mount__is_internal((u64)BPF_CORE_READ(out, f_path.mnt)))
        return 0;
    return content__emit(preemption, out, ret);
}

SEC("ebpf.fexit/do_splice_direct")
int BPF_PROG(fexit__do_splice_direct, struct file *in, s64 *pos, struct file *out, s64 *opos, unsigned long len,
             unsigned int flags, s64 ret)
{
    return sendfile__end(MAY_BE_PREEMPTED, out, ret);
}

SEC("ebpf.session/do_splice_direct")
int session__do_splice_direct(struct pt_regs *regs)
{
    if (!kernel__session_is_return(regs))
        return session__begin(regs, KPROBE_ARG_3(regs));
    return sendfile__end(NOT_PREEMPTED, SESSION_COOKIE(regs, file), SESSION_RET(regs));
}

SEC("ebpf.fentry/vfs_copy_file_range")
int BPF_PROG(fentry__vfs_copy_file_range, struct file *in, s64 pos_in, struct file *out)
{
    if (file__is_regular(out))
        content_op__begin(COPYING, ctx__address(ctx + 2));
    return 0;
}

SEC("ebpf.fexit/vfs_copy_file_range")
int BPF_PROG(fexit__vfs_copy_file_range, struct file *in, s64 pos_in, struct file *out, s64 pos_out, unsigned long len,
             unsigned int flags, s64 ret)
{
    if (!file__is_regular(out))
        return 0;
    content_op__end(COPYING);
    return ret > 0 ? content__emit(MAY_BE_PREEMPTED, out, ret) : 0;
}

SEC("ebpf.session/vfs_copy_file_range")
int session__vfs_copy_file_range(struct pt_regs *regs)
{
    if (kernel__session_is_return(regs)) {
        content_op__end(COPYING);
        return splice__session(regs);
    }
    if (!file__is_regular(KPROBE_ARG(regs, 3, file)))
        return SESSION_OVER;
    content_op__begin(COPYING, KPROBE_ARG_3(regs));
    return splice__session(regs);
}

SEC("ebpf.session/vfs_clone_file_range")
int session__vfs_clone_file_range(struct pt_regs *regs)
{
    return splice__session(regs);
}

SEC("ebpf.fexit/vfs_clone_file_range")
int BPF_PROG(fexit__vfs_clone_file_range, struct file *in, s64 pos_in, struct file *out, s64 pos_out, s64 len,
             unsigned int flags, s64 ret)
{
    return ret > 0 ? content__emit(MAY_BE_PREEMPTED, out, ret) : 0;
}

SEC("ebpf.fexit/vfs_fallocate")
int BPF_PROG(fexit__vfs_fallocate, struct file *file, int mode, s64 offset, s64 len, int ret)
{
    return ret ? 0 : content__emit(MAY_BE_PREEMPTED, file, BYTES_UNKNOWN);
}

/* Programs at the end of a function whose value is 0: the number of bytes written is not known. */
static __always_inline int change__session(struct pt_regs *regs, u64 file)
{
    if (!kernel__session_is_return(regs))
        return session__begin(regs, file);
    if ((int)SESSION_RET(regs))
        return 0;
    return content__emit(NOT_PREEMPTED, SESSION_COOKIE(regs, file), BYTES_UNKNOWN);
}

SEC("ebpf.session/vfs_fallocate")
int session__vfs_fallocate(struct pt_regs *regs)
{
    return change__session(regs, KPROBE_ARG_1(regs));
}

/* Called with a file for ftruncate and O_TRUNC; with a path it is called by vfs_truncate, which has the mount. */
SPARES("ebpf.fexit/do_truncate", fexit__do_truncate, truncate_body, SPARE_TRUNCATE)

SEC("ebpf.fexit/do_truncate")
int BPF_PROG(fexit__do_truncate)
{
    SPARE_BEGIN(ctx, truncate_body, SPARE_TRUNCATE);
    struct file *file = (void *)COMPAT_ARG(ctx, do_truncate, file);

    return file && !(int)COMPAT_ARG(ctx, do_truncate, RET) ? content__emit(MAY_BE_PREEMPTED, file, BYTES_UNKNOWN) : 0;
}

SEC("ebpf.session/do_truncate")
int session__do_truncate(struct pt_regs *regs)
{
    return change__session(regs, KPROBE_ARG_5(regs));
}

static __always_inline int truncate__end(enum preemption preemption, struct path *path, int ret)
{
    if (ret)
        return 0;
    EMIT_CHANGE(EBPF_CHANGE_CONTENT, e, s, preemption)
        file_event__fill_seldom(s, path, path->dentry->d_inode);
    return 0;
}

SEC("ebpf.fexit/vfs_truncate")
int BPF_PROG(fexit__vfs_truncate, struct path *path, s64 len, int ret)
{
    return truncate__end(MAY_BE_PREEMPTED, path, ret);
}

SEC("ebpf.session/vfs_truncate")
int session__vfs_truncate(struct pt_regs *regs)
{
    if (!kernel__session_is_return(regs))
        return session__begin(regs, KPROBE_ARG_1(regs));
    return truncate__end(NOT_PREEMPTED, SESSION_COOKIE(regs, path), SESSION_RET(regs));
}

/* ----------------------------------------------------- ends of system calls */

int content__changed(u64 file, s64 bytes)
{
    return content__emit_at(MAY_BE_PREEMPTED, file, bytes);
}

/* Return how many bytes a call has changed: a number, BYTES_UNKNOWN or BYTES_OF_MAPPING; 0 if it changed nothing. */
static __always_inline s64 call__content_bytes(const struct syscall_end *call)
{
    if (call->form.what == COPIES_BYTES && call->ret == -EFAULT)
        return BYTES_UNKNOWN;
    if (ret__is_error(call->ret))
        return 0;
    if (call->form.what == MAPS)
        return mapping__is_to_write(syscall__arg(call, 3), syscall__arg(call, 4)) ? BYTES_OF_MAPPING : 0;
    return call->form.what & RETURNS_BYTES ? call->ret : BYTES_UNKNOWN;
}

/* A datagram that was received into a pipe counts as lost. */
static __always_inline void splice__took_datagram(struct file *from)
{
    if (from && file__udp_sock(from))
        count__unreadable(EBPF_EVENT_NETWORK_DATAGRAM_FLOW);
}

SYSCALL_END(content, call)
{
    s64 bytes = call__content_bytes(call);
    u64 fd = syscall__arg(call, call->form.fd);
    struct file *file = bytes ? fd__file(fd) : NULL;

    if (bytes > 0 && call->form.extra)
        splice__took_datagram(fd__file(syscall__arg(call, call->form.extra)));
    if (!file || (bytes > 0 && call__sends_datagram(call, fd, file)) || !event__is_called(EBPF_EVENT_FILE_MODIFY) ||
        !(BPF_CORE_READ(file, f_mode) & FMODE_WRITE))
        return 0;
    return content__changed((u64)file, bytes);
}

URING_END(content, end)
{
    struct io_kiocb *req = end->req;

    if (end->res < 0)
        return 0;
    if (compat__is_writev_fixed(end->opcode))
        return end->res ? content__changed((u64)BPF_CORE_READ(req, file), end->res) : 0;
    switch (end->opcode) {
    case IORING_OP_WRITE:
    case IORING_OP_WRITE_FIXED:
    case IORING_OP_WRITEV:
    case IORING_OP_SPLICE:
        return end->res ? content__changed((u64)BPF_CORE_READ(req, file), end->res) : 0;
    case IORING_OP_FALLOCATE:
    case IORING_OP_FTRUNCATE:
        return content__changed((u64)BPF_CORE_READ(req, file), BYTES_UNKNOWN);
    }
    return 0;
}
