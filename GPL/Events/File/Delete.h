/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Delete.h - makes the record of a deletion. */
#ifndef EBPF_FILE_DELETE_H
#define EBPF_FILE_DELETE_H

#include "Operation.h"

static __always_inline int deleted__emit(enum preemption preemption, struct dentry *dentry, const struct dir_op *op)
{
    EMIT_OPERATION(FILE_DELETE, e, s, preemption) {
        file_event__fill_typed(s, dir_op__start(file_event__fill_root(s), op, dentry), dentry->d_inode);
        if (op->flags)
            file_info__set_device(&e->file_info, op->flags);
    }
    return 0;
}

#endif
