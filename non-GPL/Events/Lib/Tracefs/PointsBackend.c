// SPDX-License-Identifier: BSD-2-Clause
/* PointsBackend.c - see PointsBackend.h. */
#include "PointsBackend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "Points.h"
#include "TraceCgroups.h"
#include "TraceMerge.h"

#define REPAIR_PAUSE 10    /* so many times what it took, before the next one */
#define PERIOD_NS 10000000 /* the sooner it is read, the more processes are still there */
#define NS_PER_S UINT64_C(1000000000)
#define SETTLE_NS 20000000 /* once no tracepoint is enabled any more */
#define WHY_LEN 160

struct points_backend {
    struct ebpf_backend base;
    struct trace_instance in;
    struct trace_cgroups cgroups;
    struct trace_merge merge;
    struct points points;
    struct trace_record record; /* the oldest one that was not taken */
    bool has_record;
    bool in_round; /* the last pump had no room for the rest of it */
    bool stopped;
    uint64_t repaired_ns;   /* when the tables were last read again */
    uint64_t repaired_lost; /* what was lost until then */
    int point_errs[TRACE_POINT_COUNT];
    int connector_err;
    struct ebpf_log log;
    char why[EBPF_EVENT_TYPE_COUNT][WHY_LEN];
};

/* What makes each type of event. */
#define NEEDS(point) (1u << TRACE_POINT_##point)
#define CONNECTOR (1u << TRACE_POINT_COUNT)
static const uint32_t needs[EBPF_EVENT_TYPE_COUNT] = {
    [EBPF_EVENT_PROCESS_FORK] = NEEDS(NEWTASK),
    [EBPF_EVENT_PROCESS_EXEC] = NEEDS(EXEC),
    [EBPF_EVENT_PROCESS_EXIT] = CONNECTOR | NEEDS(NEWTASK),
    [EBPF_EVENT_PROCESS_SETSID] = CONNECTOR,
    [EBPF_EVENT_PROCESS_SETUID] = CONNECTOR,
    [EBPF_EVENT_PROCESS_SETGID] = CONNECTOR,
    [EBPF_EVENT_PROCESS_PTRACE] = CONNECTOR,
    [EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED] = NEEDS(STATE),
    [EBPF_EVENT_NETWORK_CONNECTION_FAILED] = NEEDS(STATE),
    [EBPF_EVENT_NETWORK_CONNECTION_CLOSED] = NEEDS(STATE),
    [EBPF_EVENT_NETWORK_LISTEN] = NEEDS(STATE),
};

/*
 * The types that count what was lost: the first one that is available. A record that was overwritten may have been a
 * fork or a connection, or the name of a program; a message that is missing a change of ids, an exec or an exit.
 */
static const enum ebpf_event_type loses_records[] = {
    EBPF_EVENT_PROCESS_FORK,
    EBPF_EVENT_PROCESS_EXEC,
    EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED,
    EBPF_EVENT_NETWORK_CONNECTION_CLOSED,
    EBPF_EVENT_NETWORK_CONNECTION_FAILED,
    EBPF_EVENT_NETWORK_LISTEN,
};
static const enum ebpf_event_type loses_messages[] = {
    EBPF_EVENT_PROCESS_EXEC,   EBPF_EVENT_PROCESS_EXIT,   EBPF_EVENT_PROCESS_SETUID,
    EBPF_EVENT_PROCESS_SETGID, EBPF_EVENT_PROCESS_PTRACE, EBPF_EVENT_PROCESS_SETSID,
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
    enum ebpf_event_type type;
    const char *text;
} lacks[] = {
    {EBPF_EVENT_PROCESS_FORK, "not seen: programs that the kernel starts, such as modprobe"},
    {EBPF_EVENT_PROCESS_FORK, "start_time_ns is when the fork was recorded"},
    {EBPF_EVENT_PROCESS_FORK,
     "cwd, root_path as when it is read; cut if the creator's are others by then, or both are gone"},
    {EBPF_EVENT_PROCESS_FORK, "creds, ns are the creator's if the process has changed or ended since"},
    {EBPF_EVENT_PROCESS_EXEC, "no argv, argc, env, script, is_setuid, is_setgid, inode_nlink"},
    {EBPF_EVENT_PROCESS_EXEC, "filename as the caller gave it, of a script the script, if it is gone or execs again"},
    {EBPF_EVENT_PROCESS_EXEC, "cwd, ns, ctty as when it is read; cut, or as seen last, if it is gone or execs again"},
    {EBPF_EVENT_PROCESS_EXIT, "creds, ns, ctty are those that were seen last"},
    {EBPF_EVENT_PROCESS_SETSID, "creds, ns are those that were seen last; tid is the process's"},
    {EBPF_EVENT_PROCESS_SETUID, "creds, ns are those that were seen last"},
    {EBPF_EVENT_PROCESS_SETUID, "new_suid, new_fsuid are 4294967295 if it changes again or is gone"},
    {EBPF_EVENT_PROCESS_SETGID, "creds, ns are those that were seen last"},
    {EBPF_EVENT_PROCESS_SETGID, "new_sgid, new_fsgid are 4294967295 if it changes again or is gone"},
    {EBPF_EVENT_PROCESS_PTRACE, "no request; not seen: what was refused"},
    {EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED,
     "source_port is 0 unless it was bound; network_namespace is the thread's"},
    {EBPF_EVENT_NETWORK_CONNECTION_FAILED, "no errno but ECONNREFUSED; not seen: what fails at once"},
    {EBPF_EVENT_NETWORK_CONNECTION_CLOSED, "no bytes; not before the connection is over; shutdown counts as close"},
    {EBPF_EVENT_NETWORK_CONNECTION_CLOSED, "owner_pids of connections that were opened here, not of accepted ones"},
    {EBPF_EVENT_NETWORK_LISTEN, "no backlog; source_port is 0 unless it was bound; also what fails"},
};

