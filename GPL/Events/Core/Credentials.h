/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Credentials.h - the records of changed ids: by a call (Process/Credentials.bpf.c) or by an exec (Exec.bpf.c). */
#ifndef EBPF_CORE_CREDENTIALS_H
#define EBPF_CORE_CREDENTIALS_H

#include "Task.h"

/* Fill the record of new user ids. Its credentials are the task's present ones. */
static __always_inline void setuid__fill(struct scratch *s, struct ebpf_process_setuid_event *e, bool typed,
                                         struct cred *after)
{
    e->new_ruid = KREAD(typed, after, uid.val);
    e->new_euid = KREAD(typed, after, euid.val);
    e->new_suid = KREAD(typed, after, suid.val);
    e->new_fsuid = KREAD(typed, after, fsuid.val);
    CURRENT_FILL_ALL(s, e);
}

/* Fill the record of new group ids. Its credentials are the task's present ones. */
static __always_inline void setgid__fill(struct scratch *s, struct ebpf_process_setgid_event *e, bool typed,
                                         struct cred *after)
{
    e->new_rgid = KREAD(typed, after, gid.val);
    e->new_egid = KREAD(typed, after, egid.val);
    e->new_sgid = KREAD(typed, after, sgid.val);
    e->new_fsgid = KREAD(typed, after, fsgid.val);
    CURRENT_FILL_ALL(s, e);
}

#endif
