// SPDX-License-Identifier: BSD-2-Clause
/* test-record.c - the decoder accepts valid records, refuses others, and reads nothing out of bounds. */
#include <errno.h>
#include <stdlib.h>

#include "Record.h"
#include "check.h"
#include "json-check.h"
#include "record-build.h"

static struct record record;
static char line[LINE_MAX_BYTES];

/* Call ebpf_record__check with `size` bytes of the record, which claim to be `said`. */
static int check_part(size_t size, size_t said)
{
    void *copy = malloc(size ? size : 1);
    int ret;

    if (!copy)
        abort();
    ((struct ebpf_event_header *)record.data)->size = (uint32_t)said;
    memcpy(copy, record.data, size);
    ret = ebpf_record__check(copy, size);
    free(copy);
    return ret;
}

static int check_whole(void)
{
    return check_part(record.len, record.len);
}

static void test_sizes(void)
{
    struct ebpf_event_header hdr = {.type = EBPF_EVENT_PROCESS_SETSID};
    size_t fixed = sizeof(struct ebpf_process_setsid_event);

    record__begin(&record, hdr.type);
    CHECK(check_whole() == 0);
    for (size_t size = 0; size < fixed; size++)
        CHECK(check_part(size, size) == -EBADMSG);
    CHECK(check_part(fixed, fixed - 8) == -EBADMSG);
    CHECK(check_part(fixed, fixed + 8) == -EBADMSG);
    CHECK(check_part(fixed, 0) == -EBADMSG);
    CHECK(check_part(fixed, UINT32_MAX) == -EBADMSG);
    CHECK(check_part(fixed + 8, fixed + 8) == -EBADMSG);
}

static void test_every_truncation(void)
{
    record__begin(&record, EBPF_EVENT_PROCESS_EXEC);
    size_t fixed = record.len;

    RECORD_ADD(&record, EBPF_TAG_CWD, 0, "b\0a\0");
    size_t middle = record.len;

    RECORD_ADD(&record, EBPF_TAG_ARGV, 0, "ls\0-l\0--color\0");
    for (size_t size = 0; size <= record.len; size++) {
        bool whole = size == fixed || size == middle || size == record.len;

        CHECK(check_part(size, size) == (whole ? 0 : -EBADMSG));
    }
}

static void test_types(void)
{
    struct ebpf_event_header *hdr = (void *)record.data;

    for (unsigned int type = 0; type <= UINT16_MAX; type++) {
        memset(record.data, 0, 4096);
        record.len = 4096;
        hdr->type = (uint16_t)type;
        size_t fixed = ebpf_event_type__size(type);

        if (!fixed) {
            CHECK(check_whole() == -EBADMSG);
            CHECK(!ebpf_event_type__name(type) && !ebpf_event_type__option(type) && !ebpf_event_type__doc(type));
            continue;
        }
        CHECK(check_part(fixed, fixed) == 0);
        CHECK(ebpf_event_type__name(type) && ebpf_event_type__option(type) && ebpf_event_type__doc(type));
    }
    CHECK(!ebpf_event_type__name((enum ebpf_event_type) - 1));
    CHECK(!ebpf_reason__key(EBPF_REASON_COUNT) && !ebpf_reason__key((enum ebpf_reason) - 1));
}

static void test_tags(void)
{
    static const bool known[EBPF_TAG_COUNT] = {
#define TAG(id, NAME, kind, key) [id] = true,
#include "Events.def"
    };

    for (unsigned int tag = 0; tag <= UINT16_MAX; tag++) {
        record__begin(&record, EBPF_EVENT_PROCESS_SETSID);
        RECORD_ADD(&record, tag, 0, "x");
        CHECK(check_whole() == (tag < EBPF_TAG_COUNT && known[tag] ? 0 : -EBADMSG));
    }
}

