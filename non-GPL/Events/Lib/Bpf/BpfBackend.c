/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BpfBackend.c - loads and attaches the probes, maps their rings and counters; see BpfBackend.h.
 *
 * libbpf loads an object as a whole or not at all, so a program that this kernel refuses has to be known before. The
 * usual case must not pay for that: everything is tried at once, and only when that fails each program is tried by
 * itself.
 */
#include "BpfBackend.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "Core/EmitShared.h"
#include "EbpfProbes.skel.h"
#include "Btrfs.h"
#include "Counts.h"
#include "KernelTypes.h"
#include "LocalStorage.h"
#include "Preflight.h"
#include "Rings.h"
#include "Spares.h"
#include "Trees.h"
#include "Trials.h"

#define RING_BYTES_DEFAULT (4u << 20)
#define WAKEUP_FRACTION 8 /* of a ring, when records are read in batches */
#define SETTLE_TRIES 200
#define NS_PER_S UINT64_C(1000000000)
#define SETTLE_NS 1000000
#define SPARE_DESCRIPTORS 40 /* maps, BTF, what libbpf tries out, what waiting takes */
#define FD_PATH "/proc/self/fd"
#define IDENTIFY_PROGRAM "raw_tp__identify_self"
#define REASON_NO_PROGRAM "not part of this build"

static struct ebpf_log libbpf_log; /* libbpf has one print function for the process */

static int libbpf__print(enum libbpf_print_level level, const char *format, va_list args)
{
    char *text;

    (void)level;
    if (!libbpf_log.fn)
        return 0;
    int len = vasprintf(&text, format, args);

    if (len < 0)
        return 0;
    if (len > 0 && text[len - 1] == '\n')
        text[len - 1] = '\0';
    ebpf_log__write(&libbpf_log, EBPF_LOG_DEBUG, "%s", text);
    free(text);
    return len;
}

/* Open the probes' object; closes the one before, with all that it holds in the kernel. */
static int backend__open_object(struct bpf_backend *b)
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

static bool program__is_own_tool(const char *name)
{
    return !strcmp(name, IDENTIFY_PROGRAM);
}

static int object__set_constants(struct bpf_object *object, const struct bpf_backend *b,
                                 const struct ebpf_source_opts *opts, uint32_t ring_bytes)
{
    struct bpf_map *rodata = bpf_object__find_map_by_name(object, ".rodata");
    struct emit_constants constants = {
        .slots = b->slots,
        .wakeup_bytes = opts->low_latency ? 0 : ring_bytes / WAKEUP_FRACTION,
        .capture_env = opts->env,
        .spares = b->hooks.spares,
        .selects = b->select_kinds,
        .sk_storage = b->hooks.sk_storage,
        .has_task_storage = b->has_task_storage,
        .events = b->hooks.available.bits,
        .btrfs = b->btrfs,
    };

    targets__cast_types(&b->targets, constants.cast_types);
    size_t size;
    void *image = rodata ? (void *)bpf_map__initial_value(rodata, &size) : NULL;

    if (!image || size < sizeof(constants))
        return -EINVAL;
    memcpy(image, &constants, sizeof(constants));
    return 0;
}

static int object__size_maps(struct bpf_object *object, struct bpf_backend *b, const struct ebpf_source_opts *opts,
                             uint32_t ring_bytes)
{
    struct bpf_map *map;
    int err = 0;

    bpf_object__for_each_map(map, object)
    {
        const char *name = bpf_map__name(map);

        if (bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF)
            err = bpf_map__set_max_entries(map, ring_bytes);
        else if (!strcmp(name, "counters"))
            err = bpf_map__set_max_entries(map, b->cpus);
        else if (!strcmp(name, "scratch"))
            err = bpf_map__set_max_entries(map, b->slots)
                      ?: bpf_map__set_value_size(map, SCRATCH_HEAD + (opts->env ? SCRATCH_DATA_ENV : SCRATCH_DATA));
        else if (!hooks__wants_map(&b->hooks, name) ||
                 (bpf_map__type(map) == BPF_MAP_TYPE_TASK_STORAGE ? !b->has_task_storage
                                                                  : b->has_task_storage && !strcmp(name, "task_table")))
            err = bpf_map__set_autocreate(map, false);
        else if (!strcmp(name, "tree_members"))
            err = bpf_map__set_max_entries(map, b->tree_chunks);
        if (err)
            return err;
    }
    return 0;
}

