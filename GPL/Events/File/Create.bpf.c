// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * FILE_CREATE: a directory, device, pipe, socket or symbolic link was created, or a file without a name (O_TMPFILE) got
 * one. FILE_LINK: a hard link was created. For files that an open creates, see Open.bpf.c.
 *
 * Hooks: the ends of vfs_mkdir, vfs_mknod, vfs_create (a regular file by mknod), vfs_symlink and vfs_link, which system
 * calls, the bind of a unix socket and io_uring share, and whose values show success. The mount is noted at the LSM's
 * path hooks; see Operation.h. done_path_create, which has both, is inlined into its callers. On kernels that preempt
 * BPF programs, a kprobe reports the creation a moment earlier; see kprobe__security_d_instantiate.
 *
 * Tried: every call of the families, by 32-bit callers and io_uring, on tmpfs, ext4 and overlayfs. Misses: new
 * directories that have no inode yet at this point, as on some network file systems, and new cgroups.
 */
#include "../Core/Memfd.h"
#include "Operation.h"
#include "Queue.h"
#include "Subvolume.h"

static __always_inline u64 current__cred(void)
{
    u64 cred = 0;

    WITH_CURRENT(task, typed, cred = (u64)KREAD(typed, task, cred));
    return cred;
}

/* The flags of a noted creation are its event type and DIR_OP_HASHED. */
static __always_inline enum ebpf_event_type creation__type(const struct dir_op *op)
{
    return op->flags & (EMIT_TYPES_MAX - 1);
}

/*
 * Return which event a link is, by the number of the file's names before it. If the file has none, and its dentry is in
 * no directory's table, it was opened without a name (O_TMPFILE). Afterwards the number says less: two threads may link
 * the file at one time.
 */
static __always_inline enum ebpf_event_type link__type(struct dentry *old, u32 names)
{
    return names || old->d_hash.pprev ? EBPF_EVENT_FILE_LINK : EBPF_EVENT_FILE_CREATE;
}

static __always_inline u32 dentry__names(struct dentry *dentry)
{
    struct inode *inode = dentry->d_inode;

    return inode ? inode->i_nlink : 1; /* the verifier wants the check */
}

/*
 * Note the creation of a dentry. `other` is, for a link, the dentry of the file, for a symbolic link the target. If the
 * creation is reported when it is done (kprobe__security_d_instantiate), a creation that the selection leaves out is
 * noted too, so that it can be counted: that function is also called to fill a dentry for other reasons.
 */
static __always_inline int creation__note(struct vfsmount *mnt, struct dentry *dentry, enum dir_op_kind kind,
                                          const void *other, bool is_left_out)
{
    if (is_left_out && !emit_constants.kprobes)
        return 0;
    struct dentry *linked = (void *)other;
    u32 type = kind == DIR_OP_LINK ? link__type(linked, dentry__names(linked)) : EBPF_EVENT_FILE_CREATE;
    u32 flags = type | (dentry->d_hash.pprev ? DIR_OP_HASHED : 0);
    struct dir_op *op = dir_op__note(mnt, dentry, is_left_out ? DIR_OP_LEFT_OUT : kind, flags);

    if (!op) {
        if (!is_left_out && event__is_wanted(type))
            count__seen_and_lost(type, EBPF_REASON_STATE);
        return 0;
    }
    if (emit_constants.kprobes) {
        STORE_POINTER(op->other, other);
        op->cred = current__cred();
    }
    return 0;
}

static __always_inline int creation__begin(struct vfsmount *mnt, struct dentry *dentry, enum dir_op_kind kind,
                                           const void *other)
{
    return emit_runtime.live ? creation__note(mnt, dentry, kind, other, current__is_filtered()) : 0;
}

PATH_HOOK(mkdir, (struct path * dir, struct dentry *dentry), DIR_AND_DENTRY,
          creation__begin(dir->mnt, dentry, DIR_OP_CREATE, NULL))
PATH_HOOK(symlink, (struct path * dir, struct dentry *dentry, const char *target),
          (KPROBE_ARG(regs, 1, path), KPROBE_ARG(regs, 2, dentry), (const char *)KPROBE_ARG_3(regs)),
          creation__begin(dir->mnt, dentry, DIR_OP_CREATE, target))

