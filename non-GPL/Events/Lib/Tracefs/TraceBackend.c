// SPDX-License-Identifier: BSD-2-Clause
/* TraceBackend.c - see TraceBackend.h. */
#include "TraceBackend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "Bpf/Kernel/Preflight.h"
#include "PointsBackend.h"
#include "TraceBtf.h"
#include "TraceCgroups.h"
#include "TraceEvents.h"
#include "TraceMerge.h"
#include "TraceOthers.h"
#include "TraceProcess.h"

#define PERIOD_NS 100000000
#define PERIOD_SHORT_NS 10000000
#define RING_BYTES_DEFAULT (4u << 20)
#define CPU_BYTES_MIN (512u << 10)
#define NS_PER_S UINT64_C(1000000000)
#define SETTLED_NS (NS_PER_S * 3) /* a probe that was hit has recorded by then, although a virtual processor may stop */
#define SETTLE_NS 20000000        /* once no probe is enabled any more */
#define SETTLE_TRIES 5
#define LACK_LEN 96
#define INITIAL_PID_NAMESPACE 0xEFFFFFFCu /* inode number, a constant of the kernel */
#define EVENT_LACKS_MAX (TRACE_LACKS_MAX + 4)
#define NO_KPROBES 1 /* no error: the instance is there, for the kernel's own tracepoints */

static const char not_sourced[] = "it is not sourced from tracefs; use BPF";

static const struct {
    enum ebpf_event_type type;
    const char *text;
} lacks[] = {
#define LACK(TYPE, text) {EBPF_EVENT_##TYPE, text},
#include "TraceLacks.def"
#undef LACK
};

struct trace_backend {
    struct ebpf_backend base;
    struct trace_instance in;
    struct trace_offsets offsets;
    struct trace_probes probes;
    struct trace_cgroups cgroups;
    struct trace_merge merge;
    struct trace_events events;
    struct ebpf_event_set wanted;
    uint64_t hits[TRACE_PROBE_COUNT];    /* at `counted_ns` */
    uint64_t settled[TRACE_PROBE_COUNT]; /* at least SETTLED_NS before: their records are there, if they are not lost */
    uint64_t counted_ns;
    uint64_t lost[EBPF_EVENT_TYPE_COUNT];
    bool in_round; /* the last pump had no room for the rest of it */
    bool stopped;
    unsigned int settle_tries;
    struct ebpf_process others[EBPF_OTHERS_MAX];
    size_t other_count;
    struct ebpf_log log;
    char lacks[EBPF_EVENT_TYPE_COUNT][EVENT_LACKS_MAX][LACK_LEN];
};

/* Return the probe that makes a type of event; TRACE_PROBE_COUNT if there is none. */
static enum trace_probe_id type__probe(unsigned int type)
{
    int id = 0;

    while (id < TRACE_PROBE_COUNT && !trace_probe__makes((enum trace_probe_id)id, type))
        id++;
    return (enum trace_probe_id)id;
}

/* ------------------------------------------------------------------------ reading */

static uint64_t clock__now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void settle(void)
{
    nanosleep(&(struct timespec){.tv_nsec = SETTLE_NS}, NULL);
}

/* Count the hits, before the buffers are read: at times while the probes are on, and when they are about to be off. */
static void hits__count(struct trace_backend *b)
{
    b->counted_ns = clock__now();
    memcpy(b->settled, b->hits, sizeof(b->settled));
    if (trace_probes__count_hits(&b->probes))
        return;
    for (int i = 0; i < TRACE_PROBE_COUNT; i++)
        b->hits[i] = b->probes.of[i].hits;
}

static void round__begin(struct trace_backend *b)
{
    if (!b->stopped && clock__now() - b->counted_ns >= SETTLED_NS)
        hits__count(b);
    trace_mounts__refresh(&b->events.mounts);
    trace_merge__begin(&b->merge, b->stopped);
    b->in_round = true;
}

static uint64_t probe__missing(const struct trace_backend *b, int id)
{
    return b->settled[id] > b->probes.of[id].read ? b->settled[id] - b->probes.of[id].read : 0;
}

/* Sum up by type the hits that have no record yet. */
static void round__count_missing(const struct trace_backend *b, uint64_t ret_missing[EBPF_EVENT_TYPE_COUNT])
{
    memset(ret_missing, 0, EBPF_EVENT_TYPE_COUNT * sizeof(*ret_missing));
    for (int i = 0; i < TRACE_PROBE_COUNT; i++)
        ret_missing[trace_probe__type((enum trace_probe_id)i)] += probe__missing(b, i);
}

