/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Change.h - makes the record of a FILE_MODIFY, whatever has changed. */
#ifndef EBPF_FILE_CHANGE_H
#define EBPF_FILE_CHANGE_H

#include "File.h"

/* Begin the record, without bytes. Return NULL if no event is to be made, as for the kernel's own threads. */
static __always_inline struct scratch *change__begin(enum preemption preemption, enum ebpf_change_type type)
{
    struct scratch *s =
        current__is_kernel_thread() ? NULL : EMIT_BEGIN(FILE_MODIFY, preemption, fate__of(current__is_filtered()));

    if (!s)
        return NULL;
    struct ebpf_file_modify_event *e = (void *)s->data;

    e->bytes = e->count = 0;
    return file_event__begin(s, type);
}

/* EMIT for a change of `type`. */
#define EMIT_CHANGE(type, e, s, preemption)                                                                            \
    EMIT_RECORD(FILE_MODIFY, e, s, change__begin(preemption, type), file_event__end_FILE_MODIFY)

#endif
