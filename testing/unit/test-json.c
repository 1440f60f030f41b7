// SPDX-License-Identifier: BSD-2-Clause
/* test-json.c - lines byte for byte: each kind, each flag, each buffer size. */
#include <errno.h>
#include <stdlib.h>

#include "Record.h"
#include "check.h"
#include "json-check.h"
#include "record-build.h"

static struct record record;
static char line[LINE_MAX_BYTES];

#define PIDS "{\"tid\":0,\"tgid\":0,\"ppid\":0,\"pgid\":0,\"sid\":0,\"start_time_ns\":0}"
#define NO_TTY "{\"major\":0,\"minor\":0,\"winsize_rows\":0,\"winsize_cols\":0}"
#define NO_CREDS                                                                                                       \
    "{\"ruid\":0,\"rgid\":0,\"euid\":0,\"egid\":0,\"suid\":0,\"sgid\":0,"                                              \
    "\"cap_permitted\":\"0\",\"cap_effective\":\"0\"}"
#define NO_NS "{\"uts\":0,\"ipc\":0,\"mnt\":0,\"net\":0,\"cgroup\":0,\"time\":0,\"pid\":0,\"user\":0}"
#define COMMON "\"comm\":\"\",\"timestamp\":\"1970-01-01T00:00:00.000000000Z\",\"ts_boot_ns\":0,\"seq\":1}"
#define MODULE "{\"event_type\":\"PROCESS_LOAD_MODULE\",\"pids\":" PIDS ",\"creds\":" NO_CREDS ","
#define MODULE_VERSIONS "\"mod_version\":\"\",\"mod_srcversion\":\"\",\"taints\":0,"
#define MODULE_REST MODULE_VERSIONS COMMON

/*
 * Compare the line, and write it into buffers of every size from none to more than enough: the result is this line or
 * -ENOSPC, and never a byte beyond, which the sanitizer detects.
 */
static void check_line(const char *want)
{
    int len = record__json(&record, line, sizeof(line));

    if (!CHECK_SAME(len >= 0 ? line : NULL, want))
        return;
    CHECK(len == (int)strlen(want) && json_check__line(line, (size_t)len, NULL));
    for (size_t size = 0; size < (size_t)len + 40; size++) {
        char *buf = malloc(size ? size : 1);

        if (!buf)
            abort();
        errno = 0;
        int ret = record__json(&record, buf, size);

        if (size <= (size_t)len)
            CHECK(ret == -ENOSPC && errno == ENOSPC);
        else
            CHECK(ret == len && !strcmp(buf, want));
        free(buf);
    }
}

/* Check one variable field in a record of `type`, its key and the keys about it. */
static void check_value(enum ebpf_event_type type, enum ebpf_tag tag, unsigned int flags, uint32_t orig_len,
                        const void *data, size_t len, const char *key, const char *want)
{
    record__begin(&record, type);
    record__add(&record, tag, flags, orig_len, data, len);
    CHECK_SAME(record__value(&record, key), want);
}