/* Lengths that point beyond the record, or into the next field. */
static void test_lengths(void)
{
    record__begin(&record, EBPF_EVENT_PROCESS_SETSID);
    struct ebpf_varlen *v = (void *)(record.data + record.len);

    RECORD_ADD(&record, EBPF_TAG_NAME, 0, "12345678");
    RECORD_ADD(&record, EBPF_TAG_CWD, 0, "12345678");
    CHECK(check_whole() == 0);
    for (uint32_t len = 0; len < 200; len++) {
        v->len = len;
        int ret = check_whole();

        /*
         * Up to 8 it is this field; from 25 to 32 it swallows the next one entirely; otherwise what follows is no
         * field.
         */
        if (len >= 1 && len <= 8)
            CHECK(ret == 0);
        else if (len > 32)
            CHECK(ret == -EBADMSG);
        else if (len > 24)
            CHECK(ret == 0);
    }
    for (uint32_t len = UINT32_MAX; len > UINT32_MAX - 64; len--) {
        v->len = len;
        CHECK(check_whole() == -EBADMSG);
    }
}

/* Whatever the bytes are: refused, or one line. */
static void check_refused_or_line(void)
{
    int len = record__json(&record, line, sizeof(line));

    CHECK(len == -EBADMSG || (len > 0 && json_check__line(line, (size_t)len, NULL)));
}

static void fill_behind_header(unsigned int type, int byte, uint64_t *random)
{
    struct ebpf_event_header *hdr = (void *)record.data;

    if (random)
        random__fill(random, record.data, record.len);
    else
        memset(record.data, byte, record.len);
    hdr->type = (uint16_t)type;
    hdr->size = (uint32_t)record.len;
}

static void test_any_bytes(void)
{
    uint64_t random = 1;

    for (unsigned int type = 0; type <= EBPF_EVENT_TYPE_COUNT; type++) {
        size_t fixed = ebpf_event_type__size(type);

        for (size_t extra = 0; extra <= 64; extra += 8) {
            record.len = fixed ? fixed + extra : 64 + extra;
            fill_behind_header(type, 0x00, NULL);
            check_refused_or_line();
            fill_behind_header(type, 0xff, NULL);
            check_refused_or_line();
            for (int i = 0; i < 20; i++) {
                fill_behind_header(type, 0, &random);
                check_refused_or_line();
            }
        }
    }
}

/* Random bytes within fields with valid heads: all must become a line. */
static void test_any_values(void)
{
    static unsigned char value[512];
    uint64_t random = 2;

    for (unsigned int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
        if (!ebpf_event_type__size(type))
            continue;
        for (int i = 0; i < 50; i++) {
            record__begin(&record, type);
            fill_behind_header(type, 0, &random);
#define TAG(id, NAME, kind, key)                                                                                       \
    random__fill(&random, value, sizeof(value));                                                                       \
    record__add(&record, id, (uint16_t)random__next(&random), (uint32_t)random__next(&random), value,                  \
                random__next(&random) % sizeof(value));
#include "Events.def"
            int len = record__json(&record, line, sizeof(line));

            CHECK(len > 0 && json_check__line(line, (size_t)len, NULL));
        }
    }
}

static void test_field(void)
{
    struct ebpf_field field;

    record__begin(&record, EBPF_EVENT_PROCESS_EXEC);
    RECORD_ADD(&record, EBPF_TAG_CWD, 0, "first\0");
    record__add(&record, EBPF_TAG_CWD, EBPF_VARLEN_TRUNCATED, 99, "second", 6);
    record__add(&record, EBPF_TAG_ARGV, EBPF_VARLEN_TRUNCATED, 1234, "a\0b", 3);
    struct ebpf_event event = {.hdr = (void *)record.data, .size = record.len};

    CHECK(ebpf_event__field(&event, EBPF_TAG_CWD, &field) == 0);
    CHECK(field.tag == EBPF_TAG_CWD && field.len == 6 && !memcmp(field.data, "first", 6) && !field.flags);
    CHECK(ebpf_event__field(&event, EBPF_TAG_ARGV, &field) == 0);
    CHECK(field.len == 3 && field.orig_len == 1234 && field.flags == EBPF_VARLEN_TRUNCATED);
    memset(&field, 0x5a, sizeof(field));
    errno = 0;
    CHECK(ebpf_event__field(&event, EBPF_TAG_ENV, &field) == -ENOENT && errno == ENOENT);
    CHECK(field.len == 0x5a5a5a5a);
}

