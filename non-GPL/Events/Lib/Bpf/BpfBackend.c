/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BpfBackend.c - puts the parts of the backend together, and maps the probes' rings and counters; see BpfBackend.h.
 */
#include "BpfBackend.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "Core/EmitShared.h"
#include "Attach/Start.h"
#include "Attach/Syscalls.h"
#include "Attach/Trials.h"
#include "BpfOpen.h"
#include "Counts.h"
#include "Kernel/LibbpfLog.h"
#include "Kernel/Preflight.h"
#include "Object/Forced.h"
#include "Object/Lacks.h"
#include "Rings.h"
#include "Select/Trees.h"

#define SETTLE_TRIES 200
#define TRIAL_ROUNDS 3 /* of a stand-in, of the program itself, of the next way */
#define NS_PER_S UINT64_C(1000000000)
#define SETTLE_NS 1000000

/* Map the memory of a map into this process, but not its children; NULL with errno set if that fails. */
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
        struct bpf_map *map = rings__find_map(b->probes.object, ring_names[i]);

        if (!map)
            return -ENOENT;
        b->base.ring_fds[i] = bpf_map__fd(map);
        b->ring_sizes[i] = bpf_map__max_entries(map);
        err = rings__map(b->base.ring_fds[i], b->ring_sizes[i], &b->base.rings[i]);
    }
    if (err)
        return err;
    b->counters = map__map(b->probes.object, "counters", sizeof(*b->counters) * b->probes.cpus, PROT_READ);
    b->runtime = map__map(b->probes.object, EMIT_RUNTIME_SECTION, sizeof(*b->runtime), PROT_READ | PROT_WRITE);
    if (!b->counters || !b->runtime)
        return -errno;
    bool trees = b->probes.hooks.select_kinds & 1u << EBPF_SELECT_TREE;

    if (trees)
        b->trees = map__map(b->probes.object, "tree_members", sizeof(*b->trees) * b->probes.tree_chunks,
                            PROT_READ | PROT_WRITE);
    return trees && !b->trees ? -errno : 0;
}

static void backend__unmap_memory(struct bpf_backend *b)
{
    for (int i = 0; i < EBPF_RING_COUNT; i++)
        rings__unmap(&b->base.rings[i], b->ring_sizes[i]);
    if (b->counters)
        munmap((void *)b->counters, sizeof(*b->counters) * b->probes.cpus);
    if (b->runtime)
        munmap(b->runtime, sizeof(*b->runtime));
    if (b->trees)
        munmap(b->trees, sizeof(*b->trees) * b->probes.tree_chunks);
    b->counters = NULL;
    b->runtime = NULL;
    b->trees = NULL;
}

static struct instance backend__self(const struct bpf_backend *b)
{
    struct instance self = {{{.tgid = b->runtime->self_tgid, .start_time_ns = b->runtime->self_start_ns}}, .count = 1};

    for (int i = 0; i < EMIT_HELPERS_MAX; i++) {
        const struct emit_helper *helper = &b->runtime->helpers[i];

        if (helper->tgid)
            self.processes[self.count++] =
                (struct ebpf_process){.tgid = helper->tgid, .helps = true, .start_time_ns = helper->start_ns};
    }
    return self;
}

static bool backend__knows(const struct bpf_backend *b, const struct ebpf_process *process)
{
    for (size_t i = 0; i < b->other_count; i++) {
        if (b->others[i].tgid == process->tgid && b->others[i].start_time_ns == process->start_time_ns)
            return true;
    }
    return false;
}

/* Helpers are among them: the probes leave out what these do, but not that they fork or execute something. */
static size_t bpf_backend__others(struct ebpf_backend *backend, struct ebpf_process ret_others[EBPF_OTHERS_MAX])
{
    struct bpf_backend *b = (struct bpf_backend *)backend;
    const struct instance self = backend__self(b);
    const size_t helpers = self.count - 1;
    size_t count = instances__others(&b->instances, &self, ret_others);

    for (size_t i = 0; i < count; i++) {
        if (!ret_others[i].helps && !backend__knows(b, &ret_others[i]))
            ebpf_log__write(&b->probes.log, EBPF_LOG_INFO, "process %u traces as well: what it does is left out",
                            ret_others[i].tgid);
    }
    memcpy(b->others, ret_others, count * sizeof(*ret_others));
    b->other_count = count;
    if (count > EBPF_OTHERS_MAX - helpers)
        count = EBPF_OTHERS_MAX - helpers;
    memcpy(ret_others + count, self.processes + 1, helpers * sizeof(*ret_others));
    return count + helpers;
}

