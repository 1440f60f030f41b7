/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pending.h - what a program stores for a later one of its task.
 *
 * It is in the task's own storage, which is created on first use and freed with the task: no other task can take the
 * room, and none is left behind. Where tracing programs have no such storage (before 5.13, a10787e6d58c), or the kernel
 * has no memory for it (see Lib/Bpf/Kernel/LocalStorage.h), it is in a table by thread. Entries there are needed for
 * moments only, and the thread that has been idle for longest is evicted: an attacker would need thousands of threads
 * that begin something within such a moment.
 */
#ifndef EBPF_CORE_PENDING_H
#define EBPF_CORE_PENDING_H

#include "Slot.h"

/* An operation on a directory that the current task has begun; see File/Operation.h. */
enum dir_op_kind {
    DIR_OP_DELETE,
    DIR_OP_CREATE,
    DIR_OP_LINK,
    DIR_OP_RENAME,
    DIR_OP_OPEN,     /* an open creates a file */
    DIR_OP_LEFT_OUT, /* a creation that the selection rejects */
    DIR_OP_REPORTED, /* a creation that has been reported */
    DIR_OP_MOUNT,    /* not known yet; `name_id` is the address of the file system. See File/MountNote.bpf.c */
};

/* A flag of a creation: its dentry was in the kernel's hash table of names when it was noted. */
#define DIR_OP_HASHED 0x80000000u

struct dir_op {
    u64 dentry; /* 0: none */
    u64 name_id;
    u64 mnt, mnt_root;
    u32 flags; /* flags of a rename; device number of a deletion, or 0: the inode's; of a creation see Create.bpf.c */
    u32 kind;  /* enum dir_op_kind */
    /* only with emit_constants.kprobes */
    u64 other; /* of a link: the dentry of the file; of a symbolic link: the target; 0: none */
    u64 cred;  /* credentials of a creation; 0: it is not reported under others */
};

/* The script that the current task executes by an interpreter; see Process/Exec.bpf.c. Addresses. */
struct script {
    u64 file, inode;
    u64 bprm; /* distinguishes the script from that of an earlier exec, which failed */
};

/* A write that the current task has begun, where one probed function calls another; see File/Content.h. */
struct content_op {
    u64 object; /* 0: none */
    u64 file;
};

/* The budget that a process has spent, and the events lost beyond it; stored with its first thread. See Budget.h. */
struct process_budget {
    struct budget own;
    u64 lost; /* in that emit_runtime.budget_period */
    u32 period;
    u32 reserved;
};

/* The file that the current call got by its descriptor, which other threads can replace; see Syscall.bpf.c. */
struct held_file {
    u64 file;   /* 0: none; HELD_UNKNOWN */
    u32 number; /* of the call, in the tables */
    u32 event;  /* lost if the descriptor names another file at the end of the call */
};

#define HELD_UNKNOWN 1 /* no file has this address */

/* The last members are for some settings only: the library cuts them off in the table that replaces task storage. */
struct task_state {
    struct content_op content_op;
    struct script script;
    u64 mprotect_file; /* file whose mapping is being made writable; 0: none */
    u64 xattr_name;    /* address of the name of the attribute that is being changed */
    u64 socket;        /* that the current call has changed: made it listen, or connect; 0: none */
    struct held_file held;
    struct dir_op dir_op;
    struct process_budget budget; /* only with a budget */
};

_Static_assert(__builtin_offsetof(struct task_state, dir_op.other) == TASK_STATE_LEAST, "TASK_STATE_LEAST is wrong");

struct task_states_map {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct task_state);
};

#define TASK_TABLE_MAX 8192

struct task_table_map {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, TASK_TABLE_MAX);
    __uint(key_size, sizeof(u64));
    __uint(value_size, sizeof(struct task_state)); /* or TASK_STATE_LEAST, so it has no type */
};

extern struct task_states_map task_states SEC(".maps");
extern struct task_table_map task_table SEC(".maps");

/* Return the state of the current task, given its thread id at that time; NULL if there is none. */
static __always_inline struct task_state *task_state__find_by(u32 tid)
{
    if (emit_constants.has_task_storage)
        return bpf_task_storage_get(&task_states, bpf_get_current_task_btf(), NULL, 0);
    u64 id = (bpf_get_current_pid_tgid() & ~0xffffffffULL) | tid;

    return bpf_map_lookup_elem(&task_table, &id);
}

static __always_inline struct task_state *task_state__find(void)
{
    return task_state__find_by(bpf_get_current_pid_tgid());
}

/* Return the state of the thread with that id, created on first use. */
static __always_inline struct task_state *task_table__get(u64 id)
{
    struct task_state none = {}, *state = bpf_map_lookup_elem(&task_table, &id);

    if (state)
        return state;
    bpf_map_update_elem(&task_table, &id, &none, BPF_NOEXIST);
    return bpf_map_lookup_elem(&task_table, &id);
}

/* Return the state of the current task, created on first use; NULL if there is no memory. */
static __always_inline struct task_state *task_state__get(void)
{
    if (emit_constants.has_task_storage)
        return bpf_task_storage_get(&task_states, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
    return task_table__get(bpf_get_current_pid_tgid());
}

/* Return the state of the first thread of the current process, created on first use; NULL if there is no memory. */
static __always_inline struct task_state *task_state__get_of_process(void)
{
    if (emit_constants.has_task_storage) {
        struct task_struct *task = (void *)bpf_get_current_task_btf();

        return bpf_task_storage_get(&task_states, (void *)task->group_leader, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
    }
    u64 tgid = bpf_get_current_pid_tgid() >> 32;

    return task_table__get(tgid << 32 | tgid);
}

#endif
