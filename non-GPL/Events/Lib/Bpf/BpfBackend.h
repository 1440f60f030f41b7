/* SPDX-License-Identifier: BSD-2-Clause */
/* BpfBackend.h - the backend that loads the probes into the kernel. */
#ifndef EBPF_BPF_BACKEND_H
#define EBPF_BPF_BACKEND_H

#include "../Backend.h"
#include "../Log.h"
#include "Select.h"
#include "Hooks.h"
#include "Instances.h"
#include "Targets.h"

#define REFUSED_KINDS_LEN 111 /* as much as a reason for an event has room for */

struct bpf_object;
struct bpf_link;

/* What attaches a program. A session's, which libbpf 1.1 does not know, is a descriptor. */
struct backend_link {
    bool is_attached;
    struct bpf_link *link;
    int session_fd;
};

/* A program with how often the kernel has skipped it, because it was running. */
struct guarded_program {
    int fd;          /* -1: none */
    uint64_t skips;  /* at the last look */
    uint64_t before; /* of those, before the probes were told to begin */
};

/* A hook of which an event is lost when all its programs are skipped; see Counts.c. */
struct guarded_hook {
    int event;
    bool has_spares;
    int spare_hook;                     /* enum spare_hook, when there are spares */
    struct guarded_program first, last; /* in the order in which they run; `last` only when there is more than one */
    uint64_t rescued_before;            /* by spares, before the probes were told to begin */
};

struct bpf_backend {
    struct ebpf_backend base;
    struct ebpf_log log;
    bool libbpf_log; /* goes there too */
    struct hooks hooks;
    struct targets targets;
    struct btrfs_layout btrfs;
    struct bpf_object *object;
    struct instances instances;
    struct ebpf_process others[EBPF_OTHERS_MAX];
    size_t other_count;
    int types_fd; /* memory with the types of the kernel that the probes refer to, -1: all of them */
    bool tried;   /* to load the object, which works once */
    char refused_kinds[REFUSED_KINDS_LEN];         /* that the kernel refuses kinds of programs, "" if it does not */
    struct backend_link links[HOOKS_PROGRAMS_MAX]; /* by the index of the program in hooks */
    struct guarded_hook guarded[HOOKS_PROGRAMS_MAX];
    size_t guarded_count;
    size_t ring_sizes[EBPF_RING_COUNT];
    const struct cpu_counters *counters; /* one a CPU, mapped from the kernel */
    struct emit_runtime *runtime;        /* mapped from the kernel */
    struct tree_chunk *trees;            /* the same; NULL when trees are not followed */
    uint32_t tree_chunks;
    uint32_t select_kinds; /* bit n: there may be conditions of kind n */
    int cpus;
    uint32_t slots;         /* scratch slots that programs share; each slot is a stream of records */
    uint32_t cpu_slots;     /* further ones, of programs that are not preempted: one a CPU, or none */
    bool has_task_storage;  /* tracing programs may use it */
    bool has_sk_storage;    /* programs can keep something in the storage of sockets */
    bool skips_are_unknown; /* the kernel has not told them, which has been said */
    bool stopped;
};

#endif