#define CHECK_EXEC(tag, flags, literal, key, want)                                                                     \
    check_value(EBPF_EVENT_PROCESS_EXEC, EBPF_TAG_##tag, flags, 0, literal, sizeof(literal) - 1, key, want)
#define CHECK_CUT(tag, orig_len, key, want)                                                                            \
    check_value(EBPF_EVENT_PROCESS_EXEC, EBPF_TAG_##tag, EBPF_VARLEN_TRUNCATED, orig_len, "abc", 3, key, want)

static void test_documented_example(void)
{
    static const struct ebpf_process_exec_event exec = {
        .hdr = {.ts_boot_ns = 4070455677499, .type = EBPF_EVENT_PROCESS_EXEC, .comm = "ls"},
        .pids = {20115, 20115, 2393, 20115, 2393, 0, 4070455677498},
        .creds = {1000, 1000, 1000, 1000, 1000, 1000, 0, UINT64_MAX},
        .ctty = {136, 1, 50, 200},
        .ns = {4026531838, 4026531839, 4026531841, 4026531840, 4026531835, 4026531834, 4026531836, 4026531837},
        .inode_nlink = 1,
        .argc = 2,
    };

    record__begin_with(&record, &exec, sizeof(exec));
    RECORD_ADD(&record, EBPF_TAG_ARGV, 0, "ls\0--color=auto\0");
    RECORD_ADD(&record, EBPF_TAG_FILENAME, 0, "ls\0bin\0usr\0");
    RECORD_ADD(&record, EBPF_TAG_CGROUP_PATH, 0, "session-5.scope\0user-1000.slice\0user.slice\0");
    RECORD_ADD(&record, EBPF_TAG_CWD, 0, "Ebpf\0Kernel\0endpoint-dev\0vagrant\0home\0");
    check_line("{\"event_type\":\"PROCESS_EXEC\",\"pids\":{\"tid\":20115,\"tgid\":20115,\"ppid\":2393,\"pgid\":20115,"
               "\"sid\":2393,\"start_time_ns\":4070455677498},\"creds\":{\"ruid\":1000,\"rgid\":1000,\"euid\":1000,"
               "\"egid\":1000,\"suid\":1000,\"sgid\":1000,\"cap_permitted\":\"0\","
               "\"cap_effective\":\"18446744073709551615\"},\"ctty\":{\"major\":136,\"minor\":1,\"winsize_rows\":50,"
               "\"winsize_cols\":200},\"filename\":\"/usr/bin/ls\",\"cwd\":\"/home/vagrant/endpoint-dev/Kernel/Ebpf\","
               "\"pids_ss_cgroup_path\":\"/user.slice/user-1000.slice/session-5.scope\","
               "\"argv\":\"ls --color=auto\",\"args\":[\"ls\",\"--color=auto\"],\"ns\":{\"uts\":4026531838,"
               "\"ipc\":4026531839,\"mnt\":4026531841,\"net\":4026531840,\"cgroup\":4026531835,\"time\":4026531834,"
               "\"pid\":4026531836,\"user\":4026531837},"
               "\"is_setuid\":false,\"is_setgid\":false,\"is_memfd\":false,\"script_is_setuid\":false,"
               "\"script_is_setgid\":false,\"script_is_unresolved\":false,\"inode_nlink\":1,"
               "\"argc\":2,\"comm\":\"ls\",\"timestamp\":\"1970-01-01T00:00:00.000000000Z\","
               "\"ts_boot_ns\":4070455677499,\"seq\":1}");
}

/* The keys of the documented example come first in a line, in its order; so do those of its objects. */
static void test_order(void)
{
    static const char *const order[] = {"event_type",          "pids", "creds", "ctty", "filename", "cwd",
                                        "pids_ss_cgroup_path", "argv"};
    struct json_value object, key, value;
    size_t pos = 0;

    record__begin(&record, EBPF_EVENT_PROCESS_EXEC);
    int len = record__json(&record, line, sizeof(line));

    if (!CHECK(len > 0 && json_check__line(line, (size_t)len, &object)))
        return;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        CHECK(json_value__next_member(object, &pos, &key, &value));
        CHECK(key.len == strlen(order[i]) + 2 && !memcmp(key.text + 1, order[i], key.len - 2));
    }
}

static void test_strings(void)
{
    record__begin(&record, EBPF_EVENT_PROCESS_LOAD_MODULE);
    check_line(MODULE "\"filename\":\"\"," MODULE_REST);
    RECORD_ADD(&record, EBPF_TAG_NAME, 0, "a\"b\\c/d\x01\b\t\n\f\r\x1f\x7f\0e");
    check_line(MODULE "\"filename\":\"a\\\"b\\\\c/d\\u0001\\b\\t\\n\\f\\r\\u001f\\u007f\\u0000e\"," MODULE_REST);
    /* A tag that occurs twice counts once; a tag for which the event has no key is ignored. */
    RECORD_ADD(&record, EBPF_TAG_NAME, 0, "second");
    RECORD_ADD(&record, EBPF_TAG_ENV, 0, "A=b\0");
    check_line(MODULE "\"filename\":\"a\\\"b\\\\c/d\\u0001\\b\\t\\n\\f\\r\\u001f\\u007f\\u0000e\"," MODULE_REST);
}

static void test_cut_string(void)
{
    record__begin(&record, EBPF_EVENT_PROCESS_LOAD_MODULE);
    record__add(&record, EBPF_TAG_NAME, EBPF_VARLEN_TRUNCATED, 0, "abc", 3);
    check_line(MODULE "\"filename\":\"abc\"," MODULE_VERSIONS "\"filename_truncated\":true," COMMON);
    record__begin(&record, EBPF_EVENT_PROCESS_LOAD_MODULE);
    record__add(&record, EBPF_TAG_NAME, EBPF_VARLEN_TRUNCATED, UINT32_MAX, "abc", 3);
    check_line(MODULE "\"filename\":\"abc\"," MODULE_VERSIONS
                      "\"filename_truncated\":true,\"filename_length\":4294967295," COMMON);
    record__begin(&record, EBPF_EVENT_PROCESS_LOAD_MODULE);
    record__add(&record, EBPF_TAG_NAME, 0, 3, "abc", 3);
    check_line(MODULE "\"filename\":\"abc\"," MODULE_REST);
}

static void test_paths(void)
{
    CHECK_EXEC(CWD, 0, "", "cwd", "\"/\"");
    CHECK_EXEC(CWD, EBPF_VARLEN_TRUNCATED, "", "cwd", "\"\"");
    CHECK_EXEC(CWD, EBPF_VARLEN_NAME_ONLY, "", "cwd", "\"\"");
    CHECK_EXEC(CWD, 0, "c\0b\0a\0", "cwd", "\"/a/b/c\"");
    CHECK_EXEC(CWD, 0, "c\0b\0a", "cwd", "\"/a/b/c\"");
    CHECK_EXEC(CWD, EBPF_VARLEN_TRUNCATED, "c\0b\0a\0", "cwd", "\"a/b/c\"");
    CHECK_EXEC(CWD, 0, "more than sixteen bytes\0b\0", "cwd", "\"/b/more than sixteen bytes\"");
    CHECK_EXEC(CWD, 0, "\n\0b\0a\0", "cwd", "\"/a/b/\\n\"");
    CHECK_EXEC(CWD, EBPF_VARLEN_TRUNCATED, "\n\0b\0a\0", "cwd", "\"a/b/\\n\"");
    CHECK_EXEC(CWD, 0, "\0", "cwd", "\"/\"");
    CHECK_EXEC(CWD, 0, "a\0\0b\0", "cwd", "\"/b//a\"");
    CHECK_EXEC(FILENAME, EBPF_VARLEN_NAME_ONLY, "memfd:x\0", "filename", "\"memfd:x\"");
    CHECK_EXEC(FILENAME, EBPF_VARLEN_NAME_ONLY, "memfd:\"\0", "filename", "\"memfd:\\\"\"");
    /* A missing path is empty, and not the root. */
    CHECK_EXEC(FILENAME, 0, "ls\0", "cwd", "\"\"");
    CHECK_EXEC(FILENAME, 0, "ls\0", "cwd_truncated", "");
    CHECK_EXEC(FILENAME, 0, "ls\0", "script", "");
    CHECK_EXEC(SCRIPT, 0, "s\0", "script", "\"/s\"");
}

static void test_path_flags(void)
{
    CHECK_EXEC(CWD, EBPF_VARLEN_UNREACHABLE, "c\0", "cwd", "\"/c\"");
    CHECK_EXEC(CWD, EBPF_VARLEN_UNREACHABLE, "c\0", "cwd_unreachable", "true");
    CHECK_EXEC(CWD, EBPF_VARLEN_DELETED, "c\0", "cwd_deleted", "true");
    CHECK_EXEC(CWD, EBPF_VARLEN_UNSTABLE, "c\0", "cwd_unstable", "true");
    CHECK_EXEC(CWD, EBPF_VARLEN_UNSTABLE, "c\0", "cwd_deleted", "");
    CHECK_EXEC(CWD, EBPF_VARLEN_UNREACHABLE, "c\0", "cwd_truncated", "");
    CHECK_EXEC(CWD, EBPF_VARLEN_TRUNCATED, "c\0", "cwd_truncated", "true");
    CHECK_EXEC(CWD, EBPF_VARLEN_TRUNCATED, "c\0", "cwd_unreachable", "");
    CHECK_EXEC(CWD, EBPF_VARLEN_TRUNCATED, "c\0", "cwd_length", "");
    CHECK_EXEC(CWD, 0, "c\0", "cwd_truncated", "");
    CHECK_EXEC(CWD, EBPF_VARLEN_NAME_ONLY, "c\0", "cwd_truncated", "");
    CHECK_EXEC(SCRIPT, EBPF_VARLEN_TRUNCATED, "c\0", "script_truncated", "true");
    CHECK_CUT(CWD, 9000, "cwd_length", "9000");
}

static void test_args(void)
{
    CHECK_EXEC(ARGV, 0, "", "argv", "\"\"");
    CHECK_EXEC(ARGV, 0, "", "args", "[]");
    CHECK_EXEC(ARGV, 0, "\0", "argv", "\"\"");
    CHECK_EXEC(ARGV, 0, "\0", "args", "[\"\"]");
    CHECK_EXEC(ARGV, 0, "a\0\0", "argv", "\"a \"");
    CHECK_EXEC(ARGV, 0, "a\0\0", "args", "[\"a\",\"\"]");
    CHECK_EXEC(ARGV, 0, "\0\0a\0", "argv", "\"  a\"");
    CHECK_EXEC(ARGV, 0, "\0\0a\0", "args", "[\"\",\"\",\"a\"]");
    CHECK_EXEC(ARGV, 0, "a b\0c\0", "args", "[\"a b\",\"c\"]");
    CHECK_EXEC(ARGV, 0, "a\0last", "args", "[\"a\",\"last\"]");
    CHECK_EXEC(ARGV, 0, "a\0last", "argv", "\"a last\"");
    CHECK_EXEC(ARGV, 0, "sh\0-c\0echo \"x\"\n\0", "args", "[\"sh\",\"-c\",\"echo \\\"x\\\"\\n\"]");
    CHECK_EXEC(ARGV, 0, "sh\0-c\0echo \"x\"\n\0", "argv", "\"sh -c echo \\\"x\\\"\\n\"");
    CHECK_EXEC(ARGV, 0, "\n\0", "args", "[\"\\n\"]");
    CHECK_EXEC(ARGV, 0, "\n\0\0", "args", "[\"\\n\",\"\"]");
    CHECK_EXEC(ARGV, 0, "seven..\0and fifteen....\0sixteen.........\0", "args",
               "[\"seven..\",\"and fifteen....\",\"sixteen.........\"]");
    CHECK_EXEC(ARGV, 0, "seven..\0and fifteen....\0sixteen.........\0", "argv",
               "\"seven.. and fifteen.... sixteen.........\"");
    CHECK_EXEC(CWD, 0, "", "args", "[]");
    CHECK_EXEC(CWD, 0, "", "argv", "\"\"");
}

static void test_cut_args(void)
{
    CHECK_CUT(ARGV, 0, "argv_truncated", "true");
    CHECK_CUT(ARGV, 0, "args_truncated", "true");
    CHECK_CUT(ARGV, 0, "argv_length", "");
    CHECK_CUT(ARGV, 100000, "argv_length", "100000");
    CHECK_CUT(ARGV, 100000, "argv", "\"abc\"");
    CHECK_CUT(ARGV, 100000, "args", "[\"abc\"]");
    CHECK_CUT(ENV, 0, "env_truncated", "true");
    CHECK_CUT(ENV, 70000, "env_length", "70000");
    CHECK_EXEC(ARGV, EBPF_VARLEN_TRUNCATED, "a\0", "args", "[\"a\"]");
}

static void test_env(void)
{
    CHECK_EXEC(CWD, 0, "", "env", "");
    CHECK_EXEC(ENV, 0, "", "env", "[]");
    CHECK_EXEC(ENV, 0, "A=b\0C=\0", "env", "[\"A=b\",\"C=\"]");
    CHECK_EXEC(ENV, 0, "A=b\0C=\"\0", "env", "[\"A=b\",\"C=\\\"\"]");
}

/* The event of a terminal has a member of its own for the number of bytes that were cut. */
static void test_tty(void)
{
    struct ebpf_process_tty_write_event write = {.hdr.type = EBPF_EVENT_PROCESS_TTY_WRITE, .tty_out_truncated = 7};

    record__begin_with(&record, &write, sizeof(write));
    record__add(&record, EBPF_TAG_TTY_OUT, EBPF_VARLEN_TRUNCATED, 4242, "\033[1m\0x\r\n", 8);
    check_line("{\"event_type\":\"PROCESS_TTY_WRITE\",\"pids\":" PIDS ",\"tty_out_truncated\":7,\"tty\":" NO_TTY
               ",\"ctty\":" NO_TTY ",\"tty_out\":\"\\u001b[1m\\u0000x\\r\\n\"," COMMON);
}

static void test_flags(void)
{
    struct ebpf_process_memfd_create_event memfd = {.hdr = {.type = EBPF_EVENT_PROCESS_MEMFD_CREATE}};

    for (unsigned int flags = 0; flags <= UINT16_MAX; flags = flags * 2 + 1) {
        memfd.hdr.flags = (uint16_t)flags;
        record__begin_with(&record, &memfd, sizeof(memfd));
        CHECK_SAME(record__value(&record, "flag_cloexec"), flags & EBPF_MEMFD_F_CLOEXEC ? "true" : "false");
        CHECK_SAME(record__value(&record, "flag_allow_seal"), flags & EBPF_MEMFD_F_ALLOW_SEAL ? "true" : "false");
        CHECK_SAME(record__value(&record, "flag_hugetlb"), flags & EBPF_MEMFD_F_HUGETLB ? "true" : "false");
        CHECK_SAME(record__value(&record, "flag_exec"), flags & EBPF_MEMFD_F_EXEC ? "true" : "false");
        CHECK_SAME(record__value(&record, "reserved"), "");
    }
    memfd.hdr.flags = EBPF_MEMFD_F_NOEXEC_SEAL;
    record__begin_with(&record, &memfd, sizeof(memfd));
    RECORD_ADD(&record, EBPF_TAG_NAME, 0, "x");
    check_line("{\"event_type\":\"PROCESS_MEMFD_CREATE\",\"pids\":" PIDS ",\"creds\":" NO_CREDS
               ",\"flags\":0,\"flag_cloexec\":false,\"flag_allow_seal\":false,\"flag_hugetlb\":false,"
               "\"flag_noexec_seal\":true,\"flag_exec\":false,\"filename\":\"x\"," COMMON);
}

static void check_size(uint64_t size)
{
    struct ebpf_process_shmget_event shm = {.hdr.type = EBPF_EVENT_PROCESS_SHMGET, .size = size};
    char want[32];

    record__begin_with(&record, &shm, sizeof(shm));
    snprintf(want, sizeof(want), "%llu", (unsigned long long)size);
    CHECK_SAME(record__value(&record, "size"), want);
}

/* Powers of two and of ten, their neighbours, and some in between. */
static void test_numbers(void)
{
    uint64_t random = 6;

    for (uint64_t power = 1; power; power *= 2) {
        check_size(power - 1);
        check_size(power + 1);
        check_size(power);
    }
    for (uint64_t power = 1, digits = 1; digits <= 20; power *= 10, digits++) {
        check_size(power - 1);
        check_size(power);
        check_size(power + 1);
        for (int i = 0; i < 20; i++)
            check_size(power + random__next(&random) % power);
    }
    check_size(UINT64_MAX);
}

static void test_signed_numbers(void)
{
    static const int32_t values[] = {0, 1, -1, 9, -9, 10, -10, 12345, -12345, 2147483647, -2147483647 - 1};
    struct ebpf_process_shmget_event shm = {.hdr.type = EBPF_EVENT_PROCESS_SHMGET};
    char want[16];

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        shm.shmflg = values[i];
        shm.key = (uint32_t)values[i];
        record__begin_with(&record, &shm, sizeof(shm));
        snprintf(want, sizeof(want), "%d", values[i]);
        CHECK_SAME(record__value(&record, "shmflg"), want);
        snprintf(want, sizeof(want), "%u", (uint32_t)values[i]);
        CHECK_SAME(record__value(&record, "key"), want); /* unsigned */
    }
}