PATH_HOOK(link, (struct dentry * old, struct path *dir, struct dentry *dentry),
          (KPROBE_ARG(regs, 1, dentry), KPROBE_ARG(regs, 2, path), KPROBE_ARG(regs, 3, dentry)),
          creation__begin(dir->mnt, dentry, DIR_OP_LINK, old))

/* Note the creation by an open, whose end decides whether the selection leaves it out. */
static __always_inline int opening__note(struct path *dir, struct dentry *dentry, bool is_left_out)
{
    if (!dir_op__note(dir->mnt, dentry, DIR_OP_OPEN, 0) && !is_left_out && event__is_wanted(EBPF_EVENT_FILE_CREATE))
        count__seen_and_lost(EBPF_EVENT_FILE_CREATE, EBPF_REASON_STATE);
    return 0;
}

/* The flags are read twice: kept beside the selection, they would make the verifier go through that twice. */
static __always_inline int mknod__begin(struct path *dir, struct dentry *dentry)
{
    u32 flags = current__open_flags();

    if ((flags && !(flags & LOOKUP_DIRECTORY)) || !emit_runtime.live)
        return 0;
    bool is_left_out = current__is_filtered();

    return current__open_flags() ? opening__note(dir, dentry, is_left_out)
                                 : creation__note(dir->mnt, dentry, DIR_OP_CREATE, NULL, is_left_out);
}

PATH_HOOK(mknod, (struct path * dir, struct dentry *dentry), DIR_AND_DENTRY, mknod__begin(dir, dentry))

/*
 * Replace the credentials in the record, which are the current task's, by those of the process that created the file:
 * an overlay fills its dentries while it acts with the credentials of the process that mounted it. The noted
 * credentials are held until the system call ends.
 */
static __always_inline void creator__correct(struct ebpf_cred_info *creds, const struct dir_op *op)
{
    if (emit_constants.kprobes && op->cred && op->cred != current__cred())
        cred_info__fill_of(creds, false, (struct cred *)op->cred);
}

/* Report a dentry that is in a directory now; `target` is the target of a symbolic link. */
static __always_inline int created__emit(enum preemption preemption, struct dentry *dentry, struct inode *inode,
                                         const struct dir_op *op, const char *target)
{
    EMIT_OPERATION(FILE_CREATE, e, s, preemption) {
        path__append_existing(s, EBPF_TAG_PATH, dir_op__start(file_event__fill_root(s), op, dentry));
        if (!file_event__fill_info(s, inode))
            return 0;
        creator__correct(&e->creds, op);
        if (target)
            varlen__kernel_str(s, EBPF_TAG_SYMLINK_TARGET, target, EBPF_PATH_MAX);
    }
    return 0;
}

static __always_inline int created__end(enum spare_hook hook, struct dentry *dentry, u64 ret, const char *target)
{
    struct inode *inode = dentry->d_inode;
    struct dir_op *op =
        dir_op__end(MAY_BE_PREEMPTED, EBPF_EVENT_FILE_CREATE, hook, dentry, ret__is_error(ret) || !inode);

    return op ? created__emit(MAY_BE_PREEMPTED, dentry, inode, op, target) : 0;
}

#define NEW_DENTRY(function) ((struct dentry *)COMPAT_ARG(ctx, function, dentry))

struct spare_body_map mkdir_body SEC(".maps");

SEC("ebpf.fexit/vfs_mkdir")
int BPF_PROG(fexit__vfs_mkdir)
{
    SPARE_BODY(ctx, mkdir_body);
    return created__end(SPARE_MKDIR, NEW_DENTRY(vfs_mkdir), COMPAT_RET(ctx, vfs_mkdir), NULL);
}

DIR_OP_SPARES("ebpf.fexit/vfs_mkdir", fexit__vfs_mkdir, mkdir_body, SPARE_MKDIR, NEW_DENTRY(vfs_mkdir))

struct spare_body_map mknod_body SEC(".maps");

