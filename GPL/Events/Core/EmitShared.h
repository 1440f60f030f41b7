/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* EmitShared.h - what the library shares with the probes besides records: sizes, counters, settings. */
#ifndef EBPF_CORE_EMIT_SHARED_H
#define EBPF_CORE_EMIT_SHARED_H

#include "../EbpfEventProto.h"

#define EMIT_LICENSE "Dual BSD/GPL" /* declared to the kernel; helpers for tracing are for GPL programs only */

#define EMIT_TYPES_MAX 64
#define EMIT_CLAIM_TRIES 8 /* slots that a program tries before it gives up an event; also the least number of slots */

/* Room in a slot: fixed part and five paths, then the arguments, then the environment if it is wanted. */
#define SCRATCH_PATHS 22528
#define SCRATCH_DATA (SCRATCH_PATHS + EBPF_ARGS_MAX + 64)
#define SCRATCH_DATA_ENV (SCRATCH_DATA + EBPF_ENV_MAX + 64)

/*
 * Calls of no helper, which the library replaces when it loads a program, because linkers of libbpf 1.1 know no kfuncs.
 * See `UNTRUSTED` in Compat.h, and Kprobe.h.
 */
#define CALL_RDONLY_CAST 0x7e000001
#define CALL_SESSION_COOKIE 0x7e000002
#define CALL_SESSION_IS_RETURN 0x7e000003

/* Types that pointers are cast to, all structs. */
#define CAST_TYPES(TYPE)                                                                                               \
    TYPE(task_struct)                                                                                                  \
    TYPE(linux_binprm) TYPE(file) TYPE(mount) TYPE(dentry) TYPE(path) TYPE(inode) TYPE(cred) TYPE(sock)

enum cast_type {
#define CAST_TYPE(name) CAST_##name,
    CAST_TYPES(CAST_TYPE) CAST_TYPE_COUNT
#undef CAST_TYPE
};

/*
 * Arguments that are not at one place on all kernels: the function, and the struct to which the argument is a pointer;
 * if there are several, it is the last one. `ENUM` is the last one of such a type, `POINTER` the second one, if it is
 * any pointer, `RET` what the function returns, which is behind its arguments. Programs can do without OPTIONAL ones.
 * The library finds them in the kernel's BTF: from the existence of a type nothing follows, because a distribution may
 * backport one of two changes.
 */
#define ARG_PLACES(PLACE, OPTIONAL)                                                                                    \
    PLACE(vfs_mkdir, dentry)                                                                                           \
    PLACE(vfs_mkdir, RET)                                                                                              \
    PLACE(vfs_mknod, dentry)                                                                                           \
    PLACE(vfs_mknod, RET)                                                                                              \
    PLACE(vfs_create, dentry)                                                                                          \
    PLACE(vfs_create, RET)                                                                                             \
    PLACE(vfs_symlink, dentry)                                                                                         \
    PLACE(vfs_symlink, RET)                                                                                            \
    PLACE(vfs_link, dentry)                                                                                            \
    PLACE(vfs_link, RET)                                                                                               \
    PLACE(vfs_setxattr, dentry)                                                                                        \
    PLACE(vfs_setxattr, RET)                                                                                           \
    PLACE(vfs_removexattr, dentry)                                                                                     \
    PLACE(vfs_removexattr, RET)                                                                                        \
    PLACE(do_dentry_open, RET)                                                                                         \
    PLACE(do_truncate, file)                                                                                           \
    PLACE(do_truncate, RET)                                                                                            \
    PLACE(mprotect_fixup, RET)                                                                                         \
    PLACE(hugetlb_file_setup, RET)                                                                                     \
    PLACE(inet_csk_accept, RET)                                                                                        \
    PLACE(inet_csk_listen_start, RET)                                                                                  \
    PLACE(__cgroup_bpf_run_filter_sock_addr, ENUM)                                                                     \
    PLACE(__cgroup_bpf_run_filter_sock_addr, RET)                                                                      \
    PLACE(btf_trace_io_uring_complete, POINTER)                                                                        \
    OPTIONAL(btf_trace_io_uring_complete, io_uring_cqe)