/* Call ebpf_field__path with buffers of every size; `want` shows which are sufficient. */
static void check_path(const void *data, size_t len, unsigned int flags, const char *want)
{
    struct ebpf_field field = {EBPF_TAG_CWD, (uint16_t)flags, data, (uint32_t)len, 0};

    CHECK(strlen(want) + 1 <= len + 2);
    for (size_t size = 0; size <= len + 2; size++) {
        char *buf = malloc(size ? size : 1);

        if (!buf)
            abort();
        int ret = ebpf_field__path(&field, buf, size);

        if (size <= strlen(want)) {
            CHECK(ret == -ENOSPC && errno == ENOSPC);
        } else if (CHECK(ret == (int)strlen(want))) {
            CHECK_SAME(buf, want);
        }
        free(buf);
    }
}

#define CHECK_PATH(literal, flags, want) check_path((literal), sizeof(literal) - 1, (flags), (want))

static void test_path(void)
{
    CHECK_PATH("", 0, "/");
    CHECK_PATH("", EBPF_VARLEN_TRUNCATED, "");
    CHECK_PATH("", EBPF_VARLEN_NAME_ONLY, "");
    CHECK_PATH("", EBPF_VARLEN_UNREACHABLE, "/");
    CHECK_PATH("ls\0bin\0usr\0", 0, "/usr/bin/ls");
    CHECK_PATH("ls\0bin\0usr\0", EBPF_VARLEN_TRUNCATED, "usr/bin/ls");
    CHECK_PATH("ls\0bin\0usr\0", EBPF_VARLEN_UNREACHABLE, "/usr/bin/ls");
    CHECK_PATH("ls\0bin\0usr", 0, "/usr/bin/ls");
    CHECK_PATH("ls", 0, "/ls");
    CHECK_PATH("memfd:x\0", EBPF_VARLEN_NAME_ONLY, "memfd:x");
    CHECK_PATH("./script.sh\0", EBPF_VARLEN_NAME_ONLY, "./script.sh");
    CHECK_PATH("\0", 0, "/");
    CHECK_PATH("\0\0", EBPF_VARLEN_TRUNCATED, "/");
    CHECK_PATH("a\0\0b\0", 0, "/b//a");
}

static void test_names(void)
{
    struct ebpf_event_set all = ebpf_event_set__all(), none = {0};

    CHECK_SAME(ebpf_event_type__name(EBPF_EVENT_PROCESS_EXEC), "PROCESS_EXEC");
    CHECK_SAME(ebpf_event_type__option(EBPF_EVENT_PROCESS_EXEC), "process-exec");
    CHECK_SAME(ebpf_event_type__doc(EBPF_EVENT_PROCESS_EXEC), "a process executed a program");
    CHECK_SAME(ebpf_reason__key(EBPF_REASON_RING_FULL), "ring_full");
#define EVENT(id, NAME, name, option, ring, doc)                                                                       \
    CHECK(ebpf_event_set__has(all, EBPF_EVENT_##NAME) && !ebpf_event_set__has(none, EBPF_EVENT_##NAME));               \
    none.bits |= UINT64_C(1) << (id);
#include "Events.def"
    CHECK(all.bits == none.bits);
}

/* Return whether an event with members of these kinds begins as the reader, and for files Coalesce, takes it to. */
static bool begins_well(const char *name, const char *kinds)
{
    static const char *const files[] = {"pid_info cred_info u32 u32 file_info ",
                                        "pid_info cred_info u32 change_type file_info "};

    if (strncmp(name, "file_", strlen("file_")))
        return !strncmp(kinds, "pid_info ", strlen("pid_info "));
    return !strncmp(kinds, files[0], strlen(files[0])) || !strncmp(kinds, files[1], strlen(files[1]));
}

static void test_beginnings(void)
{
    char kinds[512];

#define GROUP(name, doc) *kinds = '\0';
#define EVENT(id, NAME, name, option, ring, doc) *kinds = '\0';
#define FIELD(kind, name, key, doc) strncat(kinds, #kind " ", sizeof(kinds) - strlen(kinds) - 1);
#define END_EVENT(name) CHECK(begins_well(#name, kinds));
#include "Events.def"
}

int main(void)
{
    test_beginnings();
    test_sizes();
    test_every_truncation();
    test_types();
    test_tags();
    test_lengths();
    test_any_bytes();
    test_any_values();
    test_field();
    test_path();
    test_names();
    return check__report();
}