/* ------------------------------------------------------------------------ reading */

static uint64_t clock__now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/*
 * After a loss the tables have threads and connections that have ended. They are read again, at most once a second, and
 * for no more than a tenth of the time.
 */
static void tables__repair(struct points_backend *b)
{
    uint64_t lost = b->merge.overwritten + b->points.connector.lost, now = clock__now();

    if (lost == b->repaired_lost || (int64_t)(now - b->repaired_ns) < (int64_t)NS_PER_S)
        return;
    b->repaired_lost = lost;
    points_threads__repair(&b->points);
    points_sockets__clear(&b->points.sockets);
    b->repaired_ns = clock__now() + REPAIR_PAUSE * (clock__now() - now);
}

/* A message is in the socket when it has happened, so all that are older than the round's records are read here. */
static void round__begin(struct points_backend *b)
{
    trace_merge__begin(&b->merge, b->stopped);
    trace_connector__read(&b->points.connector);
    trace_connector__count(&b->points.connector, b->stopped);
    b->in_round = true;
}

static void record__take(struct points_backend *b, const struct trace_record *record)
{
    struct trace_hit hit;
    struct slice cgroup;
    uint32_t tgid;

    if (trace_cgroups__take(&b->cgroups, record, &tgid, &cgroup)) {
        trace_events__move(&b->points.events, tgid, cgroup);
        return;
    }
    if (!trace_points__take(&b->points.points, record, &hit))
        return;
    switch (hit.point) {
    case TRACE_POINT_NEWTASK:
        points_fork__take(&b->points, &hit);
        return;
    case TRACE_POINT_RENAME:
        points_rename__take(&b->points, &hit);
        return;
    case TRACE_POINT_EXEC:
        points_program__take(&b->points, &hit);
        return;
    case TRACE_POINT_EXIT:
        points_ending__take(&b->points, &hit);
        return;
    case TRACE_POINT_STATE:
        points_state__take(&b->points, &hit);
        return;
    case TRACE_POINT_RESET:
        points_reset__take(&b->points, &hit);
        return;
    default:
        return;
    }
}

/* Take the oldest record or message of the round. False if there is none. */
static bool next__take(struct points_backend *b)
{
    const struct trace_notice *first;

    if (!b->has_record)
        b->has_record = trace_merge__next(&b->merge, &b->record);
    first = trace_connector__first(&b->points.connector);
    if (first && first->time_ns <= b->merge.until_ns && (!b->has_record || first->time_ns < b->record.time_ns)) {
        struct trace_notice notice = *first;

        trace_connector__drop(&b->points.connector);
        points_notice__take(&b->points, &notice);
        return true;
    }
    if (!b->has_record)
        return false;
    b->has_record = false;
    record__take(b, &b->record);
    return true;
}