SEC("ebpf.fexit/vfs_mknod")
int BPF_PROG(fexit__vfs_mknod)
{
    SPARE_BODY(ctx, mknod_body);
    return created__end(SPARE_MKNOD, NEW_DENTRY(vfs_mknod), COMPAT_RET(ctx, vfs_mknod), NULL);
}

DIR_OP_SPARES("ebpf.fexit/vfs_mknod", fexit__vfs_mknod, mknod_body, SPARE_MKNOD, NEW_DENTRY(vfs_mknod))

struct spare_body_map create_body SEC(".maps");

SEC("ebpf.fexit/vfs_create")
int BPF_PROG(fexit__vfs_create)
{
    SPARE_BODY(ctx, create_body);
    return created__end(SPARE_CREATE, NEW_DENTRY(vfs_create), COMPAT_RET(ctx, vfs_create), NULL);
}

DIR_OP_SPARES("ebpf.fexit/vfs_create", fexit__vfs_create, create_body, SPARE_CREATE, NEW_DENTRY(vfs_create))

struct spare_body_map symlink_body SEC(".maps");

SEC("ebpf.fexit/vfs_symlink")
int BPF_PROG(fexit__vfs_symlink)
{
    SPARE_BODY(ctx, symlink_body);
    return created__end(SPARE_SYMLINK, NEW_DENTRY(vfs_symlink), COMPAT_RET(ctx, vfs_symlink),
                        (void *)COMPAT_ARG_ADDRESS(ctx, vfs_symlink, dentry, 1));
}

DIR_OP_SPARES("ebpf.fexit/vfs_symlink", fexit__vfs_symlink, symlink_body, SPARE_SYMLINK, NEW_DENTRY(vfs_symlink))

static __always_inline int linked__emit(enum preemption preemption, struct dentry *old, struct dentry *new,
                                        struct inode *inode, const struct dir_op *op)
{
    EMIT_OPERATION(FILE_LINK, e, s, preemption) {
        const struct path_root *root = file_actor__fill(s);

        creator__correct(&e->creds, op);
        dir_op__fill_both(s, root, op, old, new, inode);
    }
    return 0;
}

struct spare_body_map link_body SEC(".maps");

/* The old dentry is the first argument on every kernel. */
SEC("ebpf.fexit/vfs_link")
int BPF_PROG(fexit__vfs_link, struct dentry *old)
{
    SPARE_BODY(ctx, link_body);
    struct dentry *new = NEW_DENTRY(vfs_link);
    struct inode *inode = old->d_inode;
    /* a link that the selection leaves out is not noted, and is one name by now */
    struct dir_op *op = dir_op__end(MAY_BE_PREEMPTED, link__type(old, inode->i_nlink - 1), SPARE_LINK, new,
                                    (int)COMPAT_RET(ctx, vfs_link));

    if (!op)
        return 0;
    return creation__type(op) == EBPF_EVENT_FILE_LINK ? linked__emit(MAY_BE_PREEMPTED, old, new, inode, op)
                                                      : created__emit(MAY_BE_PREEMPTED, new, inode, op, NULL);
}

DIR_OP_SPARES("ebpf.fexit/vfs_link", fexit__vfs_link, link_body, SPARE_LINK, NEW_DENTRY(vfs_link))

/*
 * Return whether the name at an address has the prefix of a memfd's. It takes one load, because every new socket passes
 * here.
 */
static __always_inline bool name__begins_as_memfd(u64 name)
{
    u32 at = compat__short_name_offset();
    u64 word = READ_ONCE(*(u64 *)((void *)UNTRUSTED(dentry, (void *)(name - at)) + at));

    return (word & MEMFD_PREFIX_MASK) == MEMFD_PREFIX;
}

/* Handle a dentry that is in no directory: that of a socket, a pipe or a memfd. */
static __always_inline int nameless__created(struct dentry *dentry)
{
    const char *name = (const char *)dentry->d_name.name;

    if (!event__is_wanted(EBPF_EVENT_PROCESS_MEMFD_CREATE) || !name__begins_as_memfd((u64)name))
        return 0;
    return memfd__created(NOT_PREEMPTED, name);
}