enum arg_place {
#define PLACE(function, type) ARG_##function##_##type,
    ARG_PLACES(PLACE, PLACE) ARG_PLACE_COUNT
#undef PLACE
};

#define ARG_LAST 6       /* the last argument that programs can read */
#define ARG_NOWHERE 0xff /* not found; programs that need it are refused */

/*
 * The conditions on the acting process and on the file. An event passes if it matches one include of every kind that
 * has any, and no exclude.
 */
#define SELECT_VALUES 16 /* ids of each kind */
#define SELECT_TEXTS 8   /* names, cgroups, paths */
#define SELECT_PATH_MAX 256
#define SELECT_NO_ID 0xffffffffu /* fills the rest of a list: no process and no user has this id */

/*
 * Those of enum ebpf_select_kind that the probes decide, with the same numbers, as Lib/Bpf/Select/Selection.c asserts.
 * Probes cannot include the library's header, which has the enum, and that header includes nothing of theirs.
 */
enum select_kind {
    SELECT_PID,
    SELECT_TREE, /* a process and its descendants */
    SELECT_UID,
    SELECT_COMM,
    SELECT_CGROUP,
    SELECT_CONTAINER, /* a process with a pid or mount namespace of its own */
    SELECT_PATH,
};

struct select_list {
    ebpf_u32 kinds; /* bit n: there are conditions of kind n */
    ebpf_u32 reserved;
    ebpf_u32 pids[SELECT_VALUES], uids[SELECT_VALUES];
    ebpf_u64 comms[SELECT_TEXTS][2];
    ebpf_u64 cgroups[SELECT_TEXTS]; /* ids; 0: the cgroup does not exist yet */
    ebpf_u32 cgroup_levels[SELECT_TEXTS];
    ebpf_u32 cgroup_is_set[SELECT_TEXTS];
    ebpf_u64 cgroup_paths[SELECT_TEXTS][SELECT_PATH_MAX / 8]; /* from the root of the hierarchy; "": not known */
    ebpf_u32 path_lens[SELECT_TEXTS];                         /* 0 fills the rest */
    ebpf_u64 paths[SELECT_TEXTS][SELECT_PATH_MAX / 8];        /* in the format of records: components, leaf first */
};

/* A copy of the only condition on tasks, if there is only one, and it is about one process id, user id or name. */
struct select_quick {
    ebpf_u32 kinds;    /* bit n: it is of kind n; 0: the lists have to be searched */
    ebpf_u32 excludes; /* what matches is rejected, not what does not */
    ebpf_u64 value[2]; /* the id, or the name */
    ebpf_u64 mask[2];  /* of the bytes that count */
};

/*
 * The trees that a process belongs to, by process id. Ids are reused, so the bits above the flags identify the process:
 * fork stores a few bits of the start time there. The library stores 0, for a process that started before
 * `selected_at`.
 */
#define TREE_CHUNK 4096
#define TREE_KNOWN 1
#define TREE_INCLUDED 2
#define TREE_EXCLUDED 4
#define TREE_BITS 3

struct tree_chunk {
    ebpf_u16 entries[TREE_CHUNK];
};

/* By process id, in chunks as above; see Budget.h. */
struct lost_forks {
    ebpf_u8 is_lost[TREE_CHUNK];
};

/* The spent part of a budget of events. */
struct budget {
    ebpf_u64 since; /* beginning of its second, monotonic, ns */
    ebpf_u64 spent;
};

/* The process of a CPU that has lost most of those that exceeded their budgets. */
struct over_budget {
    ebpf_u64 claims;
    ebpf_u64 version; /* odd while it is being written */
    ebpf_u64 lost;    /* since the period began; 0: none */
    ebpf_u32 period;  /* emit_runtime.budget_period at that time */
    ebpf_u32 uid;
    struct ebpf_pid_info pids;
    char comm[EBPF_COMM_LEN];
};

