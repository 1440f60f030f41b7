// SPDX-License-Identifier: BSD-2-Clause
/* test-coalesce.c - many changes merged into few: the sums are exact, and nothing is reordered. */
#include <string.h>

#include "Coalesce.h"
#include "check.h"

#define MS UINT64_C(1000000)
#define WINDOW_MS 100

static struct ebpf_coalesce *coalesce;

static struct {
    uint64_t count, bytes, inode;
    uint16_t flags;
} merged[64];
static size_t merged_count;

static void on_merged(void *user, const struct ebpf_event_header *hdr, uint32_t size, uint64_t count)
{
    const struct ebpf_file_modify_event *e = (const void *)hdr;

    CHECK(user == &merged && size == sizeof(*e) && merged_count < 64);
    CHECK(e->count == count);
    merged[merged_count].count = count;
    merged[merged_count].bytes = e->bytes;
    merged[merged_count].inode = e->file_info.inode;
    merged[merged_count++].flags = hdr->flags;
}

static void setup(void)
{
    ebpf_coalesce__free(coalesce);
    merged_count = 0;
    CHECK(!ebpf_coalesce__new(WINDOW_MS, on_merged, &merged, &coalesce));
}

static struct ebpf_file_modify_event change(uint64_t ms, uint32_t tgid, uint64_t inode, uint64_t bytes)
{
    return (struct ebpf_file_modify_event){
        .hdr = {.ts_boot_ns = ms * MS,
                .size = sizeof(struct ebpf_file_modify_event),
                .type = EBPF_EVENT_FILE_MODIFY,
                .flags = EBPF_MODIFY_F_BYTES},
        .pids = {.tgid = tgid, .start_time_ns = tgid},
        .change_type = EBPF_CHANGE_CONTENT,
        .file_info = {.inode = inode},
        .bytes = bytes,
    };
}

/* Return whether it was held back. */
static bool write_at(uint64_t ms, uint32_t tgid, uint64_t inode, uint64_t bytes)
{
    struct ebpf_file_modify_event e = change(ms, tgid, inode, bytes);

    return ebpf_coalesce__take(coalesce, &e.hdr, sizeof(e));
}

static void test_first_at_once_others_as_one(void)
{
    setup();
    CHECK(!write_at(0, 1, 7, 10));
    for (uint64_t i = 1; i < 100; i++)
        CHECK(write_at(i, 1, 7, i));
    CHECK(merged_count == 0);
    CHECK(!write_at(100, 1, 7, 5)); /* another window */
    CHECK(merged_count == 1 && merged[0].count == 99 && merged[0].bytes == 4950);
    CHECK(merged[0].flags == (EBPF_MODIFY_F_BYTES | EBPF_MODIFY_F_COUNT));
    ebpf_coalesce__expire(coalesce, UINT64_MAX);
    CHECK(merged_count == 1); /* the first one of a window was reported */
}

static void test_windows_end_with_time(void)
{
    setup();
    CHECK(!write_at(0, 1, 7, 1) && write_at(50, 1, 7, 2));
    ebpf_coalesce__expire(coalesce, 100 * MS);
    CHECK(merged_count == 0);
    ebpf_coalesce__expire(coalesce, 101 * MS);
    CHECK(merged_count == 1 && merged[0].count == 1 && merged[0].bytes == 2);
    CHECK(!write_at(102, 1, 7, 3));
}

static void test_files_and_processes_are_apart(void)
{
    setup();
    CHECK(!write_at(0, 1, 7, 1) && !write_at(0, 2, 7, 1) && !write_at(0, 1, 8, 1));
    CHECK(write_at(1, 1, 7, 10) && write_at(1, 2, 7, 20) && write_at(1, 1, 8, 30));
    ebpf_coalesce__expire(coalesce, UINT64_MAX);
    CHECK(merged_count == 3 && merged[0].bytes == 10 && merged[1].bytes == 20 && merged[2].bytes == 30);
}

