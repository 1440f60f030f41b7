// SPDX-License-Identifier: BSD-2-Clause
/*
 * Object.c - see Object.h.
 *
 * libbpf loads an object as a whole or not at all, so a program that this kernel refuses has to be known before. The
 * usual case must not pay for that: everything is tried at once. When that fails, a program that does nothing tells
 * whether the kernel refuses all of a kind. If it does not, the one that was begun last is tried by itself; and each
 * only if that is none of those that are refused.
 */
#include "Object.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_version.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "Core/EmitShared.h"
#include "EbpfProbes.skel.h"
#include "Attach.h"
#include "Btrfs.h"
#include "KernelBtf.h"
#include "KernelTypes.h"
#include "Kinds.h"
#include "LocalStorage.h"
#include "Maps.h"
#include "Preflight.h"

#define WAKEUP_FRACTION 8 /* of a ring, when records are read in batches */
#define RING_BYTES_DEFAULT (4u << 20)
#define IDENTIFY_PROGRAM "raw_tp__identify_self"
#define FD_PATH "/proc/self/fd"

int types__create_file(void)
{
    return access(FD_PATH, X_OK) ? -1 : memfd_create("ebpf-events-types", MFD_CLOEXEC);
}

int backend__open_object(struct bpf_backend *b)
{
    char types[32];
    LIBBPF_OPTS(bpf_object_open_opts, open_opts, .object_name = "ebpf_events",
                .btf_custom_path = b->types_fd < 0 ? NULL : types);
    size_t size;
    const void *bytes = EbpfProbes__elf_bytes(&size);

    snprintf(types, sizeof(types), FD_PATH "/%d", b->types_fd);
    bpf_object__close(b->object);
    b->tried = false;
    b->object = bpf_object__open_mem(bytes, size, &open_opts);
    return b->object ? 0 : -errno;
}

/* Any number where the kernel has no random ones yet: it guards against nothing but bad luck then. */
static uint64_t random__draw(void)
{
    uint64_t number = 0;

    return getrandom(&number, sizeof(number), GRND_NONBLOCK) == sizeof(number) ? number : UINT64_C(0x9e3779b97f4a7c15);
}

static bool program__is_own_tool(const char *name)
{
    return !strcmp(name, IDENTIFY_PROGRAM);
}

/* 1 in a build for tests; see record__poison. */
#ifndef EBPF_POISON
#define EBPF_POISON 0
#endif

static int object__set_constants(struct bpf_object *object, const struct bpf_backend *b,
                                 const struct ebpf_source_opts *opts, uint32_t ring_bytes)
{
    struct bpf_map *rodata = bpf_object__find_map_by_name(object, ".rodata");
    struct emit_constants constants = {
        .slots = b->slots,
        .wakeup_bytes = opts->low_latency ? 0 : ring_bytes / WAKEUP_FRACTION,
        .capture_env = opts->env,
        .kprobes = b->hooks.stand_ins[STAND_IN_KPROBE],
        .spares = b->hooks.spares,
        .selects = b->select_kinds,
        .sk_storage = b->has_sk_storage,
        .has_task_storage = b->has_task_storage,
        .budget = opts->budget,
        .poison = EBPF_POISON,
        .mark_seed = random__draw() | 1,
        .events = b->hooks.available.bits,
        .btrfs = b->btrfs,
    };

    constants.casts = targets__cast_types(&b->targets, constants.cast_types);
    size_t size;
    void *image = rodata ? (void *)bpf_map__initial_value(rodata, &size) : NULL;

    if (!image || size < sizeof(constants))
        return -EINVAL;
    memcpy(image, &constants, sizeof(constants));
    return 0;
}

/* Prepare the maps for the programs that are to be loaded. */
static int backend__prepare_maps_of(struct bpf_backend *b, const struct ebpf_source_opts *opts, uint32_t ring_bytes,
                                    const char *const *programs, size_t count)
{
    struct map_refs refs;
    size_t size;
    const void *bytes = EbpfProbes__elf_bytes(&size);
    int err = map_refs__find(&refs, bytes, size, programs, count);

    return err ? err : backend__prepare_maps(b, opts, ring_bytes, &refs);
}

/* Load the object with the wanted programs, or with `only` of them. */
static int backend__load_only(struct bpf_backend *b, const struct ebpf_source_opts *opts, const char *only)
{
    uint32_t ring_bytes = opts->ring_bytes ? opts->ring_bytes : RING_BYTES_DEFAULT;
    const char *loaded[HOOKS_PROGRAMS_MAX + 1];
    struct bpf_program *program;
    size_t count = 0;
    int err = b->tried ? backend__open_object(b) : 0;

    if (err)
        return err;
    b->tried = true;
    bpf_object__for_each_program(program, b->object)
    {
        const char *name = bpf_program__name(program);
        struct hooks_program *known = hooks__find(&b->hooks, name);
        bool load = program__is_own_tool(name) || (known && known->wanted && (!only || !strcmp(only, name)));

        bpf_program__set_autoload(program, load);
        if (load)
            loaded[count++] = name;
    }
    err = object__set_constants(b->object, b, opts, ring_bytes);
    if (!err)
        err = backend__prepare_maps_of(b, opts, only ? (uint32_t)getpagesize() : ring_bytes, loaded, count);
    if (!err)
        err = targets__load(&b->targets, b->object, opts->is_cancelled, opts->user);
    return err;
}

