// SPDX-License-Identifier: BSD-2-Clause
/* test-reader-time.c - records that come while the reader reads, clocks, and when losses are detected. */
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "reader-rig.h"

static time_t wall_step;    /* how far a test has set the wall clock forward */
static uint64_t stopped_ns; /* the monotonic clock, if it is stopped */

/* Replaces that of the C library. */
int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    long err = syscall(SYS_clock_gettime, clock, ret_time);

    if (clock == CLOCK_REALTIME)
        ret_time->tv_sec += wall_step;
    if (clock == CLOCK_MONOTONIC && stopped_ns)
        *ret_time = (struct timespec){(time_t)(stopped_ns / 1000000000), (long)(stopped_ns % 1000000000)};
    return (int)err;
}

static void setup(void)
{
    rig__begin(&(struct ebpf_source_opts){.coalesce_ms = 0});
}

static uint64_t *bulk_producer; /* alone in a page, which is not mapped until a test's records are made */

/* The reader, which has found the other ring empty, reads this one: at this moment both get a record. */
static void on_look(int signal)
{
    (void)signal;
    CHECK(!mprotect(bulk_producer, 1, PROT_READ | PROT_WRITE));
    put(EBPF_RING_MAIN, 10, 0, 1);
    put(EBPF_RING_BULK, 20, 0, 1);
    *bulk_producer = memory[EBPF_RING_BULK].producer;
}

/* A process makes an event for one ring, then one for the other, while the reader is between the two. */
static void test_looks_again(void)
{
    const struct sigaction look = {.sa_handler = on_look};
    struct sigaction before;

    setup();
    bulk_producer = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!CHECK(bulk_producer != MAP_FAILED) || !CHECK(!sigaction(SIGSEGV, &look, &before)))
        return;
    backend.rings[EBPF_RING_BULK].producer_pos = bulk_producer;
    CHECK(ebpf_reader__consume(&reader) == 2 && seen_count == 2);
    CHECK(seen[0].ts == 10 && seen[1].ts == 20);
    CHECK(!sigaction(SIGSEGV, &before, NULL) && !munmap(bulk_producer, 1));
}

/* An event's time is that of the clock as it is set when the event is read. */
static void test_the_clock_is_set(void)
{
    setup();
    put(EBPF_RING_MAIN, 1000, 0, 1);
    CHECK(ebpf_reader__consume(&reader) == 1);
    wall_step = 3600;
    put(EBPF_RING_MAIN, 1000, 0, 2);
    CHECK(ebpf_reader__consume(&reader) == 1);
    wall_step = 0;
    uint64_t step = seen[1].time - seen[0].time;

    CHECK(step > UINT64_C(3500000000000) && step < UINT64_C(3700000000000));
}

/* A gap of one record is noticed; without a gap, the counts are not read with each record. */
static void test_sees_the_least_hole(void)
{
    setup();
    stopped_ns = reader.losses_checked_ns = 5000000000;
    counts_count = 0;
    for (uint64_t i = 1; i <= 3; i++) {
        put(EBPF_RING_MAIN, 10 * i, 2, i); /* a slot numbers its records for each ring separately */
        put(EBPF_RING_BULK, 10 * i + 5, 2, i);
        put(EBPF_RING_BULK, 10 * i + 6, 3, i);
    }
    CHECK(ebpf_reader__consume(&reader) == 9 && counts_count == 0);
    counts.lost[EBPF_EVENT_PROCESS_EXEC][EBPF_REASON_RING_FULL] = 1;
    put(EBPF_RING_BULK, 100, 2, 5);
    CHECK(ebpf_reader__consume(&reader) == 1 && counts_count == 1);
    CHECK(losses_count == 1 && losses[0].head.first_seq == 10 && losses[0].head.last_seq == 10 && seen[9].seq == 11);
    stopped_ns = 0;
}

/* The counts are read four times a second, however often records are read. */
static void test_checks_losses_now_and_then(void)
{
    setup();
    stopped_ns = 5000000000;
    counts_count = 0;
    for (int i = 0; i < 100; i++)
        ebpf_reader__consume(&reader);
    CHECK(counts_count == 1);
    stopped_ns += 249999999;
    ebpf_reader__consume(&reader);
    CHECK(counts_count == 1);
    stopped_ns++;
    ebpf_reader__consume(&reader);
    CHECK(counts_count == 2);
    stopped_ns = 0;
}

/* A line that stands for several changes, and is not accepted, counts as that many losses. */
static void test_counts_what_a_refused_line_stands_for(void)
{
    struct ebpf_file_modify_event e = {
        .hdr = {.size = sizeof(e), .type = EBPF_EVENT_FILE_MODIFY, .flags = EBPF_MODIFY_F_BYTES},
        .change_type = EBPF_CHANGE_CONTENT,
    };
    struct stats stats;

    rig__begin(&(struct ebpf_source_opts){.coalesce_ms = 60000});
    for (e.hdr.stream_seq = 1; e.hdr.stream_seq <= 5; e.hdr.stream_seq++) {
        e.hdr.ts_boot_ns = e.hdr.stream_seq;
        ring__put(&memory[EBPF_RING_MAIN], &e, sizeof(e), 0);
    }
    refuse_from = 1;
    CHECK(ebpf_reader__consume(&reader) == 5 && seen_count == 1);
    ebpf_reader__flush(&reader);
    ebpf_reader__stats(&reader, &stats);
    CHECK(stats.types[EBPF_EVENT_FILE_MODIFY].delivered == 1);
    CHECK(stats.types[EBPF_EVENT_FILE_MODIFY].lost[EBPF_REASON_HANDLER] == 4);
}

int main(void)
{
    test_looks_again();
    test_the_clock_is_set();
    test_sees_the_least_hole();
    test_checks_losses_now_and_then();
    test_counts_what_a_refused_line_stands_for();
    ebpf_reader__fini(&reader);
    return check__report();
}
