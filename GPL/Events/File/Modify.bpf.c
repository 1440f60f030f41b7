// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// clang-format off: it makes one paragraph of the table
/*
 * FILE_MODIFY, change_type CONTENT: bytes of a regular file were written, or it was made shorter or longer.
 *
 * Hooks: the ends of the functions that do it, for their values tell how much was written, and that something was. No
 * function is behind all of them: security_file_permission, which is before all, does not know what comes of it, and
 * what is behind (fsnotify) is inlined and leaves out what nobody watches.
 *
 *   write, pwrite                      vfs_write
 *   writev, pwritev, pwritev2          vfs_writev
 *   sendfile                           do_splice_direct (copy_file_range comes there too, on some kernels)
 *   splice, also by io_uring           do_splice
 *   copy_file_range, FICLONE           vfs_copy_file_range, vfs_clone_file_range
 *   fallocate, also by io_uring        vfs_fallocate
 *   truncate, ftruncate, O_TRUNC       vfs_truncate, do_truncate
 *   aio                                aio_write with aio_complete_rw
 *   io_uring                           kiocb_done, io_rw_fail
 *   a shared writable mapping          vm_mmap_pgoff, mprotect_fixup: when it is made, for stores are no calls
 *
 * A write that goes on by itself (aio or io_uring with O_DIRECT) is reported when it has begun, without `bytes`.
 *
 * File systems on top of others write to files of their own, which the kernel marks FMODE_NOACCOUNT.
 *
 * Tried: each call of the table, by 32-bit callers and io_uring in its three ways, on tmpfs, ext4 and overlayfs; writes
 * that stop half-way; mappings that are sealed or end in a hole. Misses: what the kernel writes for itself (core dumps,
 * accounting), ioctls of single file systems (XFS_IOC_EXCHANGE_RANGE, EXT4_IOC_SWAP_BOOT), and what is written to
 * the device below a file system.
 */
// clang-format on
#include "../Core/State.h"
#include "File.h"

#define BYTES_UNKNOWN (-1)

static __always_inline bool file__is_regular(struct file *file)
{
    return (file->f_inode->i_mode & S_IFMT) == S_IFREG && !(file->f_mode & FMODE_NOACCOUNT);
}

static __always_inline struct scratch *content__begin(s64 bytes, u16 flags)
{
    struct scratch *s = current__is_kernel_thread() ? NULL : EMIT_BEGIN(FILE_MODIFY, file_modify);

    if (!s)
        return NULL;
    struct ebpf_file_modify_event *e = (void *)s->data;

    e->hdr.flags = bytes == BYTES_UNKNOWN ? flags : flags | EBPF_MODIFY_F_BYTES;
    e->bytes = bytes == BYTES_UNKNOWN ? 0 : bytes;
    e->count = 0;
    return s;
}

static __always_inline void content__submit(struct scratch *s)
{
    struct ebpf_file_modify_event *e = (void *)s->data;

    e->change_type = EBPF_CHANGE_CONTENT;
    file_event__submit(s, EBPF_EVENT_FILE_MODIFY);
}

static __always_inline int content__emit(struct file *file, s64 bytes, u16 flags)
{
    if (!file__is_regular(file))
        return 0;
    struct scratch *s = content__begin(bytes, flags);

    if (!s)
        return 0;
    file_event__fill_seldom(s, &file->f_path, file->f_inode);
    content__submit(s);
    return 0;
}

/* The same for what is done all the time; see file_event__fill_seldom. */
static __always_inline int content__emit_often(struct file *file, s64 bytes)
{
    struct scratch *s = content__begin(bytes, 0);

    if (!s)
        return 0;
    file_event__fill_of(s, &file->f_path, file->f_inode);
    content__submit(s);
    return 0;
}

