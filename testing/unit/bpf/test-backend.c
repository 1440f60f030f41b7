// SPDX-License-Identifier: BSD-2-Clause
/* test-backend.c - what the backend that loads the probes counts, writes for them, and reads from their rings. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "fake-kernel.h"

#define RING_BYTES (64u << 10)

static int taken, lines, over_budget_count;

static int take(void *user, const struct ebpf_event *event)
{
    (void)user;
    taken++;
    CHECK(event->seq == (uint64_t)taken && event->hdr->stream_seq == (uint64_t)taken);
    return 0;
}

static int take_over_budget(void *user, const struct ebpf_over_budget *over)
{
    (void)user;
    over_budget_count++;
    CHECK(over->lost == 7 && over->uid == 1000);
    return 0;
}

static void count_line(void *user, enum ebpf_log_level level, const char *line)
{
    (void)user;
    lines += level == EBPF_LOG_ERROR;
    if (level == EBPF_LOG_ERROR && !identify_err)
        printf("    said %s\n", line);
}

static struct ebpf_source_opts good_opts(void)
{
    return (struct ebpf_source_opts){.sz = sizeof(struct ebpf_source_opts),
                                     .events = ebpf_event_set__all(),
                                     .handler = take,
                                     .log_line = count_line,
                                     .ring_bytes = RING_BYTES};
}

static void forget(void)
{
    kernel__forget();
    taken = lines = 0;
}

static struct ebpf_source *open_source(const struct ebpf_source_opts *opts)
{
    struct ebpf_source *source = NULL;

    forget();
    CHECK(!ebpf_source__open(opts, &source) && lines == 0);
    return source;
}

static void test_live(void)
{
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_source *source = open_source(&opts);

    if (!source)
        return;
    CHECK(runtime->live && !runtime->selects);
    CHECK_SAME(identified, "raw_tp__identify_self");
    ebpf_source__stop(source);
    CHECK(!runtime->live);
    ebpf_source__close(source);
}

/* A source that does not know its own process would trace itself without end, so it is not opened. */
static void test_unknown_self(void)
{
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_source *source = NULL;

    forget();
    identify_err = -EPERM;
    CHECK(ebpf_source__open(&opts, &source) == -EPERM && !source && lines == 1);
    identify_err = 0;
}

static void test_constants(void)
{
    struct ebpf_source_opts opts = good_opts();

    ebpf_source__close(open_source(&opts));
    CHECK(constants.wakeup_bytes == RING_BYTES / 8 && !constants.capture_env && !constants.budget);
    CHECK(!constants.selects && !constants.poison && constants.events == opts.events.bits);
    CHECK(constants.slots == 2 * CPUS + 6);
    opts.low_latency = opts.env = true;
    opts.budget = 9;
    opts.events.bits = 0;
    ebpf_event_set__add(&opts.events, EBPF_EVENT_PROCESS_SETSID);
    opts.condition_count = 1;
    opts.conditions = &(struct ebpf_condition){.kind = EBPF_SELECT_UID, .id = 3, .exclude = true};
    ebpf_source__close(open_source(&opts));
    CHECK(!constants.wakeup_bytes && constants.capture_env == 1 && constants.budget == 9);
    CHECK(constants.selects == 1u << SELECT_UID && constants.events == opts.events.bits);
}

/* The selection is in force from the beginning; a later one replaces it. */
static void test_selection(void)
{
    struct ebpf_condition uid = {.kind = EBPF_SELECT_UID, .id = 3, .exclude = true};
    struct ebpf_source_opts opts = good_opts();

    opts.conditions = &uid;
    opts.condition_count = 1;
    struct ebpf_source *source = open_source(&opts);

    if (!source)
        return;
    CHECK(runtime->selects == 1u << SELECT_UID && runtime->exclude.uids[0] == 3);
    CHECK(runtime->include.uids[0] == SELECT_NO_ID && runtime->selected_at);
    uid.exclude = false;
    CHECK(!ebpf_source__select(source, &uid, 1));
    CHECK(runtime->include.uids[0] == 3 && runtime->exclude.uids[0] == SELECT_NO_ID);
    uid.kind = EBPF_SELECT_COMM;
    uid.text = "sh";
    CHECK(ebpf_source__select(source, &uid, 1) == -EOPNOTSUPP &&
          runtime->include.uids[0] == 3); /* not in select_kinds */
    ebpf_source__close(source);
}

