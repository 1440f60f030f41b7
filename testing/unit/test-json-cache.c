// SPDX-License-Identifier: BSD-2-Clause
/* test-json-cache.c - text that is cached from one event to the next is always that of the value. */
#include <pthread.h>
#include <stdlib.h>

#include "Record.h"
#include "check.h"
#include "json-check.h"
#include "record-build.h"

static struct record record;
static char line[LINE_MAX_BYTES];

/* A path is never written as the cached text of another value, however much of it is equal. */
static void test_repeated_paths(void)
{
    static const struct {
        const char *value, *text;
        size_t len;
        unsigned int flags;
    } paths[] = {
        {"same-leaf\0a\0", "\"/a/same-leaf\"", 12, 0},
        {"same-leaf\0b\0", "\"/b/same-leaf\"", 12, 0},
        {"same-leaf\0b\0", "\"b/same-leaf\"", 12, EBPF_VARLEN_TRUNCATED},
        {"same-leaf\0", "\"/same-leaf\"", 10, 0},
        {"other-leaf\0a\0", "\"/a/other-leaf\"", 13, 0},
    };
    struct ebpf_file_delete_event deleted = {.hdr.type = EBPF_EVENT_FILE_DELETE};
    const size_t count = sizeof(paths) / sizeof(paths[0]);

    for (size_t i = 0; i < count * count * 2; i++) {
        size_t n = i / 2 % 2 ? i % count : i / count % count;

        record__begin_with(&record, &deleted, sizeof(deleted));
        record__add(&record, EBPF_TAG_PATH, paths[n].flags, 0, paths[n].value, paths[n].len);
        CHECK_SAME(record__value(&record, "path"), paths[n].text);
    }
}

/* A group is never written as the cached text of another value. */
static void test_repeated_groups(void)
{
    struct ebpf_process_exec_event exec = {.hdr.type = EBPF_EVENT_PROCESS_EXEC};
    char want[160];

    for (unsigned int i = 0; i < 12; i++) {
        exec.ctty.winsize_cols = i / 2 % 3;
        exec.ctty.major = i / 4 % 2;
        record__begin_with(&record, &exec, sizeof(exec));
        snprintf(want, sizeof(want), "{\"major\":%u,\"minor\":0,\"winsize_rows\":0,\"winsize_cols\":%u}",
                 exec.ctty.major, exec.ctty.winsize_cols);
        CHECK_SAME(record__value(&record, "ctty"), want);
    }
}

/* Write the line of the record in a new thread, which has cached nothing. */
static void *write_anew(void *buf)
{
    record__json(&record, buf, LINE_MAX_BYTES);
    return NULL;
}

/* Change some words of the record, to values that it has had or to new ones. */
static void record__vary(const struct ebpf_event_header *hdr, size_t fixed, uint64_t *state)
{
    static const uint32_t values[] = {0, 1, UINT32_MAX, 1000000007};
    unsigned char *data = record.data;

    for (uint64_t n = random__next(state) % 3; n; n--) {
        size_t word = sizeof(*hdr) / 4 + random__next(state) % ((fixed - sizeof(*hdr)) / 4);

        memcpy(data + 4 * word, &values[random__next(state) % 4], 4);
    }
    ((struct ebpf_event_header *)data)->flags = random__next(state) % 4 ? 0 : (uint16_t)random__next(state);
    ((struct ebpf_event_header *)data)->comm[0] = "ab\"\xff"[random__next(state) % 4];
}

/* A line that comes mostly from the cache, and one that just fits, equal the line that is formatted anew. */
static void test_repeated_events(void)
{
    static char anew[LINE_MAX_BYTES];
    static unsigned char fixed_part[4096];
    uint64_t state = 7;

    for (unsigned int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
        size_t fixed = ebpf_event_type__size(type);

        if (!fixed)
            continue;
        record__begin(&record, type);
        for (int i = 0; i < 60; i++) {
            const struct ebpf_event_header *hdr = (const void *)record.data;
            pthread_t thread;

            record__vary(hdr, fixed, &state);
            memcpy(fixed_part, record.data, fixed);
            record__begin_with(&record, fixed_part, fixed);
            if (i % 3)
                RECORD_ADD(&record, EBPF_TAG_PATH, i % 5 ? 0 : EBPF_VARLEN_TRUNCATED, "leaf-of-path\0directory\0");
            if (pthread_create(&thread, NULL, write_anew, anew) || pthread_join(thread, NULL))
                abort();
            int len = record__json(&record, line, sizeof(line));

            CHECK(len > 0 && json_check__line(line, (size_t)len, NULL));
            CHECK_SAME(line, anew);
            CHECK(record__json(&record, line, (size_t)len + 1) == len);
            CHECK_SAME(line, anew);
        }
    }
}

int main(void)
{
    test_repeated_paths();
    test_repeated_groups();
    test_repeated_events();
    return check__report();
}
