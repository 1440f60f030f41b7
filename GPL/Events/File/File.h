/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * File.h - what file events have in common: the acting process, the file, its path.
 *
 * Each begins with the members of struct ebpf_file_create_event. A probe supplies the dentry, mount and inode; global
 * functions, which the verifier checks once per program, do the rest.
 */
#ifndef EBPF_FILE_FILE_H
#define EBPF_FILE_FILE_H

#include "../Core/CallerPath.h"
#include "../Core/Probe.h"
#include "../Core/Uring.h"

#define FILE_EVENT_BEGINS_AS_CREATE(name)                                                                              \
    _Static_assert(__builtin_offsetof(struct ebpf_##name##_event, file_info) ==                                        \
                       __builtin_offsetof(struct ebpf_file_create_event, file_info),                                   \
                   "file events begin alike")

/* Call file_actor__fill for the slot of that number. Defined in File.bpf.c. */
extern int file_actor__fill_slot(u32 slot);

/*
 * Fill in ids, credentials and name of the current task, and its cgroup. Return its root directory, at which paths end.
 */
static __always_inline const struct path_root *file_actor__fill(struct scratch *s)
{
    file_actor__fill_slot(s->slot);
    return &s->job.root;
}

/* Fill in file_info of the inode at an address. */
extern int file_info__fill(u32 slot, u64 inode);

/* Return the device number that stat(2) returns for the inode at an address, on btrfs; 0 if it is not known. */
extern int btrfs__device(u64 inode);

/* Append the target of the inode at an address, if it is a symbolic link. */
extern int file_symlink__append(u32 slot, u64 inode);

/* Submit a file event, unless the selection rejects its paths. */
static __always_inline void file_event__submit(struct scratch *s, enum ebpf_event_type type)
{
    struct cpu_counters *c;

    if (!paths__are_rejected(s)) {
        emit__submit(s, type, EBPF_RING_BULK, SCRATCH_DATA);
        return;
    }
    c = counters__get();
    if (c)
        COUNT(c->filtered[type]);
    scratch__release(s);
}

/*
 * Set the member of a file event between its actor and its file: the change type in a FILE_MODIFY, 0 in others. Return
 * `s`, which may be NULL.
 */
static __always_inline struct scratch *file_event__begin(struct scratch *s, u32 change_type)
{
    _Static_assert(__builtin_offsetof(struct ebpf_file_modify_event, change_type) ==
                       __builtin_offsetof(struct ebpf_file_create_event, reserved),
                   "the change type is where other events have a reserved member");
    if (s)
        ((struct ebpf_file_modify_event *)s->data)->change_type = change_type;
    return s;
}

/* EMIT for file events, whose paths the selection may reject. */
#define FILE_EVENT(NAME)                                                                                               \
    static __always_inline void file_event__end_##NAME(struct scratch **s)                                             \
    {                                                                                                                  \
        if (*s)                                                                                                        \
            file_event__submit(*s, EBPF_EVENT_##NAME);                                                                 \
    }

FILE_EVENT(FILE_CREATE)
FILE_EVENT(FILE_DELETE)
FILE_EVENT(FILE_RENAME)
FILE_EVENT(FILE_LINK)
FILE_EVENT(FILE_MODIFY)

#define EMIT_FILE(NAME, e, s, preemption, fate)                                                                        \
    EMIT_RECORD(NAME, e, s, file_event__begin(EMIT_BEGIN(NAME, preemption, fate), 0), file_event__end_##NAME)

/* Fill in a whole event except for the members of its own. Mount, dentry and inode are given by their addresses. */
static __always_inline void file_event__fill(struct scratch *s, u64 mnt, u64 dentry, u64 inode)
{
    const struct path_root *root = file_actor__fill(s);

    file_info__fill(s->slot, inode);
    path__append(s, EBPF_TAG_PATH, path_start__at(root, mnt, dentry));
    file_symlink__append(s->slot, inode);
}

/* Fill in an event about the open file at an address. */
static __always_inline void file_event__fill_file(struct scratch *s, struct file *file)
{
    file_event__fill(s, (u64)BPF_CORE_READ(file, f_path.mnt), (u64)BPF_CORE_READ(file, f_path.dentry),
                     (u64)BPF_CORE_READ(file, f_inode));
}

#define FILE_TYPE_UNKNOWN ((enum ebpf_file_type)0) /* written as that: the schema has no name for it */

/* Fill in file_info of a file of which only the type is known, if that. */
static __always_inline void file_info__fill_unknown(struct scratch *s, enum ebpf_file_type type)
{
    struct ebpf_file_info *fi = &((struct ebpf_file_create_event *)s->data)->file_info;

    __builtin_memset(fi, 0, sizeof(*fi));
    fi->type = type;
}

/* Return the path that a call was given, whose form has the numbers of the arguments. */
static __always_inline struct caller_path call__path(const struct syscall_end *call, u32 fd, u32 path)
{
    return (struct caller_path){.dir = fd ? (s32)syscall__arg(call, fd) : AT_FDCWD, .text = syscall__arg(call, path)};
}

#define CALL_PATH(call) call__path(call, (call)->form.fd, (call)->form.path)
#define CALL_NEW_PATH(call) call__path(call, (call)->form.new_fd, (call)->form.new_path)

/* Fill in an event about a file at the path that a call was given, of which nothing else is known but its type. */
static __always_inline void file_event__fill_called(struct scratch *s, const struct caller_path *path,
                                                    enum ebpf_file_type type)
{
    const struct path_root *root = file_actor__fill(s);

    file_info__fill_unknown(s, type);
    caller_path__append(s, EBPF_TAG_PATH, root, path);
}

/* Likewise, for a file with two paths. */
static __always_inline void file_event__fill_both_called(struct scratch *s, const struct caller_path *old,
                                                         const struct caller_path *new)
{
    const struct path_root *root = file_actor__fill(s);

    file_info__fill_unknown(s, FILE_TYPE_UNKNOWN);
    caller_path__append(s, EBPF_TAG_OLD_PATH, root, old);
    caller_path__append(s, EBPF_TAG_NEW_PATH, root, new);
}

/* Fill in a rename of which only the two paths and the flags are known. */
static __always_inline void file_event__fill_renamed(struct scratch *s, struct ebpf_file_rename_event *e, u32 flags,
                                                     const struct caller_path *old, const struct caller_path *new)
{
    e->hdr.flags = flags & (EBPF_RENAME_F_NOREPLACE | EBPF_RENAME_F_EXCHANGE | EBPF_RENAME_F_WHITEOUT);
    e->replaced_inode = e->exchanged_inode = 0;
    e->replaced_nlink = e->reserved_replaced = 0;
    file_event__fill_both_called(s, old, new);
}

/* A type in a word that has four bits for each format of a mode. */
#define FILE_TYPE_SHIFT(format) ((format) >> 12 << 2)
#define FILE_TYPE(format, type) ((u64)EBPF_FILE_TYPE_##type << FILE_TYPE_SHIFT(format))

/* Return the type of a file by its mode. Without branches: the verifier would check what follows once for each. */
static __always_inline u32 file_type__of(u32 mode)
{
    const u64 types = FILE_TYPE(S_IFREG, FILE) | FILE_TYPE(S_IFDIR, DIR) | FILE_TYPE(S_IFLNK, SYMLINK) |
                      FILE_TYPE(S_IFCHR, CHARACTER_DEVICE) | FILE_TYPE(S_IFBLK, BLOCK_DEVICE) |
                      FILE_TYPE(S_IFIFO, NAMED_PIPE) | FILE_TYPE(S_IFSOCK, SOCKET);

    return types >> FILE_TYPE_SHIFT(mode & S_IFMT) & 0xf;
}

static __always_inline bool super__has_devices(u64 magic)
{
    return emit_constants.btrfs.device_at && magic == BTRFS_MAGIC;
}

static __always_inline void file_info__set_device(struct ebpf_file_info *fi, u32 dev)
{
    fi->dev_major = dev >> MINOR_BITS;
    fi->dev_minor = dev & ((1 << MINOR_BITS) - 1);
}

/* Fill in file_info of a typed inode, at a tenth of the cost of file_info__fill. */
static __always_inline void file_info__fill_typed(struct scratch *s, struct inode *inode)
{
    struct ebpf_file_info *fi = &((struct ebpf_file_create_event *)s->data)->file_info;
    struct super_block *sb = inode->i_sb;
    u32 mode = inode->i_mode, dev = sb->s_dev;

    if (super__has_devices(sb->s_magic))
        dev = btrfs__device(scalar__of(s, inode)) ?: dev;

    fi->type = file_type__of(mode);
    fi->mode = mode;
    fi->inode = compat__inode_number(inode);
    fi->size = inode->i_size;
    fi->uid = inode->i_uid.val;
    fi->gid = inode->i_gid.val;
    fi->atime = COMPAT_INODE_TIME(inode, atime);
    fi->mtime = COMPAT_INODE_TIME(inode, mtime);
    fi->ctime = COMPAT_INODE_TIME(inode, ctime);
    file_info__set_device(fi, dev);
    fi->nlink = inode->i_nlink;
    fi->reserved = 0;
}

/*
 * Return the root directory at which the path ends. Fill in the actor too, which finds that directory anyway, unless
 * the selection may reject the path.
 */
static __always_inline const struct path_root *file_event__fill_root(struct scratch *s)
{
    if (emit_constants.selects & SELECTS_PATHS)
        WITH_CURRENT(task, typed, path_root__of(s, typed, task));
    else
        file_actor__fill(s);
    return &s->job.root;
}

/*
 * Fill in the members after the path, without a symbolic link's target. Return false if the selection rejects the path.
 */
static __always_inline bool file_event__fill_info(struct scratch *s, struct inode *inode)
{
    if (paths__are_rejected(s))
        return false;
    if (emit_constants.selects & SELECTS_PATHS)
        file_actor__fill(s);
    file_info__fill_typed(s, inode);
    return true;
}

static __always_inline void file_event__fill_rest(struct scratch *s, struct inode *inode)
{
    if (!file_event__fill_info(s, inode))
        return;
    if ((inode->i_mode & S_IFMT) == S_IFLNK)
        file_symlink__append(s->slot, scalar__of(s, inode));
}

/* file_event__fill for typed objects. `start` has the root directory that file_event__fill_root returns. */
static __always_inline void file_event__fill_typed(struct scratch *s, struct path_start start, struct inode *inode)
{
    path__append_typed(s, EBPF_TAG_PATH, start);
    file_event__fill_rest(s, inode);
}

/*
 * file_event__fill for rare operations: a walk by addresses costs about a thousand instructions more, but halves the
 * work of the verifier at each start.
 */
static __always_inline void file_event__fill_seldom(struct scratch *s, struct path *path, struct inode *inode)
{
    const struct path_root *root = file_event__fill_root(s);

    path__append(s, EBPF_TAG_PATH, (struct path_start){.root = root, .mnt = path->mnt, .dentry = path->dentry});
    file_event__fill_rest(s, inode);
}

/* Fill in an event about a typed open file. */
static __always_inline void file_event__fill_of(struct scratch *s, struct path *path, struct inode *inode)
{
    file_event__fill_typed(s, path_start__of(file_event__fill_root(s), path), inode);
}

#endif