static void backend__warn_of_strangers(const struct bpf_backend *b, const struct ebpf_source_opts *opts)
{
    for (size_t i = 0; i < opts->helper_count; i++) {
        if (!b->runtime->helpers[i].tgid)
            ebpf_log__write(&b->probes.log, EBPF_LOG_WARNING,
                            "process %u is no child of the thread that opens the source: what it does is not left out",
                            opts->helpers[i]);
    }
}

/* See Core/Kprobe.h. */
static void backend__warn_of_anybody(const struct bpf_backend *b)
{
    if (b->probes.constants.kprobes && preflight__anybody_may_use_bpf())
        ebpf_log__write(&b->probes.log, EBPF_LOG_WARNING,
                        "any process can make the kernel skip probes, because kernel.unprivileged_bpf_disabled is 0; "
                        "set it to 1 or 2");
}

static void backend__join_instances(struct bpf_backend *b)
{
    const struct instance self = backend__self(b);

    b->instances = instances__join(&self);
}

static void backend__leave_instances(struct bpf_backend *b)
{
    if (b->instances.map >= 0 && !b->base.inherited && b->runtime) { /* a child does not have the mapping */
        const struct instance self = backend__self(b);

        instances__leave(&self);
    }
    instances__close(&b->instances);
}

/*
 * Make the programs do nothing from now on. They stay attached until the source is closed, because detaching may take
 * 0.1 s each. One that is running may still be making its record.
 */
static void bpf_backend__stop(struct ebpf_backend *backend)
{
    struct bpf_backend *b = (struct bpf_backend *)backend;
    struct ebpf_counts counts;

    if (b->stopped)
        return;
    b->runtime->live = false;
    bpf_backend__counts(backend, &counts); /* reads the skipped runs a last time */
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
    libbpf_log__begin(b->libbpf_log ? &b->probes.log : NULL);
    backend__leave_instances(b);
    links__detach_all(&b->links, &b->probes);
    if (!backend->inherited)
        backend__unmap_memory(b);
    probes__close(&b->probes);
    libbpf_log__end();
    free(b);
}

/* Write the conditions. The probes check `selects` first: while the lists are written there are no conditions. */
static void backend__apply(struct bpf_backend *b, const struct selection *selection,
                           const struct ebpf_condition *conditions, size_t count)
{
    struct timespec now;

    __atomic_store_n(&b->runtime->selects, 0, __ATOMIC_SEQ_CST);
    b->runtime->include = selection->include;
    b->runtime->exclude = selection->exclude;
    b->runtime->quick = selection->quick;
    if (b->trees && trees__mark(b->trees, b->probes.tree_chunks, conditions, count))
        ebpf_log__write(&b->probes.log, EBPF_LOG_WARNING,
                        "cannot read /proc: of a tree, descendants from before are not traced; mount /proc");
    selection__find_cgroups(&b->runtime->include);
    selection__find_cgroups(&b->runtime->exclude);
    selection__warn_of_nobody(conditions, count, &b->probes.log);
    clock_gettime(CLOCK_MONOTONIC, &now); /* no earlier: what started meanwhile may be marked as well */
    b->runtime->selected_at = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
    __atomic_store_n(&b->runtime->selects, selection->kinds, __ATOMIC_SEQ_CST);
}

static int bpf_backend__select(struct ebpf_backend *backend, const struct ebpf_condition *conditions, size_t count)
{
    struct bpf_backend *b = (struct bpf_backend *)backend;
    struct selection selection;
    int err = selection__build(&selection, conditions, count, &b->probes.log);

    if (err)
        return err;
    if (selection.kinds & ~b->probes.hooks.select_kinds) {
        ebpf_log__write(&b->probes.log, EBPF_LOG_ERROR,
                        "cannot select by that: the source was opened without it in select_kinds");
        return -EOPNOTSUPP;
    }
    backend__apply(b, &selection, conditions, count);
    return 0;
}

static const char *bpf_backend__unavailable(const struct ebpf_backend *backend, enum ebpf_event_type type)
{
    return ((const struct bpf_backend *)backend)->probes.hooks.unavailable[type];
}

static const char *bpf_backend__lacks(struct ebpf_backend *backend, enum ebpf_event_type type, size_t n,
                                      const char **ret_program)
{
    return probes__lacks(&((struct bpf_backend *)backend)->probes, type, n, ret_program);
}