/* The counts of all processors are summed. */
static void test_counts(void)
{
    const enum ebpf_event_type type = EBPF_EVENT_PROCESS_SETSID;
    struct ebpf_type_stats counted = {.sz = sizeof(counted)};
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_source *source = open_source(&opts);
    const struct ebpf_stats *stats;

    if (!source)
        return;
    for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
        counters[cpu].seen[type] = 100 + cpu;
        counters[cpu].filtered[type] = 10 + cpu;
        counters[cpu].lost[EBPF_REASON_NO_SCRATCH][type] = cpu;
    }
    CHECK(!ebpf_source__stats(source, &stats) && !ebpf_stats__type(stats, type, &counted));
    CHECK(counted.seen == 303 && counted.filtered == 33);
    CHECK(ebpf_stats__lost(stats, type, EBPF_REASON_NO_SCRATCH) == 3);
    CHECK(ebpf_stats__lost(stats, type, EBPF_REASON_RING_FULL) == 0);
    ebpf_source__close(source);
}

static uint64_t lost_by_recursion(struct ebpf_source *source, int type)
{
    const struct ebpf_stats *stats;

    return ebpf_source__stats(source, &stats) ? 0 : ebpf_stats__lost(stats, type, EBPF_REASON_RECURSION);
}

/* A hook with or without spares that the backend watches. */
static const struct guarded_hook *watched(bool has_spares)
{
    for (size_t i = 0; i < backend->guarded_count; i++) {
        if (backend->guarded[i].has_spares == has_spares && (has_spares || backend->guarded[i].last.fd < 0))
            return &backend->guarded[i];
    }
    return NULL;
}

/* Skips count as lost from the beginning of the tracing to its end. */
static void test_skips(void)
{
    struct ebpf_source_opts opts = good_opts();

    forget();
    for (size_t i = 0; i < HOOKS_PROGRAMS_MAX; i++)
        skips[i] = 50;
    struct ebpf_source *source = NULL;

    if (!CHECK(!ebpf_source__open(&opts, &source)))
        return;
    const struct guarded_hook *hook = watched(false);

    if (CHECK(hook)) {
        CHECK(lost_by_recursion(source, hook->event) == 0);
        skips[hook->first.fd - PROGRAM_FDS] = 53;
        CHECK(lost_by_recursion(source, hook->event) == 3);
        ebpf_source__stop(source);
        skips[hook->first.fd - PROGRAM_FDS] = 60; /* after the end */
        CHECK(lost_by_recursion(source, hook->event) == 3);
    }
    ebpf_source__close(source);
}

/* An event of a hook with spares is lost only if neither the program nor a spare made it. */
static void test_rescued(void)
{
    struct ebpf_source_opts opts = good_opts();

    preempts = true;
    struct ebpf_source *source = open_source(&opts);

    preempts = false;
    if (!source)
        return;
    const struct guarded_hook *hook = watched(true);

    if (CHECK(hook) && CHECK(hook->last.fd >= PROGRAM_FDS)) {
        uint64_t *first = &skips[hook->first.fd - PROGRAM_FDS], *last = &skips[hook->last.fd - PROGRAM_FDS];

        *first = 10;
        CHECK(lost_by_recursion(source, hook->event) == 0); /* the spare was not skipped */
        *last = 8;
        CHECK(lost_by_recursion(source, hook->event) == 8);
        counters[0].rescued[hook->spare_hook] += 3;
        counters[1].rescued[hook->spare_hook] += 1;
        CHECK(lost_by_recursion(source, hook->event) == 6);
        *last = 5;
        CHECK(lost_by_recursion(source, hook->event) == 5);
        counters[1].rescued[hook->spare_hook] += 20;
        CHECK(lost_by_recursion(source, hook->event) == 0);
    }
    ebpf_source__close(source);
}

