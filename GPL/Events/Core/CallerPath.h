/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * CallerPath.h - paths that a process gave to a system call or to io_uring, for kernels where no hook has the file
 * itself.
 *
 * The path is made absolute, from the directory to which the call resolves it: `.` and empty components are left out,
 * and `..` takes the component before it away. Symbolic links are not followed, and another thread may have changed the
 * text since the call began, so such a path is flagged.
 */
#ifndef EBPF_CORE_CALLER_PATH_H
#define EBPF_CORE_CALLER_PATH_H

#include "Path.h"
#include "Syscall.h"

#define AT_FDCWD (-100)

/* A path as a system call, or a request to io_uring, gets it. */
struct caller_path {
    s32 dir;           /* descriptor of the directory to which it is relative, or AT_FDCWD */
    bool is_requested; /* the kernel has a copy of the text, and nothing has been done yet */
    u64 text;          /* address in the process, or of that copy */
};

/*
 * Append the text at s->copy.from as field `tag`; if it is relative, behind the directory that s->job has, or cut if it
 * has none. `is_requested` is that of a caller_path. In CallerPath.bpf.c.
 */
extern int caller_path__append_text(u32 slot, u32 tag, u32 is_requested);

/* Append a text as field `tag`; if it is relative, in the directory `start`. */
static __always_inline void caller_path__append_in(struct scratch *s, enum ebpf_tag tag, struct path_start start,
                                                   u64 text, bool is_requested)
{
    path_start__store(s, start);
    s->copy.from = text;
    caller_path__append_text(s->slot, tag, is_requested);
}

/* Append a path, as the process with that root directory sees it, as field `tag`. */
static __always_inline void caller_path__append(struct scratch *s, enum ebpf_tag tag, const struct path_root *root,
                                                const struct caller_path *path)
{
    struct task_struct *task = (void *)bpf_get_current_task();
    struct fs_struct *fs = BPF_CORE_READ(task, fs);
    struct file *dir = path->dir == AT_FDCWD ? NULL : fd__file(path->dir);
    struct path *base = dir ? &dir->f_path : &fs->pwd;
    bool is_gone = !dir && path->dir != AT_FDCWD; /* another thread has closed it, or the path is absolute */

    caller_path__append_in(
        s, tag, path_start__at(root, (u64)BPF_CORE_READ(base, mnt), is_gone ? 0 : (u64)BPF_CORE_READ(base, dentry)),
        path->text, path->is_requested);
}

/* Return whether a path is no text, so that the call was about the descriptor itself (AT_EMPTY_PATH, or NULL). */
static __always_inline bool caller_path__is_empty(const struct caller_path *path)
{
    char first = 0;

    bpf_probe_read_user(&first, 1, (void *)path->text);
    return !first;
}

#endif
