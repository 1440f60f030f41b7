// SPDX-License-Identifier: BSD-2-Clause
/* test-reader.c - merges several rings into one stream: order, numbers, losses; from rings in memory. */
#include <errno.h>
#include <stdlib.h>

#include "check.h"
#include "reader-rig.h"

static uint64_t over_budget_reported[8];
static int over_budget_count;
static bool refuse_over_budget;

static int on_over_budget(void *user, const struct ebpf_over_budget *over)
{
    (void)user;
    if (refuse_over_budget)
        return -ENOSPC;
    CHECK(over->uid == 1000 && over->time_ns && over->ts_boot_ns);
    over_budget_reported[over_budget_count++] = over->lost;
    return 0;
}

static void setup(void)
{
    rig__begin(&(struct ebpf_source_opts){.budget = 10, .over_budget_handler = on_over_budget});
}

static void test_merges_by_time(void)
{
    setup();
    put(EBPF_RING_MAIN, 10, 0, 1);
    put(EBPF_RING_MAIN, 30, 0, 2);
    put(EBPF_RING_BULK, 20, 0, 1);
    put(EBPF_RING_BULK, 40, 0, 2);
    put(EBPF_RING_BULK, 50, 0, 3);
    CHECK(ebpf_reader__consume(&reader) == 5);
    for (int i = 0; i < 5; i++) {
        CHECK(seen[i].ts == 10u * ((unsigned int)i + 1));
        CHECK(seen[i].seq == (unsigned int)i + 1);
    }
    CHECK(memory[0].consumer == memory[0].producer && memory[1].consumer == memory[1].producer);
    CHECK(ebpf_reader__consume(&reader) == 0);
    CHECK(losses_count == 0);
}

static void test_waits_for_a_writer(void)
{
    struct ebpf_process_setsid_event e = make(10, 0, 1);

    setup();
    ring__put(&memory[EBPF_RING_MAIN], &e, sizeof(e), BUSY);
    put(EBPF_RING_MAIN, 20, 1, 1);
    put(EBPF_RING_BULK, 30, 2, 1); /* must not overtake the record behind the unfinished one */
    CHECK(ebpf_reader__consume(&reader) == 0);
    *(uint32_t *)memory[EBPF_RING_MAIN].data = sizeof(e);
    CHECK(ebpf_reader__consume(&reader) == 3);
    CHECK(seen[0].ts == 10 && seen[1].ts == 20 && seen[2].ts == 30);
}

static void test_skips_what_was_discarded(void)
{
    struct ebpf_process_setsid_event e = make(10, 0, 1);

    setup();
    ring__put(&memory[EBPF_RING_MAIN], &e, sizeof(e), DISCARDED);
    put(EBPF_RING_MAIN, 20, 0, 1);
    CHECK(ebpf_reader__consume(&reader) == 1);
    CHECK(seen[0].ts == 20);
}

/* Many times around the ring. */
static void test_wraps(void)
{
    uint64_t made = 0;

    setup();
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 100; i++, made++)
            put(EBPF_RING_MAIN, made, 0, made + 1);
        seen_count = 0;
        CHECK(ebpf_reader__consume(&reader) == 100);
        CHECK(seen[99].ts == made - 1 && seen[99].seq == made);
    }
    CHECK(memory[0].producer > 4 * RING_SIZE);
}

/* A record for which the ring had no room: counted by the probe, a gap in its stream. */
static void test_reports_a_gap_in_its_place(void)
{
    setup();
    put(EBPF_RING_MAIN, 10, 2, 1);
    counts.lost[EBPF_EVENT_PROCESS_EXEC][EBPF_REASON_RING_FULL] = 3;
    put(EBPF_RING_MAIN, 20, 2, 5);
    CHECK(ebpf_reader__consume(&reader) == 2);
    CHECK(losses_count == 1);
    CHECK(losses[0].head.first_seq == 2 && losses[0].head.last_seq == 4);
    CHECK(losses[0].counts[EBPF_EVENT_PROCESS_EXEC][EBPF_REASON_RING_FULL] == 3);
    CHECK(seen[0].seq == 1 && seen[1].seq == 5);
}

/* Records that vanish between probe and reader are gaps too: a replay that drops every third. */
static void test_notices_dropped_records(void)
{
    uint64_t expected = 1, reported = 0;

    setup();
    for (uint64_t i = 1; i <= 300; i++) {
        counts.seen[EBPF_EVENT_PROCESS_SETSID]++;
        if (i % 3) {
            put(EBPF_RING_MAIN, i, 1, i);
            CHECK(ebpf_reader__consume(&reader) == 1);
        } else {
            counts.lost[EBPF_EVENT_PROCESS_SETSID][EBPF_REASON_RING_FULL]++;
        }
    }
    ebpf_reader__report_losses(&reader);
    for (int e = 0, l = 0; e < seen_count || l < losses_count;) {
        if (l < losses_count && losses[l].head.first_seq == expected) {
            reported += losses[l].head.last_seq - losses[l].head.first_seq + 1;
            expected = losses[l++].head.last_seq + 1;
        } else if (e < seen_count && CHECK(seen[e].seq == expected)) {
            e++;
            expected++;
        } else {
            break;
        }
    }
    CHECK(reported == 100 && seen_count == 200);
}

