/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Operation.h - operations that change a directory: through which mount, and whether a process asked for them.
 *
 * The functions whose end shows that something was created, linked, deleted or moved get dentries, and a path needs a
 * mount. The LSM's path hooks, just before, have both. So a program there notes the mount with the task, and the
 * program at the end of the operation, where the dentries are still held, does everything else. A note is for one
 * dentry: if an operation fails, its note matches nothing that follows, and operations that a stacked file system
 * performs below, in this task, are about other dentries and match none. On kernels without the path hooks the note has
 * the mount only, and is completed at the end; see MountNote.bpf.c.
 *
 * An operation that the selection leaves out is not noted, except for creations that a kprobe reports
 * (creation__begin). Its end counts it as filtered, unless the task acts with credentials other than its own: then a
 * stacked file system is performing an operation below.
 */
#ifndef EBPF_FILE_OPERATION_H
#define EBPF_FILE_OPERATION_H

#include "File.h"

/* Return hash and length of a name, which the verifier does not allow to be read as one number. */
static __always_inline u64 dentry__name_id(struct dentry *dentry)
{
    return (u64)dentry->d_name.hash << 32 | dentry->d_name.len;
}

#define RENAME_FLAGS (EBPF_RENAME_F_NOREPLACE | EBPF_RENAME_F_EXCHANGE | EBPF_RENAME_F_WHITEOUT)

/* Return the flags of the rename that the current call asks for. Those of a request of io_uring are not known here. */
static __always_inline u32 rename__called_flags(bool exchanges)
{
    struct syscall_begin call = {};

    syscall__read(&call);
    u32 flags = call.nr == (call.is_32 ? NR_32_renameat2 : NR_renameat2) ? syscall__fifth() & RENAME_FLAGS : 0;

    return exchanges ? flags | EBPF_RENAME_F_EXCHANGE : flags;
}

/* Note an operation on a typed dentry through a typed mount. Return NULL if there is no memory for it. */
static __always_inline struct dir_op *dir_op__note(struct vfsmount *mnt, struct dentry *dentry, enum dir_op_kind kind,
                                                   u32 flags)
{
    struct task_state *state = task_state__get();

    if (!state)
        return NULL;
    STORE_POINTER(state->dir_op.dentry, dentry);
    STORE_POINTER(state->dir_op.mnt, mnt);
    STORE_POINTER(state->dir_op.mnt_root, mnt->mnt_root);
    state->dir_op.name_id = dentry__name_id(dentry);
    state->dir_op.flags = flags;
    state->dir_op.kind = kind;
    return &state->dir_op;
}

/* Note an operation that may become an event of `type`, unless the selection leaves it out. */
static __always_inline int dir_op__begin(enum ebpf_event_type type, struct vfsmount *mnt, struct dentry *dentry,
                                         enum dir_op_kind kind, u32 flags)
{
    if (emit_runtime.live && !current__is_filtered() && !dir_op__note(mnt, dentry, kind, flags) &&
        event__is_wanted(type))
        count__seen_and_lost(type, EBPF_REASON_STATE);
    return 0;
}

/*
 * Flags of the open that the current task is in, while it walks its path; 0 if it is in none. An open that creates a
 * file passes path_mknod too. Open.bpf.c reports it, also if it fails after creating the file.
 */
#define IS_OPENING 0x80000000u /* in addition to the flags of a lookup */

static __always_inline u32 current__open_flags(void)
{
    u32 flags = 0;

    WITH_CURRENT(task, typed, {
        struct nameidata *nd = KREAD(typed, task, nameidata);

        if (nd)
            flags = KREAD(typed, nd, flags) | IS_OPENING;
    });
    return flags;
}

static __always_inline bool dir_op__is_of(const struct task_state *state, struct dentry *dentry)
{
    return state && state->dir_op.dentry == (u64)dentry && state->dir_op.name_id == dentry__name_id(dentry);
}

/* Return whether the current task acts for itself, not for a stacked file system. */
static __always_inline bool current__acts_for_itself(void)
{
    bool does;

    WITH_CURRENT(task, typed, does = KREAD(typed, task, cred) == KREAD(typed, task, real_cred));
    return does;
}

/* Return whether the selection leaves out an operation of `type` that has ended, and count it as filtered if so. */
static __always_inline bool dir_op__is_left_out(enum ebpf_event_type type, bool has_failed)
{
    if (!current__is_filtered())
        return false;
    if (!has_failed && event__is_wanted(type) && current__acts_for_itself())
        count__seen_and_filtered(type);
    return true;
}

/* Return which kind of operation ends at a hook. */
static __always_inline enum dir_op_kind dir_op__kind_at(enum spare_hook hook)
{
    return hook == SPARE_DELETE                           ? DIR_OP_DELETE
           : hook == SPARE_MOVE || hook == SPARE_EXCHANGE ? DIR_OP_RENAME
           : hook == SPARE_LINK                           ? DIR_OP_LINK
                                                          : DIR_OP_CREATE;
}

/* Return the flags of an operation that ends at a hook, as its note would have them; see struct dir_op. */
static __always_inline u32 dir_op__flags_at(enum spare_hook hook, enum ebpf_event_type type)
{
    return hook == SPARE_DELETE                           ? 0
           : hook == SPARE_MOVE || hook == SPARE_EXCHANGE ? rename__called_flags(hook == SPARE_EXCHANGE)
                                                          : type;
}

/* Return whether a note of a mount is one of the dentry's file system. */
static __always_inline bool dir_op__has_mount_of(const struct task_state *state, struct dentry *dentry)
{
    return state && state->dir_op.kind == DIR_OP_MOUNT && state->dir_op.name_id == (u64)dentry->d_sb;
}

