// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Probe.bpf.c - the maps and variables that every probe shares; see Probe.h. */
#include "Probe.h"

char LICENSE[] SEC("license") = EMIT_LICENSE;

_Static_assert(__builtin_offsetof(struct scratch, data) == SCRATCH_HEAD, "SCRATCH_HEAD is out of date");

const volatile struct emit_constants emit_constants = {.slots = EMIT_CLAIM_TRIES, .events = ~0ULL};
struct emit_runtime emit_runtime SEC(EMIT_RUNTIME_SECTION) = {};

#define CHILDREN_MAX 64 /* of the library's process, among which its helpers are looked for */

struct ring_map ring_main SEC(".maps");
struct ring_map ring_bulk SEC(".maps");
struct scratch_map scratch SEC(".maps");
struct counters_map counters SEC(".maps");
struct task_states_map task_states SEC(".maps");
struct task_table_map task_table SEC(".maps");
struct spare_marks_map spare_marks SEC(".maps");

#ifndef __TARGET_ARCH_x86
struct fence_locks_map fence_locks SEC(".maps");
#endif

/*
 * Claim a slot. Returns its number, or -1 if it is taken. A function of its own, which the verifier checks once, not
 * once for each try.
 */
__noinline int scratch__claim_slot(u32 slot)
{
    slot %= emit_constants.slots;
    return scratch__try(slot) ? (int)slot : -1;
}

int scratch__claim_from(u32 first)
{
    int slot = -1;

    for (u32 i = 0; i < EMIT_CLAIM_TRIES && slot < 0; i++)
        slot = scratch__claim_slot(first + i);
    return slot;
}

int helper__acts(u32 n)
{
    struct task_struct *task = (void *)bpf_get_current_task();

    if (n >= EMIT_HELPERS_MAX || !emit_runtime.helpers[n].tgid) /* the idle task has id 0, and starts at 0 */
        return false;
    return emit_runtime.helpers[n].start_ns == BPF_CORE_READ(task, group_leader, start_time);
}

/* Return the id of a process in the pid namespace of its parent. */
static __always_inline u32 child__nr(struct task_struct *child, u32 level)
{
    u64 upid = (u64)BPF_CORE_READ(child, thread_pid) + bpf_core_field_offset(struct pid, numbers);
    u32 nr = 0;

    upid += level * bpf_core_type_size(struct upid);
    bpf_core_read(&nr, sizeof(nr), &((struct upid *)upid)->nr);
    return nr;
}

/* Note the child of the current process at an address, if it is a helper. `level` is that of the pid namespace. */
__noinline int helper__note(u64 address, u32 level)
{
    struct task_struct *child = (void *)address;
    u32 nr = child__nr(child, level);

    for (u32 n = 0; n < EMIT_HELPERS_MAX; n++) {
        if (!nr || emit_runtime.helpers[n].nr != nr)
            continue;
        emit_runtime.helpers[n].tgid = BPF_CORE_READ(child, tgid);
        emit_runtime.helpers[n].start_ns = BPF_CORE_READ(child, start_time);
        emit_runtime.has_helpers = 1;
    }
    return 0;
}

/* Note those children of this task whose ids are arguments of the program; the latest ones, if it has many. */
static __always_inline void helpers__find(const u64 pids[EMIT_HELPERS_MAX], struct task_struct *task, u32 level)
{
    u64 head = (u64)task + bpf_core_field_offset(struct task_struct, children);
    u64 link = (u64)BPF_CORE_READ((struct list_head *)head, prev);

    for (u32 n = 0; n < EMIT_HELPERS_MAX; n++)
        emit_runtime.helpers[n].nr = pids[n];
    for (u32 i = 0; i < CHILDREN_MAX && link != head; i++) {
        helper__note(link - bpf_core_field_offset(struct task_struct, sibling), level);
        link = (u64)BPF_CORE_READ((struct list_head *)link, prev);
    }
}

/*
 * Run by the library, with BPF_PROG_RUN and thus in its own process. Notes that process' id in the initial pid
 * namespace, the children that work for it, whose ids are its arguments, and the root directory of the first process,
 * whatever namespace or root the library runs in.
 */
SEC("raw_tp/identify_self")
int raw_tp__identify_self(u64 *ctx)
{
    struct task_struct *task = (void *)bpf_get_current_task();
    struct pid *pid = BPF_CORE_READ(task, thread_pid);
    struct pid_namespace *ns = NULL;

    bpf_core_read(&ns, sizeof(ns), &pid->numbers[0].ns);
    emit_runtime.self_tgid = bpf_get_current_pid_tgid() >> 32;
    emit_runtime.self_start_ns = BPF_CORE_READ(task, group_leader, start_time);
    helpers__find(ctx, task, BPF_CORE_READ(pid, level));
    emit_runtime.host_root_dentry = (u64)BPF_CORE_READ(ns, child_reaper, fs, root.dentry);
    emit_runtime.host_root_mnt = (u64)BPF_CORE_READ(ns, child_reaper, fs, root.mnt);
    emit_runtime.host_mnt_ns = BPF_CORE_READ(ns, child_reaper, nsproxy, mnt_ns, ns.inum);
    return 0;
}

/*
 * Attached for a moment if nothing else needs a trampoline, to find out whether the kernel has them. Its target never
 * runs.
 */
SEC("ebpf.fentry/bpf_fentry_test1")
int BPF_PROG(fentry__probe_trampoline)
{
    return 0;
}