static void test_counts_what_the_handler_refuses(void)
{
    struct stats stats;

    setup();
    refuse_from = 2;
    for (uint64_t i = 1; i <= 5; i++)
        put(EBPF_RING_MAIN, i, 0, i);
    counts.seen[EBPF_EVENT_PROCESS_SETSID] = counts.delivered[EBPF_EVENT_PROCESS_SETSID] = 5;
    CHECK(ebpf_reader__consume(&reader) == 5);
    CHECK(seen_count == 2);
    ebpf_reader__report_losses(&reader);
    CHECK(losses[losses_count - 1].head.last_seq == 5);
    ebpf_reader__stats(&reader, &stats);
    CHECK(stats.head.records == 5);
    CHECK(stats.types[EBPF_EVENT_PROCESS_SETSID].seen == 5);
    CHECK(stats.types[EBPF_EVENT_PROCESS_SETSID].delivered == 2);
    CHECK(stats.types[EBPF_EVENT_PROCESS_SETSID].lost[EBPF_REASON_HANDLER] == 3);
    ebpf_reader__report_losses(&reader);
    CHECK(reader.seq == 5);
}

/* A handler that has no room for a report gets it later, with the losses that were added meanwhile. */
static void test_reports_refused_losses_again(void)
{
    uint64_t *lost = counts.lost[EBPF_EVENT_PROCESS_SETSID];

    setup();
    refuse_losses = true;
    lost[EBPF_REASON_RING_FULL] = 2;
    ebpf_reader__report_losses(&reader);
    CHECK(!losses_count && reader.seq == 0);
    lost[EBPF_REASON_RING_FULL] = 5;
    refuse_losses = false;
    ebpf_reader__report_losses(&reader);
    CHECK(losses_count == 1 && losses[0].head.first_seq == 1 && losses[0].head.last_seq == 5 && reader.seq == 5);
    CHECK(losses[0].counts[EBPF_EVENT_PROCESS_SETSID][EBPF_REASON_RING_FULL] == 5);
    ebpf_reader__report_losses(&reader);
    CHECK(losses_count == 1);
}

/* A program is skipped, and 300 ms later its spare has made the event after all; another one stays lost. */
static void test_reports_no_loss_that_is_made_good(void)
{
    uint64_t *lost = counts.lost[EBPF_EVENT_PROCESS_SETSID];

    setup();
    for (int check = 0; check < EBPF_READER_SETTLE_CHECKS + 2; check++) {
        lost[EBPF_REASON_RECURSION] = check == 1 || check == 2 ? 2 : 1;
        reader.losses_checked_ns = 0;
        ebpf_reader__consume(&reader);
        CHECK(losses_count == (check >= EBPF_READER_SETTLE_CHECKS - 1));
    }
    CHECK(losses[0].head.first_seq == 1 && losses[0].head.last_seq == 1 && reader.seq == 1);
    lost[EBPF_REASON_RECURSION] = 3; /* the end: everything that is counted is lost */
    ebpf_reader__report_losses(&reader);
    CHECK(losses_count == 2 && losses[1].head.last_seq == 3);
    lost[EBPF_REASON_RECURSION] = 2;
    ebpf_reader__report_losses(&reader);
    CHECK(losses_count == 2 && reader.seq == 3);
}

/*
 * Actions of other processes that have a source are left out, and counted; those of a process that reuses such an id
 * are not.
 */
static void test_leaves_out_other_sources(void)
{
    struct ebpf_process_setsid_event e;
    struct ebpf_process_fork_event fork = {.hdr = {.size = sizeof(fork), .type = EBPF_EVENT_PROCESS_FORK}};
    struct ebpf_process_exit_event end = {.hdr = {.size = sizeof(end), .type = EBPF_EVENT_PROCESS_EXIT}};
    struct stats stats;

    setup();
    others[0] = (struct ebpf_process){.tgid = 5, .start_time_ns = 50};
    others[1] = (struct ebpf_process){.tgid = 7, .start_time_ns = 70};
    other_count = 2;
    for (unsigned int i = 0; i < 4; i++) {
        e = make(10 + i, 0, 1 + i);
        e.pids.tgid = i < 3 ? 7 : 5;
        e.pids.start_time_ns = i == 1 ? 71 : 70;
        ring__put(&memory[EBPF_RING_MAIN], &e, sizeof(e), 0);
    }
    fork.hdr.ts_boot_ns = 20;
    fork.hdr.stream_seq = 5;
    fork.parent_pids.tgid = 5;
    fork.parent_pids.start_time_ns = 50;
    ring__put(&memory[EBPF_RING_MAIN], &fork, sizeof(fork), 0);
    end.hdr.ts_boot_ns = 21;
    end.hdr.stream_seq = 6;
    end.pids = (struct ebpf_pid_info){.tgid = 5, .start_time_ns = 50};
    ring__put(&memory[EBPF_RING_MAIN], &end, sizeof(end), 0);
    CHECK(ebpf_reader__consume(&reader) == 6);
    CHECK(seen_count == 3 && seen[0].ts == 11 && seen[1].ts == 13 && seen[1].seq == 2);
    CHECK(seen[2].ts == 21); /* its exit is reported */
    ebpf_reader__stats(&reader, &stats);
    CHECK(stats.types[EBPF_EVENT_PROCESS_SETSID].filtered == 2);
    CHECK(stats.types[EBPF_EVENT_PROCESS_SETSID].delivered == 2);
    CHECK(stats.types[EBPF_EVENT_PROCESS_FORK].filtered == 1);
    other_count = 0;
}