static bool points_backend__pump(struct ebpf_backend *backend)
{
    struct points_backend *b = (struct points_backend *)backend;

    if (!b->in_round)
        round__begin(b);
    while (trace_events__have_room(&b->points.events)) {
        if (next__take(b))
            continue;
        b->in_round = false;
        trace_connector__count(&b->points.connector, b->stopped);
        tables__repair(b);
        return false;
    }
    return true;
}

/* Add losses to the first type of some that is available. */
static void lost__charge(const struct points_backend *b, struct ebpf_counts *counts, const enum ebpf_event_type *types,
                         size_t count, uint64_t lost)
{
    for (size_t i = 0; i < count; i++) {
        if (!ebpf_event_set__has(b->base.available, types[i]))
            continue;
        counts->lost[types[i]][EBPF_REASON_RING_FULL] += lost;
        counts->seen[types[i]] += lost;
        return;
    }
}

static void points_backend__counts(struct ebpf_backend *backend, struct ebpf_counts *ret_counts)
{
    const struct points_backend *b = (struct points_backend *)backend;

    memset(ret_counts, 0, sizeof(*ret_counts));
    for (unsigned int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
        ret_counts->delivered[type] = b->points.events.delivered[type];
        ret_counts->filtered[type] = b->points.events.filtered[type];
        ret_counts->seen[type] = ret_counts->delivered[type] + ret_counts->filtered[type];
    }
    lost__charge(b, ret_counts, loses_records, COUNT(loses_records), b->merge.overwritten);
    lost__charge(b, ret_counts, loses_messages, COUNT(loses_messages), b->points.connector.lost);
}

static void points_backend__stop(struct ebpf_backend *backend)
{
    struct points_backend *b = (struct points_backend *)backend;

    if (b->stopped)
        return;
    trace_instance__disable(&b->in);
    trace_connector__stop(&b->points.connector);
    nanosleep(&(struct timespec){.tv_nsec = SETTLE_NS}, NULL);
    b->stopped = true;
    b->in_round = false;
}

/* ------------------------------------------------------------------------- source */

static int points_backend__select(struct ebpf_backend *backend, const struct ebpf_condition *conditions, size_t count)
{
    struct points_backend *b = (struct points_backend *)backend;

    return trace_selection__set(&b->points.events.selection, &b->points.events.processes, conditions, count, &b->log);
}

static const char *points_backend__unavailable(const struct ebpf_backend *backend, enum ebpf_event_type type)
{
    return ((const struct points_backend *)backend)->why[type];
}

static const char *points_backend__lacks(struct ebpf_backend *backend, enum ebpf_event_type type, size_t n,
                                         const char **ret_program)
{
    const struct points_backend *b = (struct points_backend *)backend;

    *ret_program = NULL;
    if (type == EBPF_EVENT_PROCESS_EXEC && b->connector_err && !n--)
        return "filename only as the caller gave it, no cwd: the proc connector is needed (CONFIG_PROC_EVENTS)";
    for (size_t i = 0; i < COUNT(lacks); i++) {
        if (lacks[i].type == type && !n--)
            return lacks[i].text;
    }
    return NULL;
}

static void points_backend__close(struct ebpf_backend *backend)
{
    struct points_backend *b = (struct points_backend *)backend;

    trace_merge__close(&b->merge);
    trace_connector__close(&b->points.connector);
    if (!backend->inherited)
        trace_instance__close(&b->in);
    points_sockets__fini(&b->points.sockets);
    trace_events__fini(&b->points.events);
    free(b);
}

static const struct ebpf_backend_ops points_backend_ops = {
    .pump = points_backend__pump,
    .counts = points_backend__counts,
    .stop = points_backend__stop,
    .select = points_backend__select,
    .unavailable = points_backend__unavailable,
    .lacks = points_backend__lacks,
    .close = points_backend__close,
};

/* --------------------------------------------------------------------------- open */

/* Write down why an event cannot be made; "" if it can. */
static void event__explain(struct points_backend *b, unsigned int type)
{
    char *why = b->why[type];

    if (type == EBPF_EVENT_NETWORK_CONNECTION_ACCEPTED)
        snprintf(why, WHY_LEN, "no tracepoint shows who accepts a connection; it needs CONFIG_KPROBE_EVENTS");
    else if (!needs[type])
        snprintf(why, WHY_LEN, "no tracepoint shows it; it needs CONFIG_KPROBE_EVENTS");
    else if (needs[type] & CONNECTOR && b->connector_err)
        snprintf(why, WHY_LEN,
                 "the proc connector cannot be used: %s; it needs CONFIG_PROC_EVENTS and the initial network namespace",
                 strerror(-b->connector_err));
    for (int i = 0; i < TRACE_POINT_COUNT && !*why; i++) {
        if (needs[type] >> i & 1 && b->point_errs[i])
            snprintf(why, WHY_LEN, "the kernel refuses the tracepoint %s: %s", trace_point__name((enum trace_point)i),
                     strerror(-b->point_errs[i]));
    }
}