/* Return whether a record may still come: a probe that was enabled may have been recording. */
static bool round__may_go_on(struct trace_backend *b)
{
    uint64_t missing[EBPF_EVENT_TYPE_COUNT];

    if (!b->stopped || b->settle_tries == SETTLE_TRIES)
        return false;
    round__count_missing(b, missing);
    for (unsigned int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
        if (missing[type] > b->lost[type]) {
            b->settle_tries++;
            settle();
            return true;
        }
    }
    return false;
}

/* Everything was read that there was: hits without a record are lost, each perhaps that of another event. */
static void round__end(struct trace_backend *b)
{
    uint64_t missing[EBPF_EVENT_TYPE_COUNT];

    round__count_missing(b, missing);
    for (unsigned int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
        if (missing[type] > b->lost[type])
            b->lost[type] = missing[type];
    }
    b->in_round = false;
}

static bool trace_backend__pump(struct ebpf_backend *backend)
{
    struct trace_backend *b = (struct trace_backend *)backend;
    struct trace_record record;
    struct trace_values values;
    struct slice cgroup;
    uint32_t tgid;

    if (!b->in_round)
        round__begin(b);
    while (trace_events__have_room(&b->events)) {
        if (!trace_merge__next(&b->merge, &record)) {
            if (round__may_go_on(b)) {
                round__begin(b);
                continue;
            }
            round__end(b);
            return false;
        }
        if (trace_probes__take(&b->probes, &record, &values))
            trace_events__take(&b->events, &values);
        else if (trace_cgroups__take(&b->cgroups, &record, &tgid, &cgroup))
            trace_events__move(&b->events, tgid, cgroup);
    }
    return true;
}

static void trace_backend__counts(struct ebpf_backend *backend, struct ebpf_counts *ret_counts)
{
    const struct trace_backend *b = (struct trace_backend *)backend;

    memset(ret_counts, 0, sizeof(*ret_counts));
    for (unsigned int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
        bool is_available = ebpf_event_set__has(backend->available, (enum ebpf_event_type)type);
        uint64_t lost = is_available ? b->lost[type] : 0, missed = is_available ? b->events.missed[type] : 0;

        ret_counts->delivered[type] = b->events.delivered[type];
        ret_counts->filtered[type] = b->events.filtered[type];
        ret_counts->lost[type][EBPF_REASON_RING_FULL] = lost;
        ret_counts->lost[type][EBPF_REASON_STATE] = missed;
        ret_counts->seen[type] = b->events.delivered[type] + b->events.filtered[type] + lost + missed;
    }
}

static size_t trace_backend__others(struct ebpf_backend *backend, struct ebpf_process ret_others[EBPF_OTHERS_MAX])
{
    struct trace_backend *b = (struct trace_backend *)backend;

    size_t count = trace_others__find(&b->in, &b->events.processes, ret_others);

    for (size_t i = 0; i < count; i++) {
        bool is_known = ret_others[i].helps;

        for (size_t n = 0; n < b->other_count && !is_known; n++)
            is_known = b->others[n].tgid == ret_others[i].tgid;
        if (!is_known)
            ebpf_log__write(&b->log, EBPF_LOG_INFO, "process %u traces as well: what it does is left out",
                            ret_others[i].tgid);
    }
    memcpy(b->others, ret_others, count * sizeof(*ret_others));
    b->other_count = count;
    return count;
}

static void trace_backend__stop(struct ebpf_backend *backend)
{
    struct trace_backend *b = (struct trace_backend *)backend;

    if (b->stopped)
        return;
    hits__count(b); /* while a probe is being disabled it is still hit, and records nothing */
    memcpy(b->settled, b->hits, sizeof(b->settled));
    trace_probes__stop(&b->probes);
    settle();
    b->stopped = true;
    b->in_round = false;
}

/* ------------------------------------------------------------------------- source */

static int trace_backend__select(struct ebpf_backend *backend, const struct ebpf_condition *conditions, size_t count)
{
    struct trace_backend *b = (struct trace_backend *)backend;

    return trace_selection__set(&b->events.selection, &b->events.processes, conditions, count, &b->log);
}

