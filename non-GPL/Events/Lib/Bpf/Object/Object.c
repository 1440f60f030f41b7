// SPDX-License-Identifier: BSD-2-Clause
#include "Object.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "EbpfProbes.skel.h"
#include "../Kernel/Btrfs.h"
#include "../Kernel/Jit.h"
#include "../Kernel/KernelBtf.h"
#include "../Kernel/KernelTypes.h"
#include "../Kernel/KprobeLink.h"
#include "../Kernel/LocalStorage.h"
#include "../Kernel/Preflight.h"
#include "Forced.h"
#include "MapRefs.h"
#include "Maps.h"
#include "Refused.h"

#define WAKEUP_FRACTION 8 /* of a ring, when records are read in batches */
#define RING_BYTES_DEFAULT (4u << 20)
#define IDENTIFY_PROGRAM "raw_tp__identify_self"
#define KPROBE_TO_TRY "kprobe__d_delete" /* which every kernel has */
#define STACK_BYTES_LEAST 16384
#define FD_PATH "/proc/self/fd"

/* Create the file for the types of the kernel. -1 if libbpf could not open it by a path, and has to use all types. */
static int types__create_file(void)
{
    return access(FD_PATH, X_OK) ? -1 : memfd_create("ebpf-events-types", MFD_CLOEXEC);
}

void probes__init(struct probes *p, const struct ebpf_log *log)
{
    *p = (struct probes){.log = *log,
                         .types_fd = types__create_file(),
                         .has_fetch = jit__has_fetch(),
                         .drops_tail_calls = !jit__has_tail_calls_beside_functions()};
    hooks__init(&p->hooks);
}

void probes__unload(struct probes *p)
{
    for (size_t i = 0; i < p->hooks.count; i++) {
        if (p->hooks.programs[i].fd >= 0)
            close(p->hooks.programs[i].fd);
        p->hooks.programs[i].fd = -1;
    }
    bpf_object__close(p->object);
    p->object = NULL;
    p->is_loaded = false;
    p->is_identified = false;
}

void probes__close(struct probes *p)
{
    probes__unload(p);
    if (p->types_fd >= 0)
        close(p->types_fd);
    p->types_fd = -1;
}

struct bpf_program *probes__program(const struct probes *p, size_t i)
{
    return bpf_object__find_program_by_name(p->object, p->hooks.programs[i].name);
}

/* Mark the programs that are loaded for kprobes instead. 0 or -errno. */
static int probes__convert(struct probes *p)
{
    int err = 0;

    for (size_t i = 0; i < p->hooks.count && !err; i++) {
        struct bpf_program *program = p->hooks.programs[i].by_kprobe ? probes__program(p, i) : NULL;

        err = program ? bpf_program__set_expected_attach_type(program, BPF_TRACE_KPROBE_MULTI) : 0;
    }
    return err;
}

int probes__open(struct probes *p)
{
    char types[32];
    LIBBPF_OPTS(bpf_object_open_opts, open_opts, .object_name = "ebpf_events",
                .btf_custom_path = p->types_fd < 0 ? NULL : types);
    size_t size;
    const void *bytes = EbpfProbes__elf_bytes(&size);

    snprintf(types, sizeof(types), FD_PATH "/%d", p->types_fd);
    p->object = bpf_object__open_mem(bytes, size, &open_opts);
    return p->object ? probes__convert(p) : -errno;
}

/* Draw a random number; a constant if the kernel has none yet, which an attacker could know. */
static uint64_t random__draw(void)
{
    uint64_t number = 0;

    return getrandom(&number, sizeof(number), GRND_NONBLOCK) == sizeof(number) ? number : UINT64_C(0x9e3779b97f4a7c15);
}

static bool program__is_own_tool(const char *name)
{
    return !strcmp(name, IDENTIFY_PROGRAM);
}

/* Return the size of a kernel stack, which is at least a page (arm64, with CONFIG_VMAP_STACK). */
static uint32_t stack__bytes(void)
{
    uint32_t page = (uint32_t)getpagesize();

    return page > STACK_BYTES_LEAST ? page : STACK_BYTES_LEAST;
}

/* 1 in a build for tests; see record__poison. */
#ifndef EBPF_POISON
#define EBPF_POISON 0
#endif

static void probes__choose_constants(struct probes *p, const struct ebpf_source_opts *opts, uint32_t ring_bytes)
{
    p->constants = (struct emit_constants){
        .slots = p->slots,
        .wakeup_bytes = opts->low_latency ? 0 : ring_bytes / WAKEUP_FRACTION,
        .ring_bytes = ring_bytes,
        .capture_env = opts->env,
        .kprobes = p->hooks.stand_ins[STAND_IN_KPROBE],
        .spares = p->hooks.spares,
        .selects = p->hooks.select_kinds,
        .sk_storage = p->has_sk_storage,
        .has_task_storage = p->has_task_storage,
        .budget = opts->budget,
        .untyped = p->is_converted,
        .fetches = p->has_fetch,
        .has_tail_calls = !p->drops_tail_calls,
        .stack_bytes = stack__bytes(),
        .poison = EBPF_POISON,
        .mark_seed = random__draw() | 1,
        .events = p->hooks.available.bits,
        .btrfs = p->btrfs,
    };

    memcpy(p->constants.args, p->args, sizeof(p->args));
    p->constants.casts = targets__cast_types(&p->targets, p->constants.cast_types);
}