/* Bytes of a slot before its data; Probe.bpf.c asserts it. */
#define SCRATCH_HEAD (8 + 8 * EBPF_RING_COUNT + 8 + 56 + 72 + 16 * EBPF_PATH_COMPONENTS_MAX + 16 + 16)

/* Bytes that are stored for a task without kprobes and budgets; see Pending.h. */
#define TASK_STATE_LEAST 120

/* Hooks that have spare programs, see Spare.h. */
enum spare_hook {
    SPARE_FORK,
    SPARE_EXEC,
    SPARE_OPEN,
    SPARE_WRITE,
    SPARE_CONNECT,
    SPARE_CLOSE,
    SPARE_SEND,
    SPARE_SEND_V6,
    SPARE_RECEIVE,
    SPARE_RELEASE,
    SPARE_MKDIR,
    SPARE_MKNOD,
    SPARE_CREATE,
    SPARE_SYMLINK,
    SPARE_LINK,
    SPARE_DELETE,
    SPARE_MOVE,
    SPARE_EXCHANGE,
    SPARE_WRITEV,
    SPARE_TRUNCATE,
    SPARE_CHMOD,
    SPARE_CHOWN,
    SPARE_UTIMES,
    SPARE_SETXATTR,
    SPARE_SETSID,
    SPARE_SETUID,
    SPARE_SETGID,
    SPARE_SHMGET,
    SPARE_CALL,
    SPARE_OPENING,
    SPARE_CLOSING,
    SPARE_HOOK_COUNT,
};

/* Numbers of system calls are below that; in tables, those of 32-bit callers come behind the others. */
#define SYSCALL_NUMBERS 1024

/*
 * What a call does, as its row in Syscalls.def says: the numbers of its arguments, 0 for none, and what its program has
 * to know besides. A path without a descriptor is relative to the working directory; a descriptor without a path is the
 * file itself.
 */
struct syscall_form {
    ebpf_u8 fd, path, new_fd, new_path;
    ebpf_u8 extra; /* argument with what else the program reads */
    ebpf_u8 what;  /* its meaning is the program's */
    ebpf_u8 event; /* what its program reports, or CALL_EVENT_BY_FILE */
    ebpf_u8 reserved;
} __attribute__((aligned(8)));

/* Not a type of events: what the program reports depends on the file. */
#define CALL_EVENT_BY_FILE EBPF_EVENT_TYPE_COUNT

/* Not a value of emit_constants.spares. */
#define SPARES_NEVER 2

struct cpu_counters {
    ebpf_u64 seen[EMIT_TYPES_MAX];
    ebpf_u64 delivered[EMIT_TYPES_MAX];
    ebpf_u64 filtered[EMIT_TYPES_MAX];
    ebpf_u64 lost[EBPF_REASON_COUNT][EMIT_TYPES_MAX];
    ebpf_u64 rescued[SPARE_HOOK_COUNT]; /* events made by another program than the main one of a hook */
    ebpf_u64 pointer;                   /* used by the probes for a moment; see scalar__of_any */
    struct over_budget over_budget;
};

_Static_assert((int)EBPF_EVENT_TYPE_COUNT <= EMIT_TYPES_MAX, "raise EMIT_TYPES_MAX");

/* Where btrfs stores the device number that stat(2) returns, which each subvolume has of its own. All 0: not known. */
struct btrfs_layout {
    ebpf_u32 inode_at, root_at; /* in a btrfs_inode */
    ebpf_u32 device_at;         /* in a btrfs_root */
};

#define EMIT_POISON 0xee

