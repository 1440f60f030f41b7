/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Targets.h - what programs attach to, by its number in the kernel's BTF.
 *
 * libbpf goes through the types of the kernel, of which there are 100,000, once for each program; here it is done once
 * for all. So the sections of the probes have names of their own, "ebpf.fentry/FUNCTION" and the like, which are given
 * to libbpf with handlers that know the numbers.
 */
#ifndef EBPF_TARGETS_H
#define EBPF_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_link;
struct bpf_object;
struct bpf_program;
struct kernel_btf;

#define TARGETS_MAX 192
#define ATTACH_SESSION ((enum bpf_attach_type)56) /* BPF_TRACE_KPROBE_SESSION, which libbpf 1.1 does not know */

/* See `UNTRUSTED` in Core/Compat.h. It came with the kernel (6.2) whose recursion guard leaves out LSM programs. */
#define TARGET_RDONLY_CAST "bpf_rdonly_cast"

/* One that came when tracing programs could use storage of tasks (5.13, a10787e6d58c). */
#define TARGET_TASK_STORAGE "bpf_for_each_map_elem"

/* Tracing programs may keep something in the storage of sockets (since 5.11). */
#define TARGET_SK_STORAGE "bpf_sk_storage_get_tracing"

/* There with what attaches a program to a function by its name (CONFIG_FPROBE). */
#define TARGET_FPROBE "register_fprobe_ips"

/* Of programs at both ends of a function: what each has to itself. */
#define TARGET_SESSION_COOKIE "bpf_session_cookie"
#define TARGET_SESSION_IS_RETURN "bpf_session_is_return"

/*
 * A type that came when the ends of functions were found by way of the task's shadow stack (6.14, 4346ba160409).
 * Before, each link had some nodes for calls that have not ended, and processes that wait in one could use them up.
 */
#define TARGET_SHADOW_STACK "fprobe_hlist"

#define TARGET_NAME_MAX 64

struct targets {
    struct {
        char name[TARGET_NAME_MAX]; /* as BTF has it */
        int kind;                   /* BTF_KIND_... */
        uint32_t id;                /* 0: the kernel has none of that name */
    } all[TARGETS_MAX];
    size_t count;
};

/*
 * Tell libbpf of the sections; to be called before an object with such sections is opened, any number of times. 0 or
 * -errno.
 */
int targets__register(void);

/* Look up what the programs of an open object attach to, and what else is asked for below. 0 or -errno. */
int targets__find(struct targets *targets, struct bpf_object *object, const struct kernel_btf *kernel);

/* What the program attaches to, as the kernel calls it. */
const char *target__name(const struct bpf_program *program);

/* Whether the kernel has what the program attaches to. */
bool targets__has(const struct targets *targets, const struct bpf_program *program);

/* Whether the kernel has a function: one of the TARGET_... above, or of a row's UNLESS. */
bool targets__has_function(const struct targets *targets, const char *name);

/* Whether the kernel has programs at both ends of a function that no process can use up (TARGET_SHADOW_STACK). */
bool targets__has_sessions(const struct targets *targets);

/* Whether a program is one of those, which libbpf 1.1 cannot attach; and attach it: a link's descriptor, or -errno. */
bool target__is_session(const struct bpf_program *program);
int target__attach_session(const struct bpf_program *program);

/* The numbers of the types of CAST_TYPES, 0 for what the kernel lacks. Whether addresses can be made all of them. */
bool targets__cast_types(const struct targets *targets, uint32_t ret_ids[]);

/*
 * Load a program that does nothing, of the kind and for the target of this one, and attach it if `attach`. 0 or a
 * negative errno.
 */
int targets__try(const struct targets *targets, const struct bpf_program *program, bool attach);

/*
 * Attach a program that has been loaded; NULL with errno set when that fails. libbpf itself would do it by the handler
 * of its section; newer ones (1.5) forget that when the type of the program is set, as happens when it is loaded.
 */
struct bpf_link *target__attach(const struct bpf_program *program);

/* The program whose loading was begun last by this thread, since targets__load: after an error the one that failed. */
const char *targets__last_begun(void);

/*
 * bpf_object__load, for an object whose targets were looked up. `is_cancelled` is asked, if there is one, before each
 * program: -ECANCELED then.
 */
int targets__load(const struct targets *targets, struct bpf_object *object, bool (*is_cancelled)(void *user),
                  void *user);

#endif