/*
 * The kinds of file_info: an octal number of each length, times that repeat and others that are cached in their slot.
 */
static void test_file_info(void)
{
    struct ebpf_file_create_event create = {.hdr.type = EBPF_EVENT_FILE_CREATE, .file_info.type = EBPF_FILE_TYPE_FILE};
    struct ebpf_file_info *fi = &create.file_info;
    uint64_t random = 9;
    char want[320];

    for (unsigned int i = 0; i < 400; i++) {
        fi->mode = i < 33 ? (uint32_t)((UINT64_C(1) << i) - 1) : (uint32_t)random__next(&random) >> i % 32;
        fi->atime = i % 3 ? fi->atime : (int64_t)(random__next(&random) >> i % 64);
        fi->mtime = i % 2 ? fi->atime : -(int64_t)(random__next(&random) >> i % 63 >> 1);
        fi->ctime = (int64_t)(i % 40) * 1000000000 + 99999990;
        record__begin_with(&record, &create, sizeof(create));
        snprintf(want, sizeof(want),
                 "{\"type\":\"FILE\",\"mode\":%o,\"inode\":0,\"size\":0,\"uid\":0,\"gid\":0,\"atime\":%lld,"
                 "\"mtime\":%lld,\"ctime\":%lld,\"dev_major\":0,\"dev_minor\":0,\"nlink\":0}",
                 fi->mode, (long long)fi->atime, (long long)fi->mtime, (long long)fi->ctime);
        CHECK_SAME(record__value(&record, "file_info"), want);
    }
}

