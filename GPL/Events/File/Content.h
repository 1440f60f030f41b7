/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Content.h - makes a FILE_MODIFY of change_type CONTENT, for Modify.bpf.c, ModifyAsync.bpf.c and Mapping.bpf.c. */
#ifndef EBPF_FILE_CONTENT_H
#define EBPF_FILE_CONTENT_H

#include "Change.h"

#define BYTES_UNKNOWN (-1)
#define BYTES_OF_MAPPING (-2) /* those that will be stored in it */

static __always_inline bool file__is_regular(struct file *file)
{
    return (file->f_inode->i_mode & S_IFMT) == S_IFREG && !(file->f_mode & FMODE_NOACCOUNT);
}

static __always_inline bool mapping__is_to_write(unsigned long prot, unsigned long flags)
{
    unsigned long type = flags & MAP_TYPE;

    return prot & PROT_WRITE && (type == MAP_SHARED || type == MAP_SHARED_VALIDATE);
}

static __always_inline void content__set_bytes(struct ebpf_file_modify_event *e, s64 bytes)
{
    if (bytes == BYTES_OF_MAPPING)
        e->hdr.flags |= EBPF_MODIFY_F_MAPPING;
    if (bytes < 0)
        return;
    e->hdr.flags |= EBPF_MODIFY_F_BYTES;
    e->bytes = bytes;
}

static __always_inline int content__emit(enum preemption preemption, struct file *file, s64 bytes)
{
    if (!file__is_regular(file))
        return 0;
    EMIT_CHANGE(EBPF_CHANGE_CONTENT, e, s, preemption) {
        content__set_bytes(e, bytes);
        file_event__fill_seldom(s, &file->f_path, file->f_inode);
    }
    return 0;
}

/* content__emit for frequent operations; see file_event__fill_seldom. */
static __always_inline int content__emit_often(enum preemption preemption, struct file *file, s64 bytes)
{
    EMIT_CHANGE(EBPF_CHANGE_CONTENT, e, s, preemption) {
        content__set_bytes(e, bytes);
        file_event__fill_of(s, &file->f_path, file->f_inode);
    }
    return 0;
}

/* file__is_regular of a file at an address. */
static __always_inline bool file__is_regular_at(struct file *file)
{
    return (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) == S_IFREG &&
           !(BPF_CORE_READ(file, f_mode) & FMODE_NOACCOUNT);
}

/* content__emit_at for programs at the ends of system calls; in Modify.bpf.c. */
extern int content__changed(u64 file, s64 bytes);

/* content__emit for a file at an address. */
static __always_inline int content__emit_at(enum preemption preemption, u64 file_addr, s64 bytes)
{
    struct file *file = (void *)file_addr;

    if (!file__is_regular_at(file))
        return 0;
    EMIT_CHANGE(EBPF_CHANGE_CONTENT, e, s, preemption) {
        content__set_bytes(e, bytes);
        file_event__fill_file(s, file);
    }
    return 0;
}

#define COPYING 1 /* content_op.object in vfs_copy_file_range; in aio_write the object is the kiocb */

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

/* End the operation that the current task has begun on an object. Return the file; 0 if it has not begun one. */
static __always_inline u64 content_op__end(u64 object)
{
    struct task_state *state = task_state__find();

    if (!state || state->content_op.object != object)
        return 0;
    state->content_op.object = 0;
    return state->content_op.file;
}

#endif
