/* SPDX-License-Identifier: BSD-2-Clause */
/* BpfBackend.h - the backend that loads the probes into the kernel. */
#ifndef EBPF_BPF_BACKEND_H
#define EBPF_BPF_BACKEND_H

#include "../Backend.h"
#include "Attach/Attach.h"
#include "Instances.h"
#include "Object/Object.h"
#include "Select/Selection.h"

/* A program, and how often the kernel has skipped it because it was already running. */
struct guarded_program {
    int fd;          /* -1: none */
    uint64_t skips;  /* when last read */
    uint64_t before; /* of those, before events were enabled */
};

/* A hook that loses an event if all its programs are skipped; see Counts.c. */
struct guarded_hook {
    int event;
    bool has_spares;
    int spare_hook;                     /* enum spare_hook, if there are spares */
    struct guarded_program first, last; /* in the order in which they run; `last` only if there are several */
    uint64_t rescued_before;            /* by spares, before events were enabled */
};

struct bpf_backend {
    struct ebpf_backend base;
    bool libbpf_log; /* libbpf's messages go to the log, too */
    struct probes probes;
    struct links links;
    struct guarded_hook guarded[HOOKS_PROGRAMS_MAX];
    size_t guarded_count;
    bool skips_are_unknown; /* the kernel does not report them, which has been logged */
    struct instances instances;
    struct ebpf_process others[EBPF_OTHERS_MAX];
    size_t other_count;
    size_t ring_sizes[EBPF_RING_COUNT];
    const struct cpu_counters *counters; /* one a CPU, mapped from the kernel */
    struct emit_runtime *runtime;        /* mapped from the kernel */
    struct tree_chunk *trees;            /* mapped from the kernel; NULL if trees are not followed */
    bool stopped;
};

#endif