static void test_comm(void)
{
    struct ebpf_event_header *hdr = (void *)record.data;

    record__begin(&record, EBPF_EVENT_PROCESS_SETSID);
    memcpy(hdr->comm, "0123456789abcdef", 16);
    CHECK_SAME(record__value(&record, "comm"), "\"0123456789abcdef\"");
    memcpy(hdr->comm, "sixteen\0left\0\"\xff\n", 16);
    CHECK_SAME(record__value(&record, "comm"), "\"sixteen\"");
    memcpy(hdr->comm, "quote\"\0\0\0\0\0\0\0\0\0\0", 16);
    CHECK_SAME(record__value(&record, "comm"), "\"quote\\\"\"");
    memset(hdr->comm, 1, 16);
#define SOH_4 "\\u0001\\u0001\\u0001\\u0001"
    check_line("{\"event_type\":\"PROCESS_SETSID\",\"pids\":" PIDS ",\"creds\":" NO_CREDS ",\"ctty\":" NO_TTY
               ",\"ns\":" NO_NS ",\"comm\":\"" SOH_4 SOH_4 SOH_4 SOH_4
               "\",\"timestamp\":\"1970-01-01T00:00:00.000000000Z\",\"ts_boot_ns\":0,\"seq\":1}");
}

static void test_no_event(void)
{
    struct ebpf_event_header hdr = {.type = EBPF_EVENT_TYPE_COUNT, .size = sizeof(hdr)};
    struct ebpf_event event = {.hdr = &hdr, .size = sizeof(hdr)};

    CHECK(ebpf_event__json(&event, line, sizeof(line)) == -EINVAL && errno == EINVAL);
    hdr.type = 0;
    CHECK(ebpf_event__json(&event, line, sizeof(line)) == -EINVAL);
    hdr.type = EBPF_EVENT_PROCESS_EXEC; /* of which only the header is there */
    CHECK(ebpf_event__json(&event, line, sizeof(line)) == -EINVAL);
}

int main(void)
{
    test_documented_example();
    test_order();
    test_strings();
    test_cut_string();
    test_paths();
    test_path_flags();
    test_args();
    test_cut_args();
    test_env();
    test_tty();
    test_flags();
    test_numbers();
    test_signed_numbers();
    test_file_info();
    test_comm();
    test_no_event();
    return check__report();
}
