// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_CHROOT: a process changed its root directory with chroot.
 *
 * Hook: the end of security_path_chroot, which the system call reaches with the new root when it has found the caller
 * privileged; if its value is 0, nothing can fail any more, and the process still has its old root.
 *
 * Tried: by path, through a symbolic link, on another mount, out of the root by a working directory above it (the path
 * is flagged as unreachable then), by a thread, by a 32-bit call, in a user namespace, and what fails. Misses: roots
 * that pivot_root and setns give a process; these are not chroots.
 *
 * Not an LSM program: these have no recursion guard, so any user could have many of them preempted, each of which holds
 * a slot for its record.
 */
#include "../Core/Probe.h"

static __always_inline int chroot__emit(enum preemption preemption, struct path *path)
{
    EMIT(PROCESS_CHROOT, e, s, preemption, CURRENT_FATE(process_chroot)) {
        const struct path_root *root;

        CURRENT_FILL_ALL(s, e);
        WITH_CURRENT(task, typed, root = path_root__of(s, typed, task));
        varlen__path(s, EBPF_TAG_PATH, root, true, path);
        varlen__root_path(s, root);
    }
    return 0;
}

SEC("ebpf.fexit/security_path_chroot")
int BPF_PROG(fexit__security_path_chroot, struct path *path, int ret)
{
    return ret ? 0 : chroot__emit(MAY_BE_PREEMPTED, path);
}

SEC("ebpf.session/security_path_chroot")
int session__security_path_chroot(struct pt_regs *regs)
{
    if (!kernel__session_is_return(regs))
        return session__begin(regs, KPROBE_ARG_1(regs));
    return (int)SESSION_RET(regs) ? 0 : chroot__emit(NOT_PREEMPTED, SESSION_COOKIE(regs, path));
}

/*
 * Where that function is missing (CONFIG_SECURITY_PATH=n): set_fs_root, which makes the change. Other calls, such as
 * setns, give a process a root as well.
 */
SEC("ebpf.fentry/set_fs_root")
int BPF_PROG(fentry__set_fs_root, struct fs_struct *fs, struct path *path)
{
    struct syscall_begin call = {};

    syscall__read(&call);
    return call.nr == (call.is_32 ? NR_32_chroot : NR_chroot) ? chroot__emit(MAY_BE_PREEMPTED, path) : 0;
}

/* The process has its new root, which is seen from the top of its mount namespace. */
SYSCALL_END(chroot, call)
{
    if (call->ret)
        return 0;
    EMIT(PROCESS_CHROOT, e, s, MAY_BE_PREEMPTED, CURRENT_FATE(process_chroot)) {
        const struct path_root *root;

        CURRENT_FILL_ALL(s, e);
        WITH_CURRENT(task, typed, root = path_root__of(s, typed, task));
        varlen__path_of_root(s, EBPF_TAG_PATH, root);
    }
    return 0;
}