/* Load the object with the wanted programs, or with `only` of them. */
static int backend__load(struct bpf_backend *b, const struct ebpf_source_opts *opts, const char *only)
{
    uint32_t ring_bytes = opts->ring_bytes ? opts->ring_bytes : RING_BYTES_DEFAULT;
    struct bpf_program *program;
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
    }
    err = object__set_constants(b->object, b, opts, ring_bytes);
    if (!err)
        err = object__size_maps(b->object, b, opts, only ? (uint32_t)getpagesize() : ring_bytes);
    if (!err)
        err = targets__load(&b->targets, b->object);
    return err;
}

/* Look up in the kernel's BTF what the probes need of it. */
static int backend__find_types(struct bpf_backend *b)
{
    struct btf *kernel = btf__load_vmlinux_btf();
    int err = kernel ? targets__find(&b->targets, b->object, kernel) : -errno;

    if (!err && b->types_fd >= 0)
        err = kernel_types__extract(kernel, bpf_object__btf(b->object), b->types_fd);
    if (!err && preflight__has_file_system("btrfs"))
        btrfs__find_layout(kernel, &b->btrfs);
    btf__free(kernel);
    return err;
}

/* Leave out the programs that this kernel does not need, or has no hook for: libbpf would refuse all then. */
static int backend__leave_out(struct bpf_backend *b)
{
    int err = backend__find_types(b);
    const char *unneeded, *function, *name;

    b->hooks.sk_storage =
        !err && targets__has_function(&b->targets, TARGET_SK_STORAGE) && local_storage__works_for_sockets();
    b->has_task_storage =
        !err && targets__has_function(&b->targets, TARGET_TASK_STORAGE) && local_storage__works_for_tasks();
    /* 271de525e1d7 took LSM programs out of the recursion guard */
    b->hooks.lsm = !err && targets__has_function(&b->targets, TARGET_RDONLY_CAST) && preflight__lsm_is_active();
    for (size_t i = 0; !err && hooks__unless(i, &unneeded, &function); i++)
        hooks__find(&b->hooks, unneeded)->unneeded = targets__has_function(&b->targets, function);
    for (size_t i = 0; !err && hooks__file_system(i, &unneeded, &name); i++)
        hooks__find(&b->hooks, unneeded)->unneeded = !preflight__has_file_system(name);

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
 * negative errno when something has run out.
 */
static int backend__find_refused(struct bpf_backend *b, const struct ebpf_source_opts *opts)
{
    int found = 0;

    for (size_t i = 0; i < b->hooks.count; i++) {
        struct hooks_program *program = &b->hooks.programs[i];

        if (!program->wanted)
            continue;
        int err = backend__load(b, opts, program->name);

        if (preflight__is_shortage(err))
            return err;
        if (err)
            hooks__refuse(program, "the kernel refuses to load it: %s", strerror(-err));
        found += program->refused;
    }
    return found;
}

static bool program__is_trampoline(const struct bpf_program *program)
{
    enum bpf_attach_type type = bpf_program__expected_attach_type(program);

    return type == BPF_TRACE_FENTRY || type == BPF_TRACE_FEXIT;
}

static void backend__destroy_links(struct bpf_backend *b)
{
    for (size_t i = 0; i < b->hooks.count; i++) {
        bpf_link__destroy(b->links[i]);
        b->links[i] = NULL;
    }
}

/* Attach the wanted programs. Returns how many the kernel refused, or a negative errno when something has run out. */
static int backend__attach(struct bpf_backend *b)
{
    int refused = 0;

    for (size_t i = 0; i < b->hooks.count; i++) {
        struct hooks_program *program = &b->hooks.programs[i];

        if (!program->wanted || b->links[i])
            continue;
        struct bpf_program *bpf = bpf_object__find_program_by_name(b->object, program->name);

        if (!bpf) {
            hooks__refuse(program, REASON_NO_PROGRAM);
            refused++;
            continue;
        }
        b->links[i] = bpf_program__attach(bpf);
        if (b->links[i]) {
            b->tramp |= program__is_trampoline(bpf);
            continue;
        }
        if (preflight__is_shortage(-errno))
            return -errno;
        hooks__refuse(program, "the kernel refuses to attach it: %s", strerror(errno));
        refused++;
    }
    return refused;
}

static void backend__detach_unwanted(struct bpf_backend *b)
{
    for (size_t i = 0; i < b->hooks.count; i++) {
        if (!b->links[i] || b->hooks.programs[i].wanted)
            continue;
        bpf_link__destroy(b->links[i]);
        b->links[i] = NULL;
    }
}

static int backend__identify_self(struct bpf_backend *b)
{
    struct bpf_program *program = bpf_object__find_program_by_name(b->object, IDENTIFY_PROGRAM);
    LIBBPF_OPTS(bpf_test_run_opts, run);

    return program ? bpf_prog_test_run_opts(bpf_program__fd(program), &run) : -ENOENT;
}

/* The memory of a map in this process; NULL with errno set when that fails. */
static void *map__map(const struct bpf_object *object, const char *name, size_t size, int protection)
{
    const struct bpf_map *map = bpf_object__find_map_by_name(object, name);
    void *memory = map ? mmap(NULL, size, protection, MAP_SHARED, bpf_map__fd(map), 0) : MAP_FAILED;

    return memory == MAP_FAILED ? NULL : memory;
}

static int backend__map_memory(struct bpf_backend *b)
{
    static const char *const ring_names[] = {
#define RING(id, NAME, doc) [id] = #NAME,
#include "Events.def"
    };
    int err = 0;

    for (int i = 0; i < EBPF_RING_COUNT && !err; i++) {
        struct bpf_map *map = rings__find_map(b->object, ring_names[i]);

        if (!map)
            return -ENOENT;
        b->ring_fds[i] = bpf_map__fd(map);
        b->ring_sizes[i] = bpf_map__max_entries(map);
        err = rings__map(b->ring_fds[i], b->ring_sizes[i], &b->base.rings[i]);
    }
    if (err)
        return err;
    b->counters = map__map(b->object, "counters", sizeof(*b->counters) * b->cpus, PROT_READ);
    b->runtime = map__map(b->object, EMIT_RUNTIME_SECTION, sizeof(*b->runtime), PROT_READ | PROT_WRITE);
    if (!b->counters || !b->runtime)
        return -errno;
    bool trees = b->select_kinds & 1u << EBPF_SELECT_TREE;

    if (trees)
        b->trees = map__map(b->object, "tree_members", sizeof(*b->trees) * b->tree_chunks, PROT_READ | PROT_WRITE);
    return trees && !b->trees ? -errno : 0;
}

static void backend__unmap_memory(struct bpf_backend *b)
{
    for (int i = 0; i < EBPF_RING_COUNT; i++)
        rings__unmap(&b->base.rings[i], b->ring_sizes[i]);
    if (b->counters)
        munmap((void *)b->counters, sizeof(*b->counters) * b->cpus);
    if (b->runtime)
        munmap(b->runtime, sizeof(*b->runtime));
    if (b->trees)
        munmap(b->trees, sizeof(*b->trees) * b->tree_chunks);
    b->counters = NULL;
    b->runtime = NULL;
    b->trees = NULL;
}

/*
 * From now on the programs do nothing. They stay attached until the source is closed, for to give a hook back takes the
 * kernel up to a tenth of a second. One that was running may still be making its record.
 */
static void bpf_backend__stop(struct ebpf_backend *backend)
{
    struct bpf_backend *b = (struct bpf_backend *)backend;
    struct ebpf_counts counts;

    if (b->stopped)
        return;
    b->runtime->live = false;
    bpf_backend__counts(backend, &counts); /* keeps the recursion misses */
    b->stopped = true;
    for (int i = 0; i < SETTLE_TRIES; i++) {
        bpf_backend__counts(backend, &counts);
        if (counts__are_settled(&counts))
            return;
        nanosleep(&(struct timespec){.tv_nsec = SETTLE_NS}, NULL);
    }
}

static void bpf_backend__close(struct ebpf_backend *backend)
{
    struct bpf_backend *b = (struct bpf_backend *)backend;

    if (!b)
        return;
    backend__destroy_links(b);
    backend__unmap_memory(b);
    bpf_object__close(b->object);
    if (b->types_fd >= 0)
        close(b->types_fd);
    if (libbpf_log.user == b->log.user)
        libbpf_log = (struct ebpf_log){0};
    free(b);
}

/* The probes look at `selects` first: while the lists are written there are no conditions. */
static void backend__apply(struct bpf_backend *b, const struct selection *selection,
                           const struct ebpf_condition *conditions, size_t count)
{
    struct timespec now;

    __atomic_store_n(&b->runtime->selects, 0, __ATOMIC_SEQ_CST);
    b->runtime->include = selection->include;
    b->runtime->exclude = selection->exclude;
    b->runtime->quick = selection->quick;
    if (b->trees)
        trees__mark(b->trees, b->tree_chunks, conditions, count);
    selection__find_cgroups(&b->runtime->include);
    selection__find_cgroups(&b->runtime->exclude);
    selection__warn_of_nobody(conditions, count, &b->log);
    clock_gettime(CLOCK_MONOTONIC, &now); /* not before: what was born meanwhile may be marked as well */
    b->runtime->selected_at = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
    __atomic_store_n(&b->runtime->selects, selection->kinds, __ATOMIC_SEQ_CST);
}

static int bpf_backend__select(struct ebpf_backend *backend, const struct ebpf_condition *conditions, size_t count)
{
    struct bpf_backend *b = (struct bpf_backend *)backend;
    struct selection selection;
    int err = selection__build(&selection, conditions, count, &b->log);

    if (err)
        return err;
    if (selection.kinds & ~b->select_kinds) {
        ebpf_log__write(&b->log, EBPF_LOG_ERROR,
                        "cannot select by that: the source was opened without it in select_kinds");
        return -EOPNOTSUPP;
    }
    backend__apply(b, &selection, conditions, count);
    return 0;
}

static const struct ebpf_backend_ops bpf_backend_ops = {
    .counts = bpf_backend__counts,
    .stop = bpf_backend__stop,
    .select = bpf_backend__select,
    .close = bpf_backend__close,
};

static void tell_lacking(void *user, const char *event, const char *lacks, const char *program, const char *reason)
{
    ebpf_log__write(user, EBPF_LOG_WARNING, "%s is limited: %s (%s: %s)", event, lacks, program, reason);
}

static void backend__tell_unavailable(struct bpf_backend *b, struct ebpf_event_set wanted)
{
    for (int event = 0; event < EBPF_EVENT_TYPE_COUNT; event++) {
        if (ebpf_event_set__has(wanted, event) && !ebpf_event_set__has(b->hooks.available, event))
            ebpf_log__write(&b->log, EBPF_LOG_WARNING, "%s is unavailable: %s", ebpf_event_type__option(event),
                            b->hooks.unavailable[event]);
    }
    hooks__tell_lacking(&b->hooks, tell_lacking, &b->log);
}

/* Why the wanted programs could not be loaded together with `err`: 0 when some are refused, and now known. */
static int backend__explain_load(struct bpf_backend *b, const struct ebpf_source_opts *opts, int err)
{
    if (!preflight__is_shortage(err)) {
        int bare_err = backend__load(b, opts, ""); /* none but our own */
        int found = bare_err ? bare_err : backend__find_refused(b, opts);

        if (found > 0)
            return 0;
        if (found < 0)
            err = found;
    }
    return preflight__explain(&b->log, err);
}

/* libbpf takes a lack of descriptors for a lack of the kernel's in places, so it is told before. */
static int backend__check_descriptors(const struct bpf_backend *b)
{
    int needed = SPARE_DESCRIPTORS;

    for (size_t i = 0; i < b->hooks.count; i++)
        needed += 2 * b->hooks.programs[i].wanted; /* the program and its link */
    return preflight__check_descriptors(&b->log, needed);
}

/* Load and attach, leaving out what is refused, until what is wanted is what is there. */
static int backend__start(struct bpf_backend *b, const struct ebpf_source_opts *opts)
{
    int err = targets__register();

    if (!err)
        err = backend__open_object(b);
    if (!err)
        err = backend__leave_out(b);
    if (err)
        return preflight__explain(&b->log, err);
    hooks__choose(&b->hooks, opts->events);
    err = backend__check_descriptors(b);
    if (err)
        return err;
    for (size_t round = 0; round <= b->hooks.count; round++) {
        err = backend__load(b, opts, NULL);
        if (err) {
            err = backend__explain_load(b, opts, err);
            if (err)
                return err;
            hooks__choose(&b->hooks, opts->events);
            continue;
        }
        err = spares__connect(b) ?: backend__identify_self(b);
        if (err)
            return preflight__explain(&b->log, err);
        int refused = backend__attach(b);

        if (refused < 0)
            return preflight__explain(&b->log, refused);
        if (!refused)
            return 0;
        if (!hooks__choose(&b->hooks, opts->events)) {
            backend__detach_unwanted(b);
            return 0;
        }
        backend__destroy_links(b); /* another way of some event needs other programs */
    }
    ebpf_log__write(&b->log, EBPF_LOG_ERROR,
                    "cannot load BPF programs: the kernel refuses one after the other; the libbpf log "
                    "(--libbpf-verbose) tells why");
    return -EIO;
}

static int backend__count_cpus(struct bpf_backend *b)
{
    b->cpus = libbpf_num_possible_cpus();
    if (b->cpus < 0) {
        ebpf_log__write(&b->log, EBPF_LOG_ERROR, "cannot tell the number of CPUs: %s; is /sys mounted?",
                        strerror(-b->cpus));
        return b->cpus;
    }
    b->slots = 2 * (uint32_t)b->cpus + 6;
    return 0;
}

static void backend__go_live(struct bpf_backend *b)
{
    b->runtime->live = true;
}

int bpf_backend__open(const struct ebpf_source_opts *opts, struct bpf_backend **ret_backend)
{
    struct bpf_backend *b = calloc(1, sizeof(*b));
    struct selection selection;
    int err;

    if (!b)
        return -ENOMEM;
    b->base.ops = &bpf_backend_ops;
    b->types_fd = access(FD_PATH, X_OK) ? -1 : memfd_create("ebpf-events-types", MFD_CLOEXEC);
    b->log = (struct ebpf_log){opts->log, opts->user};
    libbpf_log = opts->libbpf_log ? b->log : (struct ebpf_log){0};
    libbpf_set_print(libbpf__print);
    hooks__init(&b->hooks);
    b->hooks.spares = preflight__kernel_preempts();
    err = selection__build(&selection, opts->conditions, opts->condition_count, &b->log);
    b->select_kinds = opts->select_kinds | (err ? 0 : selection.kinds);
    b->hooks.select_kinds = b->select_kinds;
    b->tree_chunks = trees__chunk_count();

    if (!err)
        err = preflight__check(&b->log);
    if (!err)
        err = backend__count_cpus(b);
    if (!err && opts->disable_hooks)
        err = hooks__disable(&b->hooks, opts->disable_hooks, &b->log);
    if (!err)
        err = backend__start(b, opts);
    if (!err) {
        backend__tell_unavailable(b, opts->events);
        trials__run(b);
        if (opts->events.bits && !b->hooks.available.bits)
            err = -ENXIO;
    }
    if (!err) {
        err = backend__map_memory(b);
        if (err)
            preflight__tell_failure(&b->log, "cannot map the rings", err);
    }
    if (!err) {
        backend__apply(b, &selection, opts->conditions, opts->condition_count);
        backend__go_live(b);
    }
    if (err) {
        bpf_backend__close(&b->base);
        return err;
    }
    *ret_backend = b;
    return 0;
}