/* Constants, set before the probes are loaded. */
struct emit_constants {
    ebpf_u32 slots;            /* scratch slots that programs share, at least EMIT_CLAIM_TRIES */
    ebpf_u32 kprobes;          /* programs that cannot be preempted are in use; each CPU has one more slot for them */
    ebpf_u32 wakeup_bytes;     /* wake the reader when a ring holds this much; 0: as soon as it has read everything */
    ebpf_u32 capture_env;      /* the environment of executed programs is wanted */
    ebpf_u32 spares;           /* hooks have spare programs */
    ebpf_u32 selects;          /* bit n: there may be conditions of kind n; the code for other kinds is removed */
    ebpf_u32 has_task_storage; /* tracing programs may use it */
    ebpf_u32 sk_storage;       /* programs can use the storage of sockets */
    ebpf_u32 casts;            /* addresses can be cast to typed pointers */
    ebpf_u32 untyped;          /* programs for trampolines are loaded for kprobes (AS_KPROBE in Hooks.def) */
    ebpf_u32 poison;           /* in builds for tests: see record__poison */
    ebpf_u32 ring_bytes;       /* size of each ring */
    ebpf_u32 budget;           /* events a process and second, of the types of Budget.h; 0: no limit */
    ebpf_u32 fetches;          /* arm64: the kernel has atomic additions that return a value; see Atomic.h */
    ebpf_u32 stack_bytes;      /* arm64: size of a kernel stack; see compat__syscall_regs */
    ebpf_u32 has_tail_calls;   /* programs that call functions may make tail calls */
    ebpf_u64 mark_seed;        /* random: decides which tasks share slots for marks */
    ebpf_u64 events;           /* bit n: event type n is wanted */
    ebpf_u32 cast_types[CAST_TYPE_COUNT]; /* type ids in the kernel's BTF */
    ebpf_u8 args[ARG_PLACE_COUNT];        /* the number of the argument, from 0; ARG_NOWHERE */
    struct btrfs_layout btrfs;
};

#ifdef __bpf__
extern const volatile struct emit_constants emit_constants;
#endif

/* Set after loading, and changed at run time. A section of its own, which the library maps. */
#define EMIT_RUNTIME_SECTION ".data.runtime"

/* A process that works for that of the library. */
#define EMIT_HELPERS_MAX 4
struct emit_helper {
    ebpf_u32 tgid;     /* 0: there is none */
    ebpf_u32 nr;       /* its process id as the library has it; 0: there is none */
    ebpf_u64 start_ns; /* start time, as events have it */
};

struct emit_runtime {
    ebpf_u32 self_tgid;     /* the process of the library: its own actions are not events */
    ebpf_u32 live;          /* all programs are attached and the source is not stopped; otherwise they do nothing */
    ebpf_u64 self_start_ns; /* start time of that process, as events have it */
    struct emit_helper helpers[EMIT_HELPERS_MAX]; /* children of that process whose actions are no events either */
    ebpf_u64 host_root_dentry, host_root_mnt;     /* root directory of the first process */
    ebpf_u64 called;                              /* bit n: event type n is made at the ends of system calls */
    ebpf_u64 ends[2 * SYSCALL_NUMBERS / 64];      /* bit n: a program is for the end of system call n */
    ebpf_u64 sockets_untracked;                   /* connections that found no room at all; see Sockets.h */
    ebpf_u64 sockets_more;                        /* 1: some connection found no slot in the table */
    ebpf_u64 zero;                                /* 0, unknown to the verifier */
    ebpf_u32 budget_period;                       /* incremented at each look of the library at who exceeds a budget */
    ebpf_u32 has_helpers;                         /* there is one in `helpers` */
    ebpf_u32 host_mnt_ns;                         /* mount namespace of the first process */
    ebpf_u32 selects;                             /* bit n: a condition of kind n is set */
    ebpf_u32 flows_end;                           /* cgroup__sock_release is attached */
    ebpf_u32 reserved;
    ebpf_u32 ring_is_crowded[EBPF_RING_COUNT]; /* it was half full at the last look; see Ring.h */
    ebpf_u64 selected_at; /* monotonic, ns: conditions on process ids are about processes that had started by then */
    struct select_list include, exclude;
    struct select_quick quick;
};

#endif
