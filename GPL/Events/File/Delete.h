/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Delete.h - the record of a deletion. */
#ifndef EBPF_FILE_DELETE_H
#define EBPF_FILE_DELETE_H

#include "Operation.h"

static __always_inline int deleted__emit(enum preemption preemption, struct dentry *dentry, const struct dir_op *op)
{
    struct scratch *s =
        event__is_wanted(EBPF_EVENT_FILE_DELETE) ? DIR_OP_BEGIN_RECORD(preemption, FILE_DELETE, file_delete, op) : NULL;

    if (!s)
        return 0;
    file_event__fill_here(s, dentry, dentry->d_inode);
    if (op->flags)
        file_info__set_device(&((struct ebpf_file_delete_event *)s->data)->file_info, op->flags);
    file_event__submit(s, EBPF_EVENT_FILE_DELETE);
    return 0;
}

#endif
