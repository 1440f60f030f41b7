// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "Kernel.h"

#include "Compat.h"
#include "Share.h"

#define NAMESPACES_MAX 33 /* a user namespace in another one: 33 levels, since 3.12 (8742f229b635) */

#define UID_GID_MAP_EXTENTS 5

/* The user outside of a namespace who is root in it, or whoever is first. */
static __always_inline u32 user_namespace__root(struct user_namespace *ns)
{
    return BPF_CORE_READ(ns, uid_map.nr_extents) > UID_GID_MAP_EXTENTS
               ? BPF_CORE_READ(ns, uid_map.forward, lower_first)
               : BPF_CORE_READ(ns, uid_map.extent[0].lower_first);
}

/*
 * The user id of the current task, where it is in the initial user namespace. Elsewhere that of whoever is not root and
 * made the outermost namespace around it; where root made all of them, that of the root of the innermost one, unless
 * that is the machine's.
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