static const char *trace_backend__unavailable(const struct ebpf_backend *backend, enum ebpf_event_type type)
{
    const struct trace_backend *b = (const struct trace_backend *)backend;
    enum trace_probe_id id = type__probe(type);

    return id == TRACE_PROBE_COUNT ? not_sourced : b->probes.of[id].why;
}

static const char *trace_backend__lacks(struct ebpf_backend *backend, enum ebpf_event_type type, size_t n,
                                        const char **ret_program)
{
    const struct trace_backend *b = (struct trace_backend *)backend;

    *ret_program = NULL;
    return n < EVENT_LACKS_MAX && *b->lacks[type][n] ? b->lacks[type][n] : NULL;
}

static void trace_backend__close(struct ebpf_backend *backend)
{
    struct trace_backend *b = (struct trace_backend *)backend;

    trace_merge__close(&b->merge);
    if (!backend->inherited)
        trace_instance__close(&b->in);
    trace_events__fini(&b->events);
    free(b);
}

static const struct ebpf_backend_ops trace_backend_ops = {
    .pump = trace_backend__pump,
    .others = trace_backend__others,
    .counts = trace_backend__counts,
    .stop = trace_backend__stop,
    .select = trace_backend__select,
    .unavailable = trace_backend__unavailable,
    .lacks = trace_backend__lacks,
    .close = trace_backend__close,
};

/* --------------------------------------------------------------------------- open */

static void lack__add(struct trace_backend *b, enum ebpf_event_type type, const char *prefix, const char *text)
{
    size_t n = 0;

    while (n < EVENT_LACKS_MAX && *b->lacks[type][n])
        n++;
    if (n < EVENT_LACKS_MAX)
        snprintf(b->lacks[type][n], LACK_LEN, "%s%s", prefix, text);
}

/* Find out which events there are, and what they lack, and report what is missing. */
static void backend__report(struct trace_backend *b)
{
    for (unsigned int type = 1; type < EBPF_EVENT_TYPE_COUNT; type++) {
        enum trace_probe_id id = type__probe(type);
        const struct trace_probe *probe = id < TRACE_PROBE_COUNT ? &b->probes.of[id] : NULL;

        if (!ebpf_event_set__has(b->wanted, (enum ebpf_event_type)type))
            continue;
        if (!probe || !probe->is_on) {
            ebpf_log__write(&b->log, EBPF_LOG_WARNING, "%s is unavailable: %s",
                            ebpf_event_type__option((enum ebpf_event_type)type), probe ? probe->why : not_sourced);
            continue;
        }
        ebpf_event_set__add(&b->base.available, (enum ebpf_event_type)type);
        for (int i = 0; i < TRACE_LACKS_MAX && probe->lacks[i]; i++)
            lack__add(b, (enum ebpf_event_type)type, "not filled in: ", probe->lacks[i]);
        for (size_t i = 0; i < sizeof(lacks) / sizeof(*lacks); i++) {
            if (lacks[i].type == type)
                lack__add(b, lacks[i].type, "", lacks[i].text);
        }
    }
}

/* Lockdown forbids to read kernel memory; the kernel's records have process ids of the initial namespace. */
static int backend__check(const struct trace_backend *b)
{
    struct stat st;

    if (preflight__is_locked_down()) {
        ebpf_log__write(&b->log, EBPF_LOG_ERROR,
                        "cannot use tracefs: kernel lockdown is at 'confidentiality'; boot with lockdown=integrity or "
                        "none");
        return -EPERM;
    }
    if (stat("/proc/self/ns/pid", &st) || st.st_ino == INITIAL_PID_NAMESPACE)
        return 0;
    ebpf_log__write(&b->log, EBPF_LOG_ERROR,
                    "cannot use tracefs in a pid namespace, whose numbers are not the machine's; run it in the initial "
                    "one (a container with --pid=host, or nsenter --target 1 --pid)");
    return -EOPNOTSUPP;
}

/* Return how large the buffer of a CPU is to be: they share what two rings would have, down to CPU_BYTES_MIN. */
static uint32_t cpu__bytes(const struct ebpf_source_opts *opts)
{
    uint32_t ring = opts->ring_bytes ? opts->ring_bytes : RING_BYTES_DEFAULT;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t bytes = (uint32_t)(EBPF_RING_COUNT * (uint64_t)ring / (uint64_t)(cpus > 0 ? cpus : 1));

    if (bytes > ring)
        return ring;
    return bytes > CPU_BYTES_MIN ? bytes : ring < CPU_BYTES_MIN ? ring : CPU_BYTES_MIN;
}