/* Return whether such a change is held back, after one of process 1 and file 7. */
static bool is_same_as_first(const struct ebpf_file_modify_event *e)
{
    setup();
    CHECK(!write_at(0, 1, 7, 1));
    return ebpf_coalesce__take(coalesce, &e->hdr, sizeof(*e));
}

/* A process is identified by its start time too, and a file by its device. */
static void test_what_is_the_same(void)
{
    struct ebpf_file_modify_event e = change(1, 1, 7, 1);

    CHECK(is_same_as_first(&e));
    e.pids.start_time_ns++;
    CHECK(!is_same_as_first(&e));
    e = change(1, 1, 7, 1);
    e.file_info.dev_major = 8;
    CHECK(!is_same_as_first(&e));
    e = change(1, 1, 7, 1);
    e.file_info.dev_minor = 1;
    CHECK(!is_same_as_first(&e));
    e = change(1, 1, 7, 1);
    e.pids.tid = 5; /* any of its threads */
    CHECK(is_same_as_first(&e));
}

static void test_nothing_is_overtaken(void)
{
    struct ebpf_file_modify_event chmod = change(3, 1, 7, 0);
    struct ebpf_process_exit_event end = {.hdr = {.type = EBPF_EVENT_PROCESS_EXIT}, .pids = {.tgid = 1}};
    struct ebpf_process_setsid_event other = {.hdr = {.type = EBPF_EVENT_PROCESS_SETSID}, .pids = {.tgid = 1}};
    struct ebpf_file_delete_event gone = {
        .hdr = {.type = EBPF_EVENT_FILE_DELETE}, .pids = {.tgid = 1, .start_time_ns = 1}, .file_info = {.inode = 7}};

    setup();
    chmod.hdr.flags = 0;
    chmod.change_type = EBPF_CHANGE_PERMISSIONS;
    CHECK(!write_at(0, 1, 7, 1) && write_at(1, 1, 7, 2));
    CHECK(!ebpf_coalesce__take(coalesce, &other.hdr, sizeof(other)) && merged_count == 0);
    CHECK(!ebpf_coalesce__take(coalesce, &chmod.hdr, sizeof(chmod)) && merged_count == 1);
    CHECK(!write_at(4, 1, 7, 1) && write_at(5, 1, 7, 2));
    CHECK(!ebpf_coalesce__take(coalesce, &gone.hdr, sizeof(gone)) && merged_count == 2);
    CHECK(!write_at(6, 1, 7, 1) && write_at(7, 1, 7, 2) && !write_at(6, 2, 7, 1) && write_at(7, 2, 7, 2));
    CHECK(!ebpf_coalesce__take(coalesce, &end.hdr, sizeof(end)) && merged_count == 3);
    ebpf_coalesce__expire(coalesce, UINT64_MAX);
    CHECK(merged_count == 4);
}

/* More files than there is room for: some are reported early, none is lost. */
static void test_many_files(void)
{
    uint64_t reported = 0, count = 0;

    setup();
    for (uint64_t inode = 1; inode <= 300; inode++) {
        reported += !write_at(inode, 1, inode, 1);
        reported += !write_at(inode, 1, inode, 1);
    }
    for (size_t i = 0; i < merged_count; i++) {
        count += merged[i].count;
        CHECK(merged[i].inode == i + 1); /* the oldest is evicted */
    }
    CHECK(merged_count == 44 && reported == 300 && count == 44); /* 300 - 256 were evicted */
    merged_count = 0;
    for (uint64_t end = 101; end <= 401; end += 50) {
        ebpf_coalesce__expire(coalesce, end * MS);
        for (size_t i = 0; i < merged_count; i++)
            count += merged[i].count;
        merged_count = 0;
    }
    CHECK(count == 300);
}

int main(void)
{
    test_first_at_once_others_as_one();
    test_windows_end_with_time();
    test_files_and_processes_are_apart();
    test_what_is_the_same();
    test_nothing_is_overtaken();
    test_many_files();
    ebpf_coalesce__free(coalesce);
    ebpf_coalesce__free(NULL);
    return check__report();
}
