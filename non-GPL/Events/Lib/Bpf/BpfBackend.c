/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BpfBackend.c - loads and attaches the probes, maps their rings and counters; see BpfBackend.h.
 */
#include "BpfBackend.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "Core/EmitShared.h"
#include "Attach.h"
#include "Counts.h"
#include "Kinds.h"
#include "LibbpfLog.h"
#include "Object.h"
#include "Preflight.h"
#include "Rings.h"
#include "Spares.h"
#include "Trees.h"
#include "Trials.h"

#define SETTLE_TRIES 200
#define NS_PER_S UINT64_C(1000000000)
#define SETTLE_NS 1000000
#define LACKS_MAX 2048
#define SPARE_DESCRIPTORS 40 /* maps, BTF, what libbpf tries out, what waiting takes */

/* The memory of a map in this process, not in a child of it; NULL with errno set when that fails. */
static void *map__map(const struct bpf_object *object, const char *name, size_t size, int protection)
{
    const struct bpf_map *map = bpf_object__find_map_by_name(object, name);
    void *memory = map ? mmap(NULL, size, protection, MAP_SHARED, bpf_map__fd(map), 0) : MAP_FAILED;

    if (memory == MAP_FAILED)
        return NULL;
    madvise(memory, size, MADV_DONTFORK);
    return memory;
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
        b->base.ring_fds[i] = bpf_map__fd(map);
        b->ring_sizes[i] = bpf_map__max_entries(map);
        err = rings__map(b->base.ring_fds[i], b->ring_sizes[i], &b->base.rings[i]);
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

static struct ebpf_process backend__self(const struct bpf_backend *b)
{
    return (struct ebpf_process){.tgid = b->runtime->self_tgid, .start_time_ns = b->runtime->self_start_ns};
}

static bool backend__knows(const struct bpf_backend *b, const struct ebpf_process *process)
{
    for (size_t i = 0; i < b->other_count; i++) {
        if (b->others[i].tgid == process->tgid && b->others[i].start_time_ns == process->start_time_ns)
            return true;
    }
    return false;
}

static size_t bpf_backend__others(struct ebpf_backend *backend, struct ebpf_process ret_others[EBPF_OTHERS_MAX])
{
    struct bpf_backend *b = (struct bpf_backend *)backend;
    const struct ebpf_process self = backend__self(b);
    size_t count = instances__others(&b->instances, &self, ret_others);

    for (size_t i = 0; i < count; i++) {
        if (!backend__knows(b, &ret_others[i]))
            ebpf_log__write(&b->log, EBPF_LOG_INFO, "process %u traces as well: what it does is left out",
                            ret_others[i].tgid);
    }
    memcpy(b->others, ret_others, count * sizeof(*ret_others));
    b->other_count = count;
    return count;
}

static void backend__join_instances(struct bpf_backend *b)
{
    const struct ebpf_process self = backend__self(b);

    b->instances = instances__join(&self);
}

static void backend__leave_instances(struct bpf_backend *b)
{
    if (b->instances.map >= 0 && !b->base.inherited && b->runtime) { /* a child does not have the mapping */
        const struct ebpf_process self = backend__self(b);

        instances__leave(&self);
    }
    instances__close(&b->instances);
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
    libbpf_log__begin(b->libbpf_log ? &b->log : NULL);
    backend__leave_instances(b);
    backend__destroy_links(b);
    if (!backend->inherited)
        backend__unmap_memory(b);
    bpf_object__close(b->object);
    if (b->types_fd >= 0)
        close(b->types_fd);
    libbpf_log__end();
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
    if (b->trees && trees__mark(b->trees, b->tree_chunks, conditions, count))
        ebpf_log__write(&b->log, EBPF_LOG_WARNING,
                        "cannot read /proc: of a tree, descendants from before are not traced; mount /proc");
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

static const char *bpf_backend__unavailable(const struct ebpf_backend *backend, enum ebpf_event_type type)
{
    return ((const struct bpf_backend *)backend)->hooks.unavailable[type];
}

static const struct ebpf_backend_ops bpf_backend_ops = {
    .counts = bpf_backend__counts,
    .stop = bpf_backend__stop,
    .select = bpf_backend__select,
    .others = bpf_backend__others,
    .over_budget = bpf_backend__over_budget,
    .unavailable = bpf_backend__unavailable,
    .close = bpf_backend__close,
};

/* What events lack because kinds of programs are refused: one message, whatever they are. */
struct lacks {
    const struct bpf_backend *b;
    char missing[LACKS_MAX], limited[LACKS_MAX];
};

static void list__add(char list[LACKS_MAX], const char *event, const char *doc)
{
    size_t len = strlen(list);
    bool has_doc = doc && *doc;

    snprintf(list + len, LACKS_MAX - len, "%s%s%s%s%s", len ? ", " : "", event, has_doc ? " (" : "", has_doc ? doc : "",
             has_doc ? ")" : "");
}

/* Whether a reason is, or ends with, that kinds are refused. */
static bool reason__is_of_kinds(const struct bpf_backend *b, const char *reason)
{
    size_t len = strlen(b->refused_kinds), reason_len = strlen(reason);

    return len && reason_len >= len && !strcmp(reason + reason_len - len, b->refused_kinds);
}

static void report_lacking(void *user, const char *event, const char *lacks, const char *program, const char *reason)
{
    struct lacks *all = user;

    if (reason__is_of_kinds(all->b, reason))
        list__add(all->limited, event, lacks);
    else
        ebpf_log__write(&all->b->log, EBPF_LOG_WARNING, "%s is limited: %s (%s: %s)", event, lacks, program, reason);
}

static void lacks__tell(const struct lacks *lacks)
{
    const char *missing = lacks->missing, *limited = lacks->limited;

    if (*missing || *limited)
        ebpf_log__write(&lacks->b->log, EBPF_LOG_WARNING, "%s; unavailable: %s; limited: %s", lacks->b->refused_kinds,
                        *missing ? missing : "none", *limited ? limited : "none");
}

static void backend__tell_unavailable(struct bpf_backend *b, struct ebpf_event_set wanted)
{
    struct lacks lacks = {.b = b};

    for (int event = 0; event < EBPF_EVENT_TYPE_COUNT; event++) {
        const char *option = ebpf_event_type__option(event), *why = b->hooks.unavailable[event];

        if (!ebpf_event_set__has(wanted, event) || ebpf_event_set__has(b->hooks.available, event))
            continue;
        if (reason__is_of_kinds(b, why))
            list__add(lacks.missing, option, NULL);
        else
            ebpf_log__write(&b->log, EBPF_LOG_WARNING, "%s is unavailable: %s", option, why);
    }
    hooks__report_lacking(&b->hooks, report_lacking, &lacks);
    lacks__tell(&lacks);
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
        err = backend__load(b, opts);
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
        int refused = backend__attach(b, opts);

        if (refused < 0)
            return preflight__explain(&b->log, refused);
        if (!refused)
            return 0;
        refused = backend__find_refused_kinds(b, true);
        if (refused < 0)
            return preflight__explain(&b->log, refused);
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
    if (preflight__is_shortage(b->cpus)) {
        preflight__tell_failure(&b->log, "cannot tell the number of CPUs", b->cpus);
        return b->cpus;
    }
    if (b->cpus < 0) {
        ebpf_log__write(&b->log, EBPF_LOG_ERROR, "cannot tell the number of CPUs: %s; is /sys mounted?",
                        preflight__error(b->cpus));
        return b->cpus;
    }
    b->slots = 2 * (uint32_t)b->cpus + 6;
    return 0;
}

static void backend__go_live(struct bpf_backend *b)
{
    b->base.streams = b->slots + b->cpu_slots;
    b->base.available = b->hooks.available;
    counts__watch(b);
    b->runtime->live = true;
}

int ebpf_backend__open(const struct ebpf_source_opts *opts, struct ebpf_backend **ret_backend)
{
    struct bpf_backend *b = calloc(1, sizeof(*b));
    struct selection selection;
    int err;

    if (!b)
        return -ENOMEM;
    b->base.ops = &bpf_backend_ops;
    b->instances = INSTANCES_NONE;
    b->types_fd = types__create_file();
    b->log = ebpf_log__of(opts);
    b->libbpf_log = opts->libbpf_log;
    libbpf_log__begin(b->libbpf_log ? &b->log : NULL);
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
        backend__join_instances(b);
        backend__apply(b, &selection, opts->conditions, opts->condition_count);
        backend__go_live(b);
    }
    libbpf_log__end();
    if (err) {
        bpf_backend__close(&b->base);
        return err;
    }
    *ret_backend = &b->base;
    return 0;
}
