/* SPDX-License-Identifier: BSD-2-Clause */
/* Object.h - opens and loads the probes, reduced to what this kernel and the options need. */
#ifndef EBPF_BPF_OBJECT_H
#define EBPF_BPF_OBJECT_H

#include "Core/EmitShared.h"
#include "../../Log.h"
#include "Hooks.h"
#include "Load.h"
#include "Targets.h"

#define REFUSED_KINDS_LEN 111 /* as much as a reason for an event has room for */
#define REASON_NO_PROGRAM "not part of this build"

struct bpf_object;
struct bpf_program;

struct probes {
    struct ebpf_log log;
    struct hooks hooks;
    struct targets targets;
    struct btrfs_layout btrfs;
    struct bpf_object *object;
    int types_fd; /* file in memory with the types of the kernel that the probes refer to; -1: libbpf uses all types */
    bool is_loaded;                        /* the object: libbpf has created its maps */
    bool is_identified;                    /* this process is known to the probes */
    struct emit_constants constants;       /* of the loaded programs */
    uint32_t refused_kind_bits;            /* bit n: the kernel refuses programs of kind n; see Refused.c */
    char refused_kinds[REFUSED_KINDS_LEN]; /* message that the kernel refuses kinds of programs, or "" */
    uint32_t tree_chunks;                  /* of the table of processes */
    int cpus;
    uint32_t slots;        /* scratch slots that programs share; each slot is a stream of records */
    uint32_t cpu_slots;    /* further ones for programs that are not preempted: one a CPU, or none */
    bool has_task_storage; /* tracing programs may use it */
    bool has_sk_storage;   /* tracing programs may use socket storage */
    bool has_fetch;        /* see Kernel/Jit.h */
    bool drops_tail_calls; /* see Prune.h */
    enum kprobe_attach kprobes;
    bool has_tried_kprobes, has_kprobes;
    uint8_t args[ARG_PLACE_COUNT]; /* see targets__find_args */
    bool is_converted;             /* programs for trampolines are loaded for kprobes */
};

/* Initialize, opening nothing. Members of `hooks` that are to be set before the choice are for the caller to set. */
void probes__init(struct probes *p, const struct ebpf_log *log);

/* Open the object. 0 or -errno. */
int probes__open(struct probes *p);

/* Leave out programs that this kernel does not need or has no target for, once the object is open. 0 or -errno. */
int probes__leave_out(struct probes *p);

/* Return whether the kernel turned out to refuse trampolines, and has kprobes that are not in use yet. */
bool probes__need_kprobes(struct probes *p);

/* Let kprobes stand in for other programs. Then all have to be chosen, and loaded, again. */
void probes__use_kprobes(struct probes *p);

/*
 * Load the wanted programs that are not loaded yet. They use the maps of those that are. 0 or -errno, also if `calls`
 * ended it.
 */
int probes__load(struct probes *p, const struct ebpf_source_opts *opts, const struct load_calls *calls);

/* Unload all programs, which must be detached, and release the maps. */
void probes__unload(struct probes *p);

/* Return the program of libbpf for one of `hooks`, by its index; NULL if the object does not have it. */
struct bpf_program *probes__program(const struct probes *p, size_t i);

/*
 * Make this process and those children that work for it known to the probes, once they are loaded. 0 or -errno; which
 * children were found is in `helpers` of struct emit_runtime.
 */
int probes__identify_self(struct probes *p, const struct ebpf_source_opts *opts);

/* Close the object and release what it holds in the kernel. */
void probes__close(struct probes *p);

#endif
