// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Share.bpf.c - whose share a task uses; see Share.h. */
#include "Share.h"

#define NAMESPACES_MAX 33 /* user namespaces nest 33 levels deep, since 3.12 (8742f229b635) */

#define UID_GID_MAP_EXTENTS 5

/* Return the id that root of a namespace has outside of it; if root is not mapped, that of the first mapped user. */
static __always_inline u32 user_namespace__root(struct user_namespace *ns)
{
    return BPF_CORE_READ(ns, uid_map.nr_extents) > UID_GID_MAP_EXTENTS
               ? BPF_CORE_READ(ns, uid_map.forward, lower_first)
               : BPF_CORE_READ(ns, uid_map.extent[0].lower_first);
}

/*
 * Return the user id of the current task if it is in the initial user namespace. Otherwise return the owner of the
 * outermost user namespace around it that is not owned by root. If root owns all of them, return the outside id of root
 * in the innermost one, or, if that is 0, the user id of the task.
 */
__noinline u32 share__user(void)
{
    struct task_struct *task = (void *)bpf_get_current_task();
    struct user_namespace *ns = BPF_CORE_READ(task, cred, user_ns), *parent = BPF_CORE_READ(ns, parent);
    u32 uid = BPF_CORE_READ(task, cred, uid.val);
    u32 root = parent ? user_namespace__root(ns) : 0;

    if (root)
        uid = root;
    for (int i = 0; i < NAMESPACES_MAX && parent; i++) {
        u32 owner = BPF_CORE_READ(ns, owner.val);

        if (owner)
            uid = owner;
        ns = parent;
        parent = BPF_CORE_READ(ns, parent);
    }
    return uid;
}