static bool backend__needs_sockets(const struct trace_backend *b)
{
    bool needs = false;

    for (int type = EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED; type <= EBPF_EVENT_NETWORK_DATAGRAM_FLOW; type++)
        needs = needs || ebpf_event_set__has(b->wanted, (enum ebpf_event_type)type);
    return needs;
}

/* 0, NO_KPROBES, or -errno. */
static int backend__start(struct trace_backend *b, const struct ebpf_source_opts *opts)
{
    int err = backend__check(b);

    if (err)
        return err;
    err = trace_instance__open(&b->in, &b->log, cpu__bytes(opts) / 1024);
    if (err)
        return err == -ENODEV || err == -ENOENT ? -EOPNOTSUPP : err == -EACCES ? -EPERM : err;
    if (!trace_instance__has_kprobes(&b->in))
        return NO_KPROBES;
    err = trace_offsets__find(&b->in, backend__needs_sockets(b), &b->offsets);
    if (err) {
        ebpf_log__write(&b->log, EBPF_LOG_ERROR,
                        "cannot probe the kernel by tracefs: %s; it needs CONFIG_KPROBE_EVENTS", strerror(-err));
        return -EOPNOTSUPP;
    }
    trace_btf__check(&b->offsets, &b->log);
    if (opts->budget)
        ebpf_log__write(&b->log, EBPF_LOG_WARNING, "a budget is not applied to events from tracefs; use a selection");
    if (opts->is_cancelled && opts->is_cancelled(opts->user))
        return -ECANCELED;
    err = trace_events__init(&b->events, opts, b->base.rings);
    if (!err)
        err = trace_merge__open(&b->merge, &b->in);
    if (err) {
        ebpf_log__write(&b->log, EBPF_LOG_ERROR, "cannot read from tracefs: %s; free memory or descriptors",
                        strerror(-err));
        return err;
    }
    b->events.root_mount = b->offsets.root[0];
    b->events.root_dentry = b->offsets.root[1];
    b->events.mptcp_ulp = b->offsets.mptcp_ulp;
    trace_cgroups__start(&b->cgroups, &b->in);
    trace_probes__start(&b->probes, &b->in, &b->offsets, b->wanted);
    trace_helpers__publish(&b->in, opts->helpers, opts->helper_count);
    trace_shm__learn(&b->events);
    err = processes__init(&b->events.processes); /* what happens meanwhile is in the buffers */
    if (!err)
        err = threads__init(&b->events.threads);
    if (!err)
        err = trace_selection__set(&b->events.selection, &b->events.processes, opts->conditions, opts->condition_count,
                                   &b->log);
    return err;
}

int trace_backend__open(const struct ebpf_source_opts *opts, struct ebpf_backend **ret_backend)
{
    struct trace_backend *b = calloc(1, sizeof(*b));
    const struct ebpf_log log = ebpf_log__of(opts);

    if (!b) {
        ebpf_log__write(&log, EBPF_LOG_ERROR, "cannot open a source: %s; free memory", strerror(ENOMEM));
        return -ENOMEM;
    }
    b->base = (struct ebpf_backend){.ops = &trace_backend_ops,
                                    .kind = EBPF_BACKEND_TRACEFS,
                                    .period_ns = opts->low_latency ? PERIOD_SHORT_NS : PERIOD_NS,
                                    .streams = 1};
    for (int i = 0; i < EBPF_RING_COUNT; i++)
        b->base.ring_fds[i] = -1;
    b->in = TRACE_INSTANCE_NONE;
    b->events.mounts.fd = -1;
    b->log = log;
    b->wanted = b->events.wanted = opts->events;
    int err = backend__start(b, opts);

    if (err == NO_KPROBES) {
        err = points_backend__open(opts, &b->in, ret_backend);
        trace_backend__close(&b->base);
        return err;
    }
    if (!err) {
        backend__report(b);
        err = opts->events.bits && !b->base.available.bits && !opts->allow_no_hook ? -ENXIO : 0;
    }
    if (err) {
        trace_backend__close(&b->base);
        return err;
    }
    *ret_backend = &b->base;
    return 0;
}