/* A notice that a program is just writing, or that is from an earlier period, is not read. */
static void test_over_budget(void)
{
    struct ebpf_source_opts opts = good_opts();

    opts.budget = 5;
    opts.over_budget_handler = take_over_budget;
    struct ebpf_source *source = open_source(&opts);

    if (!source)
        return;
    counters[0].over_budget = (struct over_budget){.version = 2, .lost = 7, .uid = 1000};
    counters[1].over_budget = (struct over_budget){.version = 3, .lost = 9, .uid = 1};
    counters[2].over_budget = (struct over_budget){.version = 2, .lost = 11, .uid = 2, .period = 1}; /* not this one */
    CHECK(ebpf_source__consume(source) == 0 && over_budget_count == 1);
    CHECK(runtime->budget_period == 1);
    ebpf_source__close(source);
}

/* Put a record into a ring as the kernel does, whose data is mapped twice in a row. */
static void ring__put(uint8_t *ring, uint64_t number)
{
    const size_t page = (size_t)getpagesize();
    uint64_t *producer = (uint64_t *)(ring + page);
    struct ebpf_process_setsid_event e = {
        .hdr = {.type = EBPF_EVENT_PROCESS_SETSID, .size = sizeof(e), .stream_seq = number, .ts_boot_ns = number},
        .pids = {.tgid = (uint32_t)number, .start_time_ns = number}};
    uint32_t head[2] = {sizeof(e), 0};
    uint8_t record[sizeof(head) + sizeof(e)];

    memcpy(record, head, sizeof(head));
    memcpy(record + sizeof(head), &e, sizeof(e));
    for (size_t i = 0; i < sizeof(record); i++) {
        size_t at = (*producer + i) % RING_BYTES;

        ring[2 * page + at] = ring[2 * page + RING_BYTES + at] = record[i];
    }
    *producer += sizeof(record);
}

#define RING_MAPPED (2 * (size_t)getpagesize() + 2 * RING_BYTES)

static uint8_t *ring__map(void)
{
    uint8_t *ring =
        mmap(NULL, RING_MAPPED, PROT_READ | PROT_WRITE, MAP_SHARED, backend->base.ring_fds[EBPF_RING_MAIN], 0);

    CHECK(ring != MAP_FAILED);
    return ring;
}

/* What helpers do is left out, and what a process does that has the id of one that has ended is not. */
static void test_helpers(void)
{
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_source *source = open_source(&opts);
    struct ebpf_type_stats counts = {.sz = sizeof(counts)};
    const struct ebpf_stats *stats;

    if (!source)
        return;
    uint8_t *ring = ring__map();

    taken = 0;
    runtime->helpers[0] = (struct emit_helper){.tgid = 3, .start_ns = 3};
    runtime->helpers[3] = (struct emit_helper){.tgid = 2, .start_ns = 1};
    for (uint64_t number = 1; number <= 3; number++)
        ring__put(ring, number);
    CHECK(ebpf_source__consume(source) == 3 && taken == 2);
    CHECK(!ebpf_source__stats(source, &stats) && !ebpf_stats__type(stats, EBPF_EVENT_PROCESS_SETSID, &counts));
    CHECK(counts.filtered == 1);
    munmap(ring, RING_MAPPED);
    ebpf_source__close(source);
}

static void test_rings(void)
{
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_source *source = open_source(&opts);

    if (!source)
        return;
    uint8_t *ring = ring__map();

    taken = 0;
    for (uint64_t number = 1; number <= 2000; number++) { /* a few times round it */
        ring__put(ring, number);
        CHECK(ebpf_source__consume(source) == 1);
    }
    CHECK(taken == 2000 && *(uint64_t *)ring == *(uint64_t *)(ring + getpagesize()));
    CHECK(*(uint64_t *)ring > 3 * RING_BYTES);
    munmap(ring, RING_MAPPED);
    ebpf_source__close(source);
}

int main(void)
{
    test_live();
    test_unknown_self();
    test_constants();
    test_selection();
    test_counts();
    test_skips();
    test_rescued();
    test_over_budget();
    test_helpers();
    test_rings();
    forget();
    return check__report();
}
