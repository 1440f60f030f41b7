/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Credentials.h - the records of ids that change: by a call (Process/Credentials.bpf.c) or an exec (Exec.bpf.c). */
#ifndef EBPF_CORE_CREDENTIALS_H
#define EBPF_CORE_CREDENTIALS_H

#include "Task.h"

/* Begin the record of new user ids, and fill it; its credentials are those that the task has now. */
static __always_inline struct scratch *setuid__begin(enum preemption preemption, struct cred *after)
{
    struct scratch *s = EMIT_BEGIN_AS(preemption, PROCESS_SETUID, process_setuid, fate__of(current__is_filtered()));

    if (!s)
        return NULL;
    struct ebpf_process_setuid_event *e = (void *)s->data;

    e->new_ruid = after->uid.val;
    e->new_euid = after->euid.val;
    e->new_suid = after->suid.val;
    e->new_fsuid = after->fsuid.val;
    CURRENT_FILL_ALL(s, e);
    return s;
}

/* The same of group ids. */
static __always_inline struct scratch *setgid__begin(enum preemption preemption, struct cred *after)
{
    struct scratch *s = EMIT_BEGIN_AS(preemption, PROCESS_SETGID, process_setgid, fate__of(current__is_filtered()));

    if (!s)
        return NULL;
    struct ebpf_process_setgid_event *e = (void *)s->data;

    e->new_rgid = after->gid.val;
    e->new_egid = after->egid.val;
    e->new_sgid = after->sgid.val;
    e->new_fsgid = after->fsgid.val;
    CURRENT_FILL_ALL(s, e);
    return s;
}

#endif