int backend__load(struct bpf_backend *b, const struct ebpf_source_opts *opts)
{
    return backend__load_only(b, opts, NULL);
}

/* Look up in the kernel's BTF what the probes need of it. */
static int backend__find_types(struct bpf_backend *b)
{
    struct kernel_btf kernel;
    int err = kernel_btf__load(&kernel);

    if (err)
        return err;
    err = targets__find(&b->targets, b->object, &kernel);
    if (!err && b->types_fd >= 0)
        err = kernel_types__extract(&kernel, bpf_object__btf(b->object), b->types_fd);
    kernel_btf__free(&kernel);
    if (!err && preflight__has_file_system("btrfs"))
        btrfs__find_layout(&b->btrfs);
    return err;
}

int backend__leave_out(struct bpf_backend *b)
{
    int err = backend__find_types(b);
    const struct hook_row *row;

    b->has_sk_storage =
        !err && targets__has_function(&b->targets, TARGET_SK_STORAGE) && local_storage__works_for_sockets();
    b->has_task_storage =
        !err && targets__has_function(&b->targets, TARGET_TASK_STORAGE) && local_storage__works_for_tasks();
    /* 271de525e1d7 took LSM programs out of the recursion guard */
    b->hooks.stand_ins[STAND_IN_LSM] =
        !err && targets__has_function(&b->targets, TARGET_RDONLY_CAST) && preflight__lsm_is_active();
    b->hooks.stand_ins[STAND_IN_KPROBE] = !err && b->hooks.spares &&
                                          targets__has_function(&b->targets, TARGET_RDONLY_CAST) &&
                                          targets__has_function(&b->targets, TARGET_FPROBE);
    b->hooks.stand_ins[STAND_IN_SESSION] = b->hooks.stand_ins[STAND_IN_KPROBE] && targets__has_sessions(&b->targets);
    b->cpu_slots = b->hooks.stand_ins[STAND_IN_KPROBE] ? (uint32_t)b->cpus : 0;
    for (size_t i = 0; !err && (row = hooks__row(i)); i++)
        b->hooks.programs[i].unneeded = (row->unless && targets__has_function(&b->targets, row->unless)) ||
                                        (row->file_system && !preflight__has_file_system(row->file_system));

    for (size_t i = 0; !err && i < b->hooks.count; i++) {
        struct hooks_program *program = &b->hooks.programs[i];
        struct bpf_program *bpf = bpf_object__find_program_by_name(b->object, program->name);

        if (program->refused)
            continue;
        if (!bpf)
            hooks__refuse(program, REASON_NO_PROGRAM);
        else if (!program->unneeded && !targets__has(&b->targets, bpf))
            hooks__refuse(program, "the kernel has no %s", target__name(bpf));
    }
    return err;
}

/*
 * Find the programs that this kernel refuses, after loading them together has failed. Returns how many were found, or a
 * negative errno when something has run out, or the caller gives up.
 */
static int backend__find_refused(struct bpf_backend *b, const struct ebpf_source_opts *opts)
{
    int found = 0;

    for (size_t i = 0; i < b->hooks.count; i++) {
        struct hooks_program *program = &b->hooks.programs[i];

        if (!program->wanted)
            continue;
        int err = backend__load_only(b, opts, program->name);

        if (err == -ECANCELED || preflight__is_shortage(err))
            return err;
        if (err)
            hooks__refuse(program, "the kernel refuses to load it: %s", preflight__error(err));
        found += program->refused;
    }
    return found;
}

/* Whether it was the program that was begun last; then it is refused. 1, 0, or a negative errno. */
static int backend__blame_last(struct bpf_backend *b, const struct ebpf_source_opts *opts, const char *name)
{
    struct hooks_program *program = name ? hooks__find(&b->hooks, name) : NULL;
    int err = program && program->wanted ? backend__load_only(b, opts, name) : 0;

    if (err == -ECANCELED || preflight__is_shortage(err))
        return err;
    if (err)
        hooks__refuse(program, "the kernel refuses to load it: %s", preflight__error(err));
    return err != 0;
}

int backend__explain_load(struct bpf_backend *b, const struct ebpf_source_opts *opts, int err)
{
    const char *last = targets__last_begun();

    if (err != -ECANCELED && !preflight__is_shortage(err)) {
        struct hooks_program *last_program = last ? hooks__find(&b->hooks, last) : NULL;
        int bare_err = backend__load_only(b, opts, ""); /* none but our own */
        int found = bare_err ? bare_err : backend__find_refused_kinds(b, false);

        if (!found && last_program)
            found = backend__blame_last(b, opts, last_program->name);
        if (!found)
            found = backend__find_refused(b, opts);
        if (found > 0)
            return 0;
        if (found < 0)
            err = found;
    }
    return preflight__explain(&b->log, err);
}

int backend__identify_self(struct bpf_backend *b)
{
    struct bpf_program *program = bpf_object__find_program_by_name(b->object, IDENTIFY_PROGRAM);
    LIBBPF_OPTS(bpf_test_run_opts, run);

    return program ? bpf_prog_test_run_opts(bpf_program__fd(program), &run) : -ENOENT;
}