static int probes__set_constants(const struct probes *p)
{
    struct bpf_map *rodata = bpf_object__find_map_by_name(p->object, ".rodata");
    size_t size;
    void *image = rodata ? (void *)bpf_map__initial_value(rodata, &size) : NULL;

    if (!image || size < sizeof(p->constants))
        return -EINVAL;
    memcpy(image, &p->constants, sizeof(p->constants));
    return 0;
}

/* Prepare the maps for the programs to load. */
static int probes__prepare_maps_of(struct probes *p, const struct ebpf_source_opts *opts, uint32_t ring_bytes,
                                   const char *const *programs, size_t count)
{
    struct map_refs refs;
    size_t size;
    const void *bytes = EbpfProbes__elf_bytes(&size);
    int err = map_refs__find(&refs, bytes, size, programs, count);

    return err ? err : probes__prepare_maps(p, opts, ring_bytes, &refs);
}

/* Have libbpf load, with the object, the wanted programs that are not loaded. Returns their number, and the names. */
static size_t probes__select_programs(const struct probes *p, const char *ret_names[HOOKS_PROGRAMS_MAX + 1])
{
    struct bpf_program *program;
    size_t count = 0;

    bpf_object__for_each_program(program, p->object)
    {
        const char *name = bpf_program__name(program);
        const struct hooks_program *known = hooks__find((struct hooks *)&p->hooks, name);
        bool load = known ? known->wanted && known->fd < 0 : program__is_own_tool(name) && !p->is_identified;

        bpf_program__set_autoload(program, load);
        if (load)
            ret_names[count++] = name;
    }
    return count;
}

/* Let the object use the maps of a former one. 0 or -errno. */
static int probes__take_maps(struct probes *p, const struct bpf_object *former)
{
    struct bpf_map *map;
    int err = 0;

    bpf_object__for_each_map(map, p->object)
    {
        const struct bpf_map *other = bpf_object__find_map_by_name(former, bpf_map__name(map));
        int fd = other ? bpf_map__fd(other) : -1;

        if (!err && fd >= 0)
            err = bpf_map__set_autocreate(map, true) ?: bpf_map__reuse_fd(map, fd);
    }
    return err;
}

int probes__load(struct probes *p, const struct ebpf_source_opts *opts, const struct load_calls *calls)
{
    uint32_t ring_bytes = opts->ring_bytes ? opts->ring_bytes : RING_BYTES_DEFAULT;
    const char *names[HOOKS_PROGRAMS_MAX + 1];
    const struct load_how how = {.kprobes = p->kprobes, .drops_tail_calls = p->drops_tail_calls};
    struct bpf_object *former = p->is_loaded ? p->object : NULL;
    int err = 0;

    if (!p->is_loaded)
        probes__choose_constants(p, opts, ring_bytes);
    if (former || !p->object)
        err = probes__open(p); /* libbpf loads an object once */
    if (!err)
        err = probes__set_constants(p);
    if (!err)
        err = probes__prepare_maps_of(p, opts, ring_bytes, names, probes__select_programs(p, names));
    if (!err && former)
        err = probes__take_maps(p, former);
    p->is_loaded = true;
    if (!err)
        err = load__object(&p->targets, p->object, &how, calls);
    bpf_object__close(former);
    return err;
}

/* Look up what the probes need in the kernel's BTF. */
static int probes__find_types(struct probes *p)
{
    struct kernel_btf kernel;
    int err = kernel_btf__load(&kernel);

    if (err)
        return err;
    err = targets__find(&p->targets, p->object, &kernel);
    if (!err)
        targets__find_args(&p->targets, &kernel, p->args);
    if (!err && p->types_fd >= 0)
        err = kernel_types__extract(&kernel, bpf_object__btf(p->object), p->types_fd);
    kernel_btf__free(&kernel);
    if (!err && preflight__has_file_system("btrfs"))
        btrfs__find_layout(&p->btrfs);
    return err;
}

/* Return the better of the ways to attach kprobes that the kernel may have. */
static enum kprobe_attach probes__kprobe_attach(const struct probes *p)
{
    return targets__has_function(&p->targets, TARGET_FPROBE) ? KPROBE_MULTI : KPROBE_PLAIN;
}

void probes__use_kprobes(struct probes *p)
{
    bool *stand_ins = p->hooks.stand_ins;

    p->kprobes = probes__kprobe_attach(p);
    stand_ins[STAND_IN_KPROBE] = true;
    stand_ins[STAND_IN_ELSE_KPROBE] = stand_ins[STAND_IN_KPROBE];
    p->is_converted = p->hooks.forced == EBPF_ATTACH_KPROBE || probes__refuse_trampolines(p);
    /* no kernel has sessions and no trampolines; without them, all kernels of that kind report the same */
    stand_ins[STAND_IN_SESSION] = p->kprobes == KPROBE_MULTI && !p->is_converted && targets__has_sessions(&p->targets);
    p->cpu_slots = (uint32_t)p->cpus;
    if (p->is_converted)
        hooks__convert(&p->hooks, p->refused_kinds);
}

