/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Targets.h - the targets of programs: what they attach to, by its type id in the kernel's BTF.
 *
 * libbpf would walk the 100,000 types of the kernel once for each program. Here one pass finds all targets. For that,
 * the sections of the probes have names of their own, such as "ebpf.fentry/FUNCTION", and each program is loaded by a
 * handler that supplies the type id (Load.h).
 */
#ifndef EBPF_TARGETS_H
#define EBPF_TARGETS_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../Kernel/KprobeLink.h"

struct bpf_object;
struct bpf_program;
struct kernel_btf;

#define TARGETS_MAX 192
#define ATTACH_CGROUP BPF_CGROUP_INET_SOCK_RELEASE /* the only kind of programs of cgroups */
#define ATTACH_SESSION ((enum bpf_attach_type)56)  /* BPF_TRACE_KPROBE_SESSION, which libbpf 1.1 does not know */

/* See `UNTRUSTED` in Core/Compat.h. New in 6.2, as is that the recursion guard does not apply to LSM programs. */
#define TARGET_RDONLY_CAST "bpf_rdonly_cast"

/* New in 5.13, as is task storage for tracing programs (a10787e6d58c). */
#define TARGET_TASK_STORAGE "bpf_for_each_map_elem"

/* Tracing programs may use socket storage (since 5.11). */
#define TARGET_SK_STORAGE "bpf_sk_storage_get_tracing"

/* Part of what attaches programs to functions by name (CONFIG_FPROBE). */
#define TARGET_FPROBE "register_fprobe_ips"

/* Programs for kprobes may use maps that allocate their elements when they are added: since 6.1 (96da3f7d489d). */
#define TARGET_MAP_ALLOCATOR "bpf_mem_alloc_init"

/* Called by sessions, which run at both ends of a function. */
#define TARGET_SESSION_COOKIE "bpf_session_cookie"
#define TARGET_SESSION_IS_RETURN "bpf_session_is_return"

/*
 * New in 6.14, as are return probes that use the task's shadow stack (4346ba160409). Before, each link had a fixed
 * number of nodes for calls in progress, which processes that sleep in such a call could use up.
 */
#define TARGET_SHADOW_STACK "fprobe_hlist"

/* The helper for the current task as a pointer with a type: since 5.11 (3ca1032ab7ab). */
#define TARGET_CURRENT_BTF "bpf_get_current_task_btf"

#define TARGET_NAME_MAX 64

struct targets {
    struct target {
        char name[TARGET_NAME_MAX]; /* as BTF has it */
        int kind;                   /* BTF_KIND_... */
        uint32_t id;                /* 0: the kernel has none of that name */
        const char *module;         /* the module that has it; NULL: the kernel itself */
    } all[TARGETS_MAX];
    size_t count;
};

/* Look up the targets of the programs of an open object, and all else that is queried below. 0 or -errno. */
int targets__find(struct targets *targets, struct bpf_object *object, const struct kernel_btf *kernel);

/* Return where arguments are that are not at one place on all kernels (ARG_PLACES in Core/EmitShared.h). */
void targets__find_args(const struct targets *targets, const struct kernel_btf *kernel, uint8_t ret_args[]);

/*
 * Return the type of an argument of ARG_PLACES that the program's target does not have on this kernel, which has the
 * target; NULL if it has all. Such a program must not be loaded: it would read beside the arguments.
 */
const char *target__missing_arg(const struct bpf_program *program, const uint8_t args[]);

/* Return the name of a program's target, as the kernel has it. */
const char *target__name(const struct bpf_program *program);

/* Return the type id of a program's target; 0 if the kernel has none. */
uint32_t targets__id(const struct targets *targets, const struct bpf_program *program);

/*
 * Open the BTF in which the program's target is described. Returns 0 for the kernel's own, a descriptor for that of a
 * module, or -errno.
 */
int targets__open_btf(const struct targets *targets, const struct bpf_program *program);

/* Return whether a target is in a module. */
bool targets__are_in_modules(const struct targets *targets);

/* Return whether the kernel has the program's target. */
bool targets__has(const struct targets *targets, const struct bpf_program *program);

/* Return the type id of a function, one of the TARGET_... above; 0 if the kernel does not have it. */
uint32_t targets__function_id(const struct targets *targets, const char *name);

/* Return whether the kernel has a function: one of the TARGET_... above, or of a row's UNLESS. */
bool targets__has_function(const struct targets *targets, const char *name);

/* Return whether the kernel has sessions whose resources no process can use up (TARGET_SHADOW_STACK). */
bool targets__has_sessions(const struct targets *targets);

/* Get the type ids of CAST_TYPES, 0 for what the kernel lacks. Returns whether addresses can be cast to all of them. */
bool targets__cast_types(const struct targets *targets, uint32_t ret_ids[]);

/* Return the type to load a program with. */
enum bpf_prog_type target__program_type(const struct bpf_program *program);

/* Return whether a program is loaded with the type id of its target; others are attached without one. */
bool target__takes_id(const struct bpf_program *program);

/* Return whether a program for a trampoline will be loaded for a kprobe instead. */
bool target__is_converted(const struct bpf_program *program);

/* Return whether the program has a section of its own kind, for which a handler is registered (Load.h). */
bool target__is_registered(const struct bpf_program *program);

#endif
