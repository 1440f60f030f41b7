// SPDX-License-Identifier: BSD-2-Clause
/* test-json-elastic.c - lines for consumers of Elastic's program, as docs/MIGRATING.md describes them. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "json-check.h"
#include "record-build.h"

static struct record record;
static char line[LINE_MAX_BYTES];

/* Return the value of a key as written; "" if there is none. A buffer that is too small does not change the line. */
static const char *value_of(const char *key)
{
    static char text[65536];
    struct json_value object, value;
    int len = record__write(&record, ebpf_event__json_elastic, line, sizeof(line));

    text[0] = '\0';
    if (!CHECK(len > 0 && json_check__line(line, (size_t)len, &object)))
        return text;
    for (size_t size = 0; size <= (size_t)len; size++) {
        char *buf = malloc(size ? size : 1);

        if (!buf)
            abort();
        CHECK(record__write(&record, ebpf_event__json_elastic, buf, size) < 0);
        free(buf);
    }
    if (json_value__get(object, key, &value) && value.len < sizeof(text)) {
        memcpy(text, value.text, value.len);
        text[value.len] = '\0';
    }
    return text;
}

static void test_arrays(void)
{
    record__begin(&record, EBPF_EVENT_PROCESS_EXEC);
    CHECK_SAME(value_of("argv"), "[]");
    CHECK_SAME(value_of("env"), "[]");
    RECORD_ADD(&record, EBPF_TAG_ARGV, 0, "a b\0\"c\0\0");
    RECORD_ADD(&record, EBPF_TAG_ENV, 0, "A=1\0B=\0");
    CHECK_SAME(value_of("argv"), "[\"a b\",\"\\\"c\",\"\"]");
    CHECK_SAME(value_of("args"), "");
    CHECK_SAME(value_of("env"), "[\"A=1\",\"B=\"]");
}

static void test_root_cgroup(void)
{
    record__begin(&record, EBPF_EVENT_PROCESS_EXEC);
    RECORD_ADD(&record, EBPF_TAG_CGROUP_PATH, 0, "");
    RECORD_ADD(&record, EBPF_TAG_CWD, 0, "");
    CHECK_SAME(value_of("pids_ss_cgroup_path"), "\"\"");
    CHECK_SAME(value_of("cwd"), "\"/\"");
    record__begin(&record, EBPF_EVENT_PROCESS_EXEC);
    RECORD_ADD(&record, EBPF_TAG_CGROUP_PATH, 0, "b\0a\0");
    CHECK_SAME(value_of("pids_ss_cgroup_path"), "\"/a/b\"");
}

#define CHECK_FILENAME(argv, path, path_flags, cwd, want)                                                              \
    do {                                                                                                               \
        record__begin(&record, EBPF_EVENT_PROCESS_EXEC);                                                               \
        RECORD_ADD(&record, EBPF_TAG_FILENAME, path_flags, path);                                                      \
        RECORD_ADD(&record, EBPF_TAG_CWD, 0, cwd);                                                                     \
        RECORD_ADD(&record, EBPF_TAG_ARGV, 0, argv);                                                                   \
        CHECK_SAME(value_of("filename"), want);                                                                        \
    } while (0)

/* As the caller gave it, only if that is the program that runs. */
static void test_filename(void)
{
    CHECK_FILENAME("./do\0-x\0", "do\0", 0, "", "\"./do\"");
    CHECK_FILENAME("./do", "do\0", 0, "", "\"./do\"");
    CHECK_FILENAME("./do\0", "do\0bin\0usr\0", 0, "bin\0usr\0", "\"./do\"");
    CHECK_FILENAME("./d\"\0", "d\"\0bin\0", 0, "bin\0", "\"./d\\\"\"");
    CHECK_FILENAME("./do\0", "do\0bin\0usr\0", 0, "bin\0", "\"/usr/bin/do\"");
    CHECK_FILENAME("./do\0", "do\0bin\0usr\0", 0, "sbin\0usr\0", "\"/usr/bin/do\"");
    CHECK_FILENAME("./do\0", "dox\0", 0, "", "\"/dox\"");
    CHECK_FILENAME("./dox\0", "do\0", 0, "", "\"/do\"");
    CHECK_FILENAME("./do/bin\0", "do\0bin\0", 0, "", "\"/bin/do\"");
    CHECK_FILENAME("do\0", "do\0", 0, "", "\"/do\"");
    CHECK_FILENAME("./\0", "", 0, "", "\"/\"");
    CHECK_FILENAME("", "do\0", 0, "", "\"/do\"");
    CHECK_FILENAME("./do\0", "do\0", EBPF_VARLEN_DELETED, "", "\"/do\"");
}