/* Complete such a note. Returns whether it was one. */
static __always_inline bool dir_op__complete(struct task_state *state, enum spare_hook hook, struct dentry *dentry,
                                             enum ebpf_event_type type)
{
    if (!dir_op__has_mount_of(state, dentry))
        return false;
    state->dir_op.kind = dir_op__kind_at(hook);
    state->dir_op.flags = dir_op__flags_at(hook, type);
    return true;
}

/* Take the note of an operation on a dentry. Return NULL if there is none, or if the operation has failed. */
static __always_inline struct dir_op *dir_op__take(enum preemption preemption, enum ebpf_event_type type,
                                                   enum spare_hook hook, struct dentry *dentry, bool has_failed)
{
    struct task_state *state = task_state__find();

    if (!dir_op__is_of(state, dentry) && !dir_op__complete(state, hook, dentry, type))
        return NULL;
    state->dir_op.dentry = 0;
    if (preemption == MAY_BE_PREEMPTED)
        spare__mark(hook);
    return has_failed ? NULL : &state->dir_op;
}

/* End an operation. Return its note; NULL if it is no event. */
static __always_inline struct dir_op *dir_op__end(enum preemption preemption, enum ebpf_event_type type,
                                                  enum spare_hook hook, struct dentry *dentry, bool has_failed)
{
    if (!emit_runtime.live || dir_op__is_left_out(type, has_failed))
        return NULL;
    return dir_op__take(preemption, type, hook, dentry, has_failed);
}

/* EMIT for the end of a noted operation, if events of that type are selected. */
#define EMIT_OPERATION(NAME, e, s, preemption)                                                                         \
    EMIT_RECORD(                                                                                                       \
        NAME, e, s,                                                                                                    \
        file_event__begin(event__is_wanted(EBPF_EVENT_##NAME) ? EMIT_BEGIN(NAME, preemption, FATE_MADE) : NULL, 0),    \
        file_event__end_##NAME)

/* Return where the path of a typed dentry begins, by way of the mount that was noted. */
static __always_inline struct path_start dir_op__start(const struct path_root *root, const struct dir_op *op,
                                                       struct dentry *dentry)
{
    return (struct path_start){
        .root = root, .mnt = (void *)op->mnt, .mnt_root = (void *)op->mnt_root, .dentry = dentry};
}

/* Fill in a file that has, or had, two names, and append both paths. */
static __always_inline void dir_op__fill_both(struct scratch *s, const struct path_root *root, const struct dir_op *op,
                                              struct dentry *old, struct dentry *new, struct inode *inode)
{
    file_info__fill_typed(s, inode);
    path__append_typed(s, EBPF_TAG_OLD_PATH, dir_op__start(root, op, old));
    path__append_existing(s, EBPF_TAG_NEW_PATH, dir_op__start(root, op, new));
    if ((inode->i_mode & S_IFMT) == S_IFLNK)
        file_symlink__append(s->slot, scalar__of(s, inode));
}

/*
 * Run the n-th of `count` spares of a program that takes notes; see Core/Spare.h. A note that is still there shows that
 * no program has run; the mark takes less time in the usual case.
 */
static __always_inline int dir_op__run_spare(void *ctx, void *body, enum spare_hook hook, struct dentry *dentry, u32 n,
                                             u32 count)
{
    if (!emit_constants.spares || spare__is_marked(hook, n, count))
        return 0;
    struct task_state *state = task_state__find();

    if (!dir_op__is_of(state, dentry) && !dir_op__has_mount_of(state, dentry))
        return 0;
    spare__rescue(ctx, body, hook, n, count);
    return 0;
}

/*
 * The n-th of `count` spares of a program at the end of an operation on `dentry`, an expression that may use the
 * context.
 */
#define DIR_OP_SPARE(section, name, n, count, body, hook, dentry)                                                      \
    SEC(section) int BPF_PROG(name##_spare##n)                                                                         \
    {                                                                                                                  \
        return dir_op__run_spare(ctx, &body, hook, dentry, n, count);                                                  \
    }

#define DIR_OP_SPARES(section, name, body, hook, dentry)                                                               \
    DIR_OP_SPARE(section, name, 1, 2, body, hook, dentry)                                                              \
    DIR_OP_SPARE(section, name, 2, 2, body, hook, dentry)

/*
 * The LSM program, the trampoline and the kprobe of a path hook, with one statement for all. The arguments are listed a
 * second time as the kprobe finds them in its registers.
 */
#define PATH_HOOK(hook, args, kprobe_args, statement)                                                                  \
    SEC("ebpf.lsm/path_" #hook) int BPF_PROG(lsm__path_##hook, PATH_HOOK_ARGS args)                                    \
    {                                                                                                                  \
        return statement;                                                                                              \
    }                                                                                                                  \
    SEC("ebpf.fentry/security_path_" #hook) int BPF_PROG(fentry__security_path_##hook, PATH_HOOK_ARGS args)            \
    {                                                                                                                  \
        return statement;                                                                                              \
    }                                                                                                                  \
    static __always_inline int path_##hook##__begin args                                                               \
    {                                                                                                                  \
        return statement;                                                                                              \
    }                                                                                                                  \
    SEC("ebpf.kprobe/security_path_" #hook) int kprobe__security_path_##hook(struct pt_regs *regs)                     \
    {                                                                                                                  \
        return path_##hook##__begin kprobe_args;                                                                       \
    }
#define PATH_HOOK_ARGS(...) __VA_ARGS__

/* The arguments with which most of them begin. */
#define DIR_AND_DENTRY (KPROBE_ARG(regs, 1, path), KPROBE_ARG(regs, 2, dentry))

#endif