/*
 * Return whether a dentry is another one than the noted dentry at its address: the creation failed, its dentry was
 * freed, and a lookup got the memory for a dentry of this name. That one is not yet in the table of names, and was
 * never removed from it.
 */
static __always_inline bool dir_op__is_outdated(const struct dir_op *op, struct dentry *dentry)
{
    return op->flags & DIR_OP_HASHED && !dentry->d_hash.pprev && !dentry->d_seq.seqcount.sequence;
}

/*
 * Return whether a dentry is that of a BPF object which is being pinned: that file system finds nothing in lookups, and
 * a hard link comes when there are two.
 */
static __always_inline bool dentry__is_pin(struct dentry *dentry, struct inode *inode)
{
    return dentry->d_sb->s_magic == BPF_FS_MAGIC && (inode->i_mode & S_IFMT) == S_IFREG && inode->i_nlink == 1;
}

/* Report a pin, of which only the mount is noted, because the LSM's path hooks are missing. */
static __always_inline int pinned__emit(struct dir_op *op, struct dentry *dentry, struct inode *inode)
{
    op->kind = DIR_OP_REPORTED;
    return created__emit(NOT_PREEMPTED, dentry, inode, op, NULL);
}

/*
 * Where the kernel preempts BPF programs and has kprobes, this program reports all creations: when the file system has
 * done its part and gives the dentry its inode, which is the last function that can be hooked at its entry. A dentry
 * also gets an inode in a lookup; then it is not the noted one, or a path is being walked. On NFS, where a dentry is
 * not yet in the table of names when it is noted, a directory that could not be created may be reported as created if
 * this task then finds it at this address, created by another process. If a file system failed after this point, as
 * none of those tried does, a creation that it undoes would be reported.
 */
SEC("ebpf.kprobe/security_d_instantiate")
int kprobe__security_d_instantiate(struct pt_regs *regs)
{
    struct dentry *dentry = KPROBE_ARG(regs, 1, dentry);

    if (dentry->d_parent == dentry)
        return nameless__created(dentry);
    struct inode *inode = KPROBE_ARG(regs, 2, inode);
    struct task_state *state = task_state__find();
    bool is_called = event__is_called(EBPF_EVENT_FILE_CREATE); /* for want of a path hook: only links are left then */

    if (!KPROBE_ARG_2(regs))
        return 0;
    if (queue__is_opened(dentry))
        return is_called ? 0 : queue__created(KPROBE_ARG_1(regs), KPROBE_ARG_2(regs));
    if (!is_called && dentry__may_be_subvolume(dentry) && subvolume__created(KPROBE_ARG_1(regs), KPROBE_ARG_2(regs)))
        return 0;
    if (!is_called && dir_op__has_mount_of(state, dentry) && dentry__is_pin(dentry, inode))
        return pinned__emit(&state->dir_op, dentry, inode);
    if (!dir_op__is_of(state, dentry) || current__open_flags() || dir_op__is_outdated(&state->dir_op, dentry))
        return 0;
    struct dir_op *op = &state->dir_op;
    u32 kind = op->kind;

    if (kind == DIR_OP_REPORTED)
        op->dentry = 0; /* the created file is gone; this call notes nothing and reports its own end */
    op->kind = DIR_OP_REPORTED;
    if (is_called && creation__type(op) == EBPF_EVENT_FILE_CREATE)
        return 0;
    if (kind == DIR_OP_LEFT_OUT && emit_runtime.live && event__is_wanted(creation__type(op)))
        count__seen_and_filtered(creation__type(op));
    if (kind != DIR_OP_CREATE && kind != DIR_OP_LINK)
        return 0;
    if (creation__type(op) == EBPF_EVENT_FILE_LINK)
        return linked__emit(NOT_PREEMPTED, UNTRUSTED(dentry, (void *)op->other), dentry, inode, op);
    return created__emit(NOT_PREEMPTED, dentry, inode, op, kind == DIR_OP_CREATE ? (void *)op->other : NULL);
}

/* ----------------------------------------------------- ends of system calls */

/* Return the type of the file that a call has created: the row's, or that of the mode which was given. */
static __always_inline enum ebpf_file_type called__type(const struct syscall_end *call)
{
    u32 mode = call->form.what ? 0 : syscall__arg(call, call->form.extra) & S_IFMT;

    return call->form.what ?: file_type__of(mode ?: S_IFREG);
}