static void test_failed_is_closed(void)
{
    struct ebpf_network_connection_failed_event failed = {
        .hdr = {.type = EBPF_EVENT_NETWORK_CONNECTION_FAILED, .flags = EBPF_FAILED_F_MPTCP | EBPF_FAILED_F_UNTRACKED},
        .pids = {.tgid = 7},
        .net = {.transport = EBPF_TRANSPORT_TCP, .family = EBPF_FAMILY_INET6, .destination_port = 80},
        .error_number = 111,
    };

    record__begin_with(&record, &failed, sizeof(failed));
    CHECK_SAME(value_of("event_type"), "\"NETWORK_CONNECTION_CLOSED\"");
    CHECK_SAME(value_of("net"),
               "{\"transport\":\"TCP\",\"family\":\"AF_INET6\",\"source_address\":\"::\",\"source_port\":0,"
               "\"destination_address\":\"::\",\"destination_port\":80,\"network_namespace\":0,"
               "\"bytes_sent\":0,\"bytes_received\":0}");
    CHECK_SAME(value_of("mptcp"), "true");
    CHECK_SAME(value_of("owner_pids"), "");
    CHECK_SAME(value_of("errno"), "");
}

static void test_which(void)
{
    struct ebpf_file_create_event create = {.hdr.type = EBPF_EVENT_FILE_CREATE};
    struct ebpf_file_modify_event modify = {.hdr.type = EBPF_EVENT_FILE_MODIFY};

    for (uint32_t type = EBPF_FILE_TYPE_FILE; type <= EBPF_FILE_TYPE_SOCKET; type++) {
        create.file_info.type = type;
        CHECK(ebpf_event__is_elastic(&create.hdr) == (type == EBPF_FILE_TYPE_FILE));
    }
    for (uint32_t change = EBPF_CHANGE_CONTENT; change <= EBPF_CHANGE_FLAGS; change++) {
        modify.change_type = change;
        CHECK(ebpf_event__is_elastic(&modify.hdr) == (change != EBPF_CHANGE_TIMES && change != EBPF_CHANGE_FLAGS));
    }
    struct ebpf_event_header denied = {.type = EBPF_EVENT_PROCESS_PTRACE, .flags = EBPF_PTRACE_F_DENIED};

    CHECK(!ebpf_event__is_elastic(&denied));
    CHECK(!(ebpf_event_set__elastic().bits & ~ebpf_event_set__all().bits));
    for (uint16_t type = 1; type < EBPF_EVENT_TYPE_COUNT; type++) {
        struct ebpf_event_header hdr = {.type = type};
        bool is_unknown = type == EBPF_EVENT_FILE_LINK || type >= EBPF_EVENT_NETWORK_LISTEN;

        if (type != EBPF_EVENT_FILE_CREATE && type != EBPF_EVENT_FILE_MODIFY)
            CHECK(ebpf_event__is_elastic(&hdr) == !is_unknown);
        CHECK(ebpf_event_set__has(ebpf_event_set__elastic(), type) ==
              (!is_unknown && type != EBPF_EVENT_NETWORK_CONNECTION_FAILED));
    }
}

int main(void)
{
    test_arrays();
    test_root_cgroup();
    test_filename();
    test_failed_is_closed();
    test_which();
    return check__report();
}