/* Find out which events there are, and report what is missing. */
static void backend__report(struct points_backend *b, struct ebpf_event_set wanted)
{
    ebpf_log__write(
        &b->log, EBPF_LOG_WARNING,
        "the kernel has no kprobes (CONFIG_KPROBE_EVENTS): events come from its own tracepoints, which show "
        "much less");
    for (unsigned int type = 1; type < EBPF_EVENT_TYPE_COUNT; type++) {
        event__explain(b, type);
        if (!ebpf_event_set__has(wanted, (enum ebpf_event_type)type))
            continue;
        if (*b->why[type])
            ebpf_log__write(&b->log, EBPF_LOG_WARNING, "%s is unavailable: %s",
                            ebpf_event_type__option((enum ebpf_event_type)type), b->why[type]);
        else
            ebpf_event_set__add(&b->base.available, (enum ebpf_event_type)type);
    }
}

static void points__start(struct points_backend *b, struct ebpf_event_set wanted)
{
    bool has_network = false;

    for (unsigned int type = 1; type < EBPF_EVENT_TYPE_COUNT; type++)
        has_network |= needs[type] & NEEDS(STATE) && ebpf_event_set__has(wanted, (enum ebpf_event_type)type);
    b->connector_err = trace_connector__open(&b->points.connector);
    for (int i = 0; i < TRACE_POINT_COUNT; i++) {
        if (has_network || (i != TRACE_POINT_STATE && i != TRACE_POINT_RESET))
            b->point_errs[i] = trace_point__start(&b->points.points, (enum trace_point)i, &b->in);
    }
    trace_cgroups__start(&b->cgroups, &b->in);
}

static int backend__start(struct points_backend *b, const struct ebpf_source_opts *opts)
{
    int err = trace_events__init(&b->points.events, opts, b->base.rings);

    if (!err)
        err = points_sockets__init(&b->points.sockets);
    if (!err)
        err = trace_merge__open(&b->merge, &b->in);
    if (err) {
        ebpf_log__write(&b->log, EBPF_LOG_ERROR, "cannot read from tracefs: %s; free memory or descriptors",
                        strerror(-err));
        return err;
    }
    points__start(b, opts->events);
    err = points_threads__init(&b->points); /* what happens meanwhile is in the buffers */
    if (err) {
        ebpf_log__write(&b->log, EBPF_LOG_ERROR, "cannot read /proc: %s; free memory, or mount it", strerror(-err));
        return err;
    }
    return trace_selection__set(&b->points.events.selection, &b->points.events.processes, opts->conditions,
                                opts->condition_count, &b->log);
}

int points_backend__open(const struct ebpf_source_opts *opts, struct trace_instance *in,
                         struct ebpf_backend **ret_backend)
{
    struct points_backend *b = calloc(1, sizeof(*b));
    const struct ebpf_log log = ebpf_log__of(opts);

    if (!b) {
        trace_instance__close(in);
        ebpf_log__write(&log, EBPF_LOG_ERROR, "cannot open a source: %s; free memory", strerror(ENOMEM));
        return -ENOMEM;
    }
    b->base = (struct ebpf_backend){
        .ops = &points_backend_ops, .kind = EBPF_BACKEND_TRACEFS, .period_ns = PERIOD_NS, .streams = 1};
    for (int i = 0; i < EBPF_RING_COUNT; i++)
        b->base.ring_fds[i] = -1;
    b->in = *in;
    *in = TRACE_INSTANCE_NONE;
    b->log = log;
    b->points.connector.fd = -1;
    b->points.events.mounts.fd = -1;
    b->points.events.wanted = opts->events;
    int err = backend__start(b, opts);

    if (!err) {
        backend__report(b, opts->events);
        err = opts->events.bits && !b->base.available.bits && !opts->allow_no_hook ? -ENXIO : 0;
    }
    if (err) {
        points_backend__close(&b->base);
        return err;
    }
    *ret_backend = &b->base;
    return 0;
}