/* Append the target of a symbolic link, as given to the call that created it. */
static __always_inline void called__append_target(struct scratch *s, const struct syscall_end *call)
{
    struct ebpf_varlen *v = varlen__begin(s, EBPF_TAG_SYMLINK_TARGET, SCRATCH_PATHS - EBPF_PATH_MAX);
    u64 text = syscall__arg(call, call->form.extra);

    if (!v)
        return;
    long n = bpf_probe_read_user_str(v + 1, EBPF_PATH_MAX, (void *)text);

    varlen__end(s, v, n > 0 ? n - 1 : 0, 0, n > 0 ? 0 : EBPF_VARLEN_TRUNCATED);
}

SYSCALL_END(create, call)
{
    if (call->ret)
        return 0;
    EMIT_FILE(FILE_CREATE, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered())) {
        enum ebpf_file_type type = called__type(call);
        struct caller_path path = CALL_PATH(call);

        file_event__fill_called(s, &path, type);
        if (type == EBPF_FILE_TYPE_SYMLINK)
            called__append_target(s, call);
    }
    return 0;
}

/* Report a file that was opened without a name, and has got one: a descriptor that is linked has the file itself. */
static __always_inline int unnamed__linked(struct file *file, const struct caller_path *new)
{
    EMIT_FILE(FILE_CREATE, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered())) {
        const struct path_root *root = file_actor__fill(s);

        file_info__fill(s->slot, (u64)BPF_CORE_READ(file, f_inode));
        caller_path__append(s, EBPF_TAG_PATH, root, new);
    }
    return 0;
}

/* A path of an open file, by a descriptor of up to five digits. */
union proc_path {
    u64 words[3];
    char text[24];
};

#define PROC_PATH_LEN 14

/* Return the descriptor in a path /proc/self/fd/N; -1 for other paths. */
static __always_inline s32 proc_path__fd(u64 text)
{
    const union proc_path prefix = {.text = "/proc/self/fd/"};
    union proc_path path = {};
    s32 fd = 0;

    bpf_probe_read_user_str(path.text, sizeof(path.text), (void *)text);
    if (path.words[0] != prefix.words[0] || (path.words[1] ^ prefix.words[1]) << 16)
        return -1;
#pragma unroll
    for (u32 i = PROC_PATH_LEN; i < PROC_PATH_LEN + 5; i++)
        fd = path.text[i] ? fd * 10 + (path.text[i] - '0') : fd;
    return fd;
}

SYSCALL_END(link, call)
{
    struct caller_path old = CALL_PATH(call), new = CALL_NEW_PATH(call);

    if (call->ret)
        return 0;
    struct file *file = fd__file(caller_path__is_empty(&old) ? old.dir : proc_path__fd(old.text));

    if (file && BPF_CORE_READ(file, f_flags) & O_TMPFILE_BIT && BPF_CORE_READ(file, f_inode, i_nlink) == 1)
        return event__is_called(EBPF_EVENT_FILE_CREATE) ? unnamed__linked(file, &new) : 0;
    if (!event__is_called(EBPF_EVENT_FILE_LINK))
        return 0;
    EMIT_FILE(FILE_LINK, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered()))
        file_event__fill_both_called(s, &old, &new);
    return 0;
}

/* A socket of a file system has the path at which it was bound. */
SYSCALL_END(bind, call)
{
    struct sock *sk = call->ret ? NULL : fd__sock(syscall__arg(call, call->form.fd));
    struct unix_sock *unix_sock = (void *)sk;

    if (!sk || BPF_CORE_READ(sk, __sk_common.skc_family) != AF_UNIX)
        return 0;
    struct dentry *dentry = BPF_CORE_READ(unix_sock, path.dentry);

    if (!dentry)
        return 0;
    EMIT_FILE(FILE_CREATE, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered()))
        file_event__fill(s, (u64)BPF_CORE_READ(unix_sock, path.mnt), (u64)dentry, (u64)BPF_CORE_READ(dentry, d_inode));
    return 0;
}