static void test_survives_corrupt_records(void)
{
    struct ebpf_process_setsid_event e = make(10, 0, 1);
    struct stats stats;
    uint8_t tiny[3] = {0xff, 0xff, 0xff};

    setup();
    ring__put(&memory[EBPF_RING_MAIN], tiny, sizeof(tiny), 0);
    e.hdr.size = 7;
    ring__put(&memory[EBPF_RING_MAIN], &e, sizeof(e), 0);
    e = make(20, 0xffffffff, 1); /* a stream that does not exist */
    ring__put(&memory[EBPF_RING_MAIN], &e, sizeof(e), 0);
    CHECK(ebpf_reader__consume(&reader) == 3);
    CHECK(seen_count == 1 && seen[0].ts == 20);
    ebpf_reader__stats(&reader, &stats);
    CHECK(stats.head.records == 3 && stats.head.corrupt == 2);
    CHECK(stats.types[EBPF_EVENT_PROCESS_SETSID].lost[EBPF_REASON_UNREADABLE] == 1);
}

static bool is_even(void *user, const struct ebpf_event_header *hdr)
{
    (void)user;
    return hdr->ts_boot_ns % 2 == 0;
}

/* Events that the caller leaves out have no number, and are counted. */
static void test_leaves_out_what_is_not_wanted(void)
{
    struct stats stats;

    setup();
    reader.is_wanted = is_even;
    for (uint64_t ts = 1; ts <= 5; ts++)
        put(EBPF_RING_MAIN, ts, 0, ts);
    CHECK(ebpf_reader__consume(&reader) == 5);
    CHECK(seen_count == 2 && seen[0].ts == 2 && seen[0].seq == 1 && seen[1].ts == 4 && seen[1].seq == 2);
    ebpf_reader__stats(&reader, &stats);
    CHECK(stats.types[EBPF_EVENT_PROCESS_SETSID].filtered == 3);
}

/* At most once a second; a report that was not accepted comes again; the last one comes at the end. */
static void test_over_budget(void)
{
    setup();
    over_budget_count = 0;
    refuse_over_budget = true;
    over_budget_lost = 5;
    ebpf_reader__consume(&reader);
    CHECK(!over_budget_count);
    refuse_over_budget = false;
    over_budget_lost = 6;
    reader.losses_checked_ns = 0;
    ebpf_reader__consume(&reader);
    CHECK(over_budget_count == 1 && over_budget_reported[0] == 5);
    reader.losses_checked_ns = 0;
    ebpf_reader__consume(&reader);
    CHECK(over_budget_count == 1); /* not within a second */
    reader.losses_checked_ns = 0;
    reader.over_budget_reported_ns -= UINT64_C(1000000000);
    ebpf_reader__consume(&reader);
    CHECK(over_budget_count == 2 && over_budget_reported[1] == 6);
    over_budget_lost = 7;
    ebpf_reader__report_losses(&reader);
    CHECK(over_budget_count == 3 && over_budget_reported[2] == 7);
    ebpf_reader__report_losses(&reader);
    CHECK(over_budget_count == 3);
}

/* Records that a pump provides in several rounds are delivered by one call, up to the bound of one. */
static void test_pump(void)
{
    const int bound = 65536;

    setup();
    rig__pump(5, 100);
    CHECK(ebpf_reader__consume(&reader) == 500 && !pump_rounds);
    CHECK(seen_count == 500 && seen[499].ts == 500 && seen[499].seq == 500 && losses_count == 0);
    CHECK(ebpf_reader__consume(&reader) == 0);
    setup();
    refuse_from = 1;
    rig__pump(400, 200);
    CHECK(ebpf_reader__consume(&reader) == bound && pump_rounds);
    CHECK(ebpf_reader__consume(&reader) == 400 * 200 - bound && !pump_rounds);
}

int main(void)
{
    test_merges_by_time();
    test_over_budget();
    test_waits_for_a_writer();
    test_skips_what_was_discarded();
    test_wraps();
    test_reports_a_gap_in_its_place();
    test_notices_dropped_records();
    test_counts_what_the_handler_refuses();
    test_reports_refused_losses_again();
    test_reports_no_loss_that_is_made_good();
    test_survives_corrupt_records();
    test_leaves_out_other_sources();
    test_leaves_out_what_is_not_wanted();
    test_pump();
    ebpf_reader__fini(&reader);
    return check__report();
}
