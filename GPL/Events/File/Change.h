/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Change.h - how a FILE_MODIFY is begun and handed in, whatever has changed. */
#ifndef EBPF_FILE_CHANGE_H
#define EBPF_FILE_CHANGE_H

#include "File.h"

/* Its bytes are none, and not known. NULL when no event is to be made, as for the kernel's own threads. */
static __always_inline struct scratch *change__begin(enum preemption preemption)
{
    struct scratch *s = current__is_kernel_thread()
                            ? NULL
                            : EMIT_BEGIN_AS(preemption, FILE_MODIFY, file_modify, fate__of(current__is_filtered()));

    if (!s)
        return NULL;
    struct ebpf_file_modify_event *e = (void *)s->data;

    e->bytes = e->count = 0;
    return s;
}

static __always_inline int change__submit(struct scratch *s, enum ebpf_change_type type)
{
    struct ebpf_file_modify_event *e = (void *)s->data;

    e->change_type = type;
    file_event__submit(s, EBPF_EVENT_FILE_MODIFY);
    return 0;
}

#endif