/* The same of a file at an address. */
static __always_inline int content__emit_at(u64 file_addr, s64 bytes)
{
    struct file *file = (void *)file_addr;
    struct inode *inode = BPF_CORE_READ(file, f_inode);

    if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG || BPF_CORE_READ(file, f_mode) & FMODE_NOACCOUNT)
        return 0;
    struct scratch *s = content__begin(bytes, 0);

    if (!s)
        return 0;
    s->job.dentry = (u64)BPF_CORE_READ(file, f_path.dentry);
    s->job.mnt = (u64)BPF_CORE_READ(file, f_path.mnt);
    file_event__fill(s, (u64)inode);
    content__submit(s);
    return 0;
}

struct spare_body_map write_body SEC(".maps");

SEC("ebpf.fexit/vfs_write")
int BPF_PROG(fexit__vfs_write, struct file *file, const char *buf, unsigned long count, s64 *pos, s64 ret)
{
    SPARE_BODY(ctx, write_body);
    if (ret <= 0 || !file__is_regular(file))
        return 0;
    spare__mark(SPARE_WRITE);
    return content__emit_often(file, ret);
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

SPARES("ebpf.fexit/vfs_writev", fexit__vfs_writev, writev_body, SPARE_WRITEV)

SEC("ebpf.fexit/vfs_writev")
int BPF_PROG(fexit__vfs_writev, struct file *file, void *vec, unsigned long vlen, s64 *pos, int flags, s64 ret)
{
    SPARE_BEGIN(ctx, writev_body, SPARE_WRITEV);
    return ret > 0 && file__is_regular(file) ? content__emit_often(file, ret) : 0;
}

#define COPYING 1 /* content_op.object in vfs_copy_file_range; in aio_write it is the kiocb */

static __always_inline void content_op__begin(u64 object, u64 file)
{
    struct task_state *state = task_state__get();

    if (!state) {
        if (!current__is_filtered())
            count__seen_and_lost(EBPF_EVENT_FILE_MODIFY, EBPF_REASON_STATE);
        return;
    }
    state->content_op.object = object;
    state->content_op.file = file;
}

/* End what the current task has begun with an object. Returns the file; 0 when it has not begun it. */
static __always_inline u64 content_op__end(u64 object)
{
    struct task_state *state = task_state__find();

    if (!state || state->content_op.object != object)
        return 0;
    state->content_op.object = 0;
    return state->content_op.file;
}

SEC("ebpf.fexit/do_splice")
int BPF_PROG(fexit__do_splice, struct file *in, s64 *off_in, struct file *out, s64 *off_out, unsigned long len,
             unsigned int flags, s64 ret)
{
    return ret > 0 ? content__emit(out, ret, 0) : 0;
}

/*
 * Whether a mount is the kernel's own, as that of an overlay's layer: its namespace is MNT_NS_INTERNAL, an error. One
 * that was unmounted while it is in use has none (NULL), and what processes do there is theirs.
 */
static __always_inline bool mount__is_internal(u64 vfsmount)
{
    struct mount *mnt = mount__of(vfsmount);
    u64 ns = (u64)BPF_CORE_READ(mnt, mnt_ns);

    /* mounts of memfds and the like are the kernel's as well, but their file system is nobody else's */
    return ns > (u64)-MAX_ERRNO && !(BPF_CORE_READ(mnt, mnt.mnt_sb, s_flags) & SB_KERNMOUNT);
}

SEC("ebpf.fexit/do_splice_direct")
int BPF_PROG(fexit__do_splice_direct, struct file *in, s64 *pos, struct file *out, s64 *opos, unsigned long len,
             unsigned int flags, s64 ret)
{
    if (ret <= 0 || !file__is_regular(out) || content_op__end(COPYING) == (u64)out)
        return 0;
    /* an overlay's copy of a file that is changed, which 5.10 does not mark */
    if (mount__is_internal((u64)BPF_CORE_READ(out, f_path.mnt)))
        return 0;
    return content__emit(out, ret, 0);
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
    return ret > 0 ? content__emit(out, ret, 0) : 0;
}

SEC("ebpf.fexit/vfs_clone_file_range")
int BPF_PROG(fexit__vfs_clone_file_range, struct file *in, s64 pos_in, struct file *out, s64 pos_out, s64 len,
             unsigned int flags, s64 ret)
{
    return ret > 0 ? content__emit(out, ret, 0) : 0;
}

SEC("ebpf.fexit/vfs_fallocate")
int BPF_PROG(fexit__vfs_fallocate, struct file *file, int mode, s64 offset, s64 len, int ret)
{
    return ret ? 0 : content__emit(file, BYTES_UNKNOWN, 0);
}

/* By a file: ftruncate and O_TRUNC. By a path it comes from vfs_truncate, which has the mount. */
SPARES("ebpf.fexit/do_truncate", fexit__do_truncate, truncate_body, SPARE_TRUNCATE)

SEC("ebpf.fexit/do_truncate")
int BPF_PROG(fexit__do_truncate)
{
    SPARE_BEGIN(ctx, truncate_body, SPARE_TRUNCATE);
    struct file *file = (void *)COMPAT_IDMAP_ARG(ctx, 3);

    return file && !(int)COMPAT_IDMAP_ARG(ctx, 4) ? content__emit(file, BYTES_UNKNOWN, 0) : 0;
}

SEC("ebpf.fexit/vfs_truncate")
int BPF_PROG(fexit__vfs_truncate, struct path *path, s64 len, int ret)
{
    struct scratch *s = ret ? NULL : content__begin(BYTES_UNKNOWN, 0);

    if (!s)
        return 0;
    file_event__fill_seldom(s, path, path->dentry->d_inode);
    content__submit(s);
    return 0;
}

/* A write that is done at once completes within aio_write, one that goes on is still there at its end. */
SEC("ebpf.fentry/aio_write")
int BPF_PROG(fentry__aio_write, struct kiocb *kiocb)
{
    content_op__begin(ctx__address(ctx), (u64)BPF_CORE_READ(kiocb, ki_filp));
    return 0;
}

SEC("ebpf.fentry/aio_complete_rw")
int BPF_PROG(fentry__aio_complete_rw, struct kiocb *kiocb, s64 res)
{
    u64 file = content_op__end(ctx__address(ctx));

    return file && res > 0 ? content__emit_at(file, res) : 0;
}

SEC("ebpf.fexit/aio_write")
int BPF_PROG(fexit__aio_write, struct kiocb *kiocb, void *iocb, bool vectored, bool compat, int ret)
{
    u64 file = content_op__end(ctx__address(ctx));

    return file && !ret ? content__emit_at(file, BYTES_UNKNOWN) : 0;
}

static __always_inline bool io_uring__is_write(u8 opcode)
{
    if (bpf_core_enum_value_exists(enum io_uring_op, IORING_OP_WRITEV_FIXED) &&
        opcode == bpf_core_enum_value(enum io_uring_op, IORING_OP_WRITEV_FIXED))
        return true;
    return opcode == IORING_WRITEV || opcode == IORING_WRITE_FIXED || opcode == IORING_WRITE;
}

/* What a write has written before it stopped half-way: that is kept with the request, and not said again at its end. */
static __always_inline s64 io_uring__bytes_before(struct io_kiocb *req)
{
    struct io_async_rw *io = BPF_CORE_READ(req, async_data);

    return io ? BPF_CORE_READ(io, bytes_done) : 0;
}

static __always_inline int io_uring__emit(struct io_kiocb *req, s64 bytes)
{
    return content__emit_at((u64)BPF_CORE_READ(req, file), bytes);
}

/* The request's own kiocb is what it begins with, so that 5.10, which passes that, passes the same address. */
SEC("ebpf.fentry/kiocb_done")
int BPF_PROG(fentry__kiocb_done, void *request, s64 ret)
{
    struct io_kiocb *req = (void *)ctx__address(ctx);

    if (!io_uring__is_write(BPF_CORE_READ(req, opcode)))
        return 0;
    if (ret == -EAGAIN) /* it will be tried once more */
        return 0;
    if (ret == -EIOCBQUEUED)
        return io_uring__emit(req, BYTES_UNKNOWN);
    s64 bytes = io_uring__bytes_before(req) + (ret > 0 ? ret : 0);

    return bytes > 0 ? io_uring__emit(req, bytes) : 0;
}

/* A write that has stopped half-way is not gone on with: it ends with what it has written. */
SEC("ebpf.fentry/io_rw_fail")
int BPF_PROG(fentry__io_rw_fail)
{
    struct io_kiocb *req = (void *)ctx__address(ctx);
    s64 bytes = io_uring__is_write(BPF_CORE_READ(req, opcode)) ? io_uring__bytes_before(req) : 0;

    return bytes > 0 ? io_uring__emit(req, bytes) : 0;
}

SEC("ebpf.fexit/vm_mmap_pgoff")
int BPF_PROG(fexit__vm_mmap_pgoff, struct file *file, unsigned long addr, unsigned long len, unsigned long prot,
             unsigned long flag, unsigned long pgoff, unsigned long ret)
{
    unsigned long type = flag & MAP_TYPE;

    if (!file || !(prot & PROT_WRITE) || (type != MAP_SHARED && type != MAP_SHARED_VALIDATE) || compat__is_error(ret) ||
        !(file->f_mode & FMODE_WRITE))
        return 0;
    return content__emit(file, BYTES_UNKNOWN, EBPF_MODIFY_F_MAPPING);
}

/*
 * A shared mapping of a file is to be made writable. The hook is the last that knows that it was not: the file is
 * noted, and the end of mprotect_fixup, which comes next, says whether it was done. A sealed mapping is refused in
 * between.
 */
static __always_inline int mprotect__begin(struct vm_area_struct *vma, unsigned long prot)
{
    if (!(prot & PROT_WRITE) || !(vma->vm_flags & VM_SHARED) || !vma->vm_file)
        return 0;
    struct task_state *state = task_state__get();

    if (state && vma->vm_flags & VM_WRITE)
        state->mprotect_file = 0;
    else if (state)
        *(struct file *volatile *)&state->mprotect_file = vma->vm_file;
    else if (!current__is_filtered())
        count__seen_and_lost(EBPF_EVENT_FILE_MODIFY, EBPF_REASON_STATE);
    return 0;
}

SEC("ebpf.lsm/file_mprotect")
int BPF_PROG(lsm__file_mprotect, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot)
{
    return mprotect__begin(vma, prot);
}

SEC("ebpf.fexit/security_file_mprotect")
int BPF_PROG(fexit__security_file_mprotect, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot,
             int ret)
{
    return ret ? 0 : mprotect__begin(vma, prot);
}

/* What is mapped of a file of an overlay is the file below it. */
static __always_inline int mapping__emit_at(u64 file)
{
    struct path *path = compat__user_path((void *)file);
    struct inode *inode = BPF_CORE_READ(path, dentry, d_inode);

    if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG)
        return 0;
    struct scratch *s = content__begin(BYTES_UNKNOWN, EBPF_MODIFY_F_MAPPING);

    if (!s)
        return 0;
    s->job.dentry = (u64)BPF_CORE_READ(path, dentry);
    s->job.mnt = (u64)BPF_CORE_READ(path, mnt);
    file_event__fill(s, (u64)inode);
    content__submit(s);
    return 0;
}

SEC("ebpf.fexit/mprotect_fixup")
int BPF_PROG(fexit__mprotect_fixup)
{
    u64 flags = compat__last_arg(ctx, 5);

    if ((flags & (VM_SHARED | VM_WRITE)) != (VM_SHARED | VM_WRITE))
        return 0;
    struct task_state *state = task_state__find();
    u64 file = state ? state->mprotect_file : 0;

    if (!file)
        return 0;
    state->mprotect_file = 0;
    return (int)compat__func_ret(ctx, 5) ? 0 : mapping__emit_at(file);
}