/* Return whether a program for a kprobe can be loaded and attached. It is tried once. */
static bool probes__try_kprobes(struct probes *p)
{
    const struct bpf_program *any = bpf_object__find_program_by_name(p->object, KPROBE_TO_TRY);
    enum kprobe_attach how = probes__kprobe_attach(p);

    if (!p->has_tried_kprobes && any && (how == KPROBE_MULTI || kprobe__is_offered()))
        p->has_kprobes = !load__try_kind(&p->targets, any, how, true);
    p->has_tried_kprobes = true;
    return p->has_kprobes;
}

bool probes__need_kprobes(struct probes *p)
{
    return p->hooks.forced == EBPF_ATTACH_BEST && !p->is_converted && probes__refuse_trampolines(p) &&
           probes__try_kprobes(p);
}

/*
 * Find out which stand-ins and which kinds of storage this kernel supports. Where it preempts BPF programs, kprobes
 * replace them only if their programs can get types: those that replace types by calls take longer than spares do.
 */
static void probes__find_offers(struct probes *p)
{
    bool *stand_ins = p->hooks.stand_ins, has_cast = targets__has_function(&p->targets, TARGET_RDONLY_CAST);

    /*
     * Before 6.14 the kernel looks up the name of a program's target in its own BTF, and crashes if the program may use
     * socket storage and the target is in a module (bpf_sk_storage_tracing_allowed).
     */
    p->has_sk_storage = targets__has_function(&p->targets, TARGET_SK_STORAGE) &&
                        !targets__are_in_modules(&p->targets) && local_storage__works_for_sockets();
    p->has_task_storage = targets__has_function(&p->targets, TARGET_TASK_STORAGE) && local_storage__works_for_tasks();
    /* 271de525e1d7 took LSM programs out of the recursion guard */
    stand_ins[STAND_IN_LSM] = has_cast && preflight__lsm_is_active();
    stand_ins[STAND_IN_RECORDING_LSM] = stand_ins[STAND_IN_LSM];
    stand_ins[STAND_IN_ELSE] = true;
    if (p->hooks.forced == EBPF_ATTACH_KPROBE ||
        (p->hooks.spares && has_cast && targets__has_function(&p->targets, TARGET_FPROBE)))
        probes__use_kprobes(p);
}

static bool probes__is_unneeded(const struct probes *p, const struct hook_row *row, const struct bpf_program *bpf)
{
    return (row->unless && targets__has_function(&p->targets, row->unless)) ||
           (row->file_system && !preflight__has_file_system(row->file_system)) ||
           (row->if_present && bpf && !targets__has(&p->targets, bpf));
}

/* Leave out programs that this kernel does not need or has no target for; libbpf would refuse the whole object. */
static void probes__leave_out_programs(struct probes *p)
{
    const struct hook_row *row;

    for (size_t i = 0; (row = hooks__row(i)); i++)
        p->hooks.programs[i].unneeded = probes__is_unneeded(p, row, probes__program(p, i));
    for (size_t i = 0; i < p->hooks.count; i++) {
        struct hooks_program *program = &p->hooks.programs[i];
        const struct bpf_program *bpf = probes__program(p, i);
        const char *module = (row = hooks__row(i)) ? row->module : NULL;

        if (program->refused)
            continue;
        if (!bpf)
            hooks__refuse(program, REASON_NO_PROGRAM);
        else if (!program->unneeded && !targets__has(&p->targets, bpf))
            hooks__refuse(program, "the kernel has no %s%s%s%s", target__name(bpf), module ? ", and its module " : "",
                          module ? module : "", module ? " is not loaded" : "");
        else if (!program->unneeded && target__missing_arg(bpf, p->args))
            hooks__refuse(program, "the kernel's %s has no known argument of type %s", target__name(bpf),
                          target__missing_arg(bpf, p->args));
    }
}

int probes__leave_out(struct probes *p)
{
    int err = probes__find_types(p);

    if (err)
        return err;
    probes__find_offers(p);
    probes__leave_out_programs(p);
    return probes__convert(p);
}

int probes__identify_self(struct probes *p, const struct ebpf_source_opts *opts)
{
    struct bpf_program *program = bpf_object__find_program_by_name(p->object, IDENTIFY_PROGRAM);
    uint64_t helpers[EMIT_HELPERS_MAX] = {0};
    LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = helpers, .ctx_size_in = sizeof(helpers));

    for (size_t i = 0; i < opts->helper_count; i++)
        helpers[i] = opts->helpers[i];
    if (p->is_identified)
        return 0;
    int err = program ? bpf_prog_test_run_opts(bpf_program__fd(program), &run) : -ENOENT;

    p->is_identified = !err;
    return err;
}
