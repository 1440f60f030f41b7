// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "Kernel.h"

#include "Compat.h"
#include "Share.h"

#define NAMESPACES_MAX 33 /* a user namespace in another one: 33 levels, since 3.12 (8742f229b635) */

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
    u32 root = parent ? BPF_CORE_READ(ns, uid_map.extent[0].lower_first) : 0;

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