static bool bpf_backend__hook(struct ebpf_backend *backend, size_t n, struct ebpf_hook *ret_hook)
{
    return hooks__describe(&((struct bpf_backend *)backend)->probes.hooks, n, ret_hook);
}

static const struct ebpf_backend_ops bpf_backend_ops = {
    .counts = bpf_backend__counts,
    .stop = bpf_backend__stop,
    .select = bpf_backend__select,
    .others = bpf_backend__others,
    .over_budget = bpf_backend__over_budget,
    .unavailable = bpf_backend__unavailable,
    .lacks = bpf_backend__lacks,
    .hook = bpf_backend__hook,
    .close = bpf_backend__close,
};

static int backend__count_cpus(struct bpf_backend *b)
{
    const struct ebpf_log *log = &b->probes.log;
    int cpus = libbpf_num_possible_cpus();

    if (preflight__is_shortage(cpus)) {
        preflight__report_failure(log, "cannot determine the number of CPUs", cpus);
        return cpus;
    }
    if (cpus < 0) {
        ebpf_log__write(log, EBPF_LOG_ERROR, "cannot determine the number of CPUs: %s; is /sys mounted?",
                        preflight__error(cpus));
        return cpus;
    }
    b->probes.cpus = cpus;
    b->probes.slots = 2 * (uint32_t)cpus + 6;
    return 0;
}

/* Load and attach the probes, and report what is missing. 0 or -errno, logged but for -ENXIO. */
static int backend__start(struct bpf_backend *b, const struct ebpf_source_opts *opts)
{
    struct probes *p = &b->probes;
    int err = preflight__check(&p->log);

    if (!err)
        err = backend__count_cpus(b);
    if (!err && opts->disable_hooks)
        err = hooks__disable(&p->hooks, opts->disable_hooks, &p->log);
    if (!err)
        hooks__force(&p->hooks, opts->attach);
    if (!err)
        err = probes__start(p, &b->links, opts);
    for (int rounds = 0; !err && rounds < TRIAL_ROUNDS && trials__run(p); rounds++)
        err = probes__start_without_refused(p, &b->links, opts);
    if (err)
        return err;
    probes__report_lacking(p, opts->events);
    return opts->events.bits && !p->hooks.available.bits && !opts->allow_no_hook ? -ENXIO : 0;
}

static void backend__go_live(struct bpf_backend *b)
{
    b->base.streams = b->probes.slots + b->probes.cpu_slots;
    b->base.available = b->probes.hooks.available;
    b->base.bpf_tramp = b->links.have_trampoline;
    b->runtime->called = hooks__called_events(&b->probes.hooks).bits;
    syscalls__list(&b->probes, b->runtime->ends);
    b->runtime->flows_end = hooks__find(&b->probes.hooks, "cgroup__sock_release")->attached;
    counts__watch(b);
    b->runtime->live = true;
}

int bpf_backend__open(const struct ebpf_source_opts *opts, struct ebpf_backend **ret_backend)
{
    struct bpf_backend *b = calloc(1, sizeof(*b));
    const struct ebpf_log log = ebpf_log__of(opts);
    struct selection selection;
    int err;

    if (!b) {
        preflight__report_failure(&log, "cannot open a source", -ENOMEM);
        return -ENOMEM;
    }
    b->base.ops = &bpf_backend_ops;
    b->base.kind = EBPF_BACKEND_BPF;
    b->instances = INSTANCES_NONE;
    b->libbpf_log = opts->libbpf_log;
    libbpf_log__begin(b->libbpf_log ? &log : NULL);
    probes__init(&b->probes, &log);
    err = selection__build(&selection, opts->conditions, opts->condition_count, &log);
    b->probes.hooks.select_kinds = opts->select_kinds | (err ? 0 : selection.kinds);
    /* a kernel without such additions preempts no program: it has no trampolines, and tracepoints disable preemption */
    b->probes.hooks.spares = preflight__kernel_preempts() && b->probes.has_fetch;
    b->probes.tree_chunks = trees__chunk_count();
    if (!err)
        err = backend__start(b, opts);
    if (!err) {
        err = backend__map_memory(b);
        if (err)
            preflight__report_failure(&log, "cannot map the rings", err);
    }
    if (!err) {
        backend__warn_of_strangers(b, opts);
        backend__warn_of_anybody(b);
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
