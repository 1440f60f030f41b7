// SPDX-License-Identifier: BSD-2-Clause
/* test-trace-fetch.c - the texts of what probes fetch, and where the records have it. */
#include <errno.h>

#include "Tracefs/TraceFetch.h"
#include "Tracefs/TraceProbes.h"
#include "check.h"

#if defined(__x86_64__)
#define FIRST "%di"
static const char *const registers[] = {"%di", "%si", "%dx", "%cx", "%r8", "%r9"};
#elif defined(__aarch64__)
#define FIRST "%x0"
static const char *const registers[] = {"%x0", "%x1", "%x2", "%x3", "%x4", "%x5"};
#endif

static struct trace_offsets offsets;
static char text[TRACE_FETCH_LEN];

static int compose(const char *path, const char *type)
{
    memset(text, 'x', sizeof(text));
    return trace_fetch__compose(&offsets, 1, path, type, text);
}

static void set_offsets(void)
{
    for (int i = 0; i < TRACE_MEMBER_COUNT; i++)
        offsets.of[i] = TRACE_OFFSET_UNKNOWN;
    offsets.of[TRACE_MEMBER_task_pid] = 0;
    offsets.of[TRACE_MEMBER_task_tgid] = 2236;
    offsets.of[TRACE_MEMBER_task_real_parent] = 2248;
    offsets.of[TRACE_MEMBER_task_cred] = 2888;
    offsets.of[TRACE_MEMBER_cred_uid] = 4;
}

static void test_shapes(void)
{
    static const struct {
        const char *path, *type, *text;
    } rows[] = {
        {"", NULL, FIRST},
        {"", "u32", FIRST ":u32"},
        {"task_tgid", NULL, "+2236(" FIRST ")"},
        {"task_pid", "u32", "+0(" FIRST "):u32"},
        {"task_tgid+4", "u32", "+2240(" FIRST "):u32"},
        {"task_tgid+-4", "u32", "+2232(" FIRST "):u32"},
        {"task_pid+-8", "x64", "+-8(" FIRST "):x64"},
        {"+16", NULL, "+16(" FIRST ")"},
        {"+-8", "x64", "+-8(" FIRST "):x64"},
        {"+0", "string", "+0(" FIRST "):string"},
        {"task_real_parent task_tgid", "u32", "+2236(+2248(" FIRST ")):u32"},
        {"task_cred cred_uid+4", "u32", "+8(+2888(" FIRST ")):u32"},
        {"task_cred +8 cred_uid", "u32", "+4(+8(+2888(" FIRST "))):u32"},
        {"task_cred  cred_uid", "u32", "+4(+2888(" FIRST ")):u32"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        CHECK(compose(rows[i].path, rows[i].type) == 0);
        CHECK_SAME(text, rows[i].text);
        CHECK(!trace_fetch__missing(&offsets, rows[i].path));
    }
}

static void test_without_argument(void)
{
    CHECK(trace_fetch__compose(&offsets, TRACE_RETURNED, "", "s32", text) == 0);
    CHECK_SAME(text, "$retval:s32");
    CHECK(trace_fetch__compose(&offsets, TRACE_RETURNED, "task_tgid", "u32", text) == 0);
    CHECK_SAME(text, "+2236($retval):u32");
    CHECK(trace_fetch__compose(&offsets, TRACE_COMM, "", "string", text) == 0);
    CHECK_SAME(text, "$comm");
}

static void test_arguments(void)
{
    static const int wrong[] = {-2, 7, 1 << 30};
    char want[TRACE_FETCH_LEN];

    for (int i = 0; i < 6; i++) {
        CHECK(trace_fetch__compose(&offsets, i + 1, "task_tgid", "u32", text) == 0);
        snprintf(want, sizeof(want), "+2236(%s):u32", registers[i]);
        CHECK_SAME(text, want);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        CHECK(trace_fetch__compose(&offsets, wrong[i], "task_tgid", "u32", text) == -EINVAL);
}

static void test_unknown(void)
{
    static const struct {
        const char *path, *missing;
    } rows[] = {
        {"task_comm", "task_struct.comm"},
        {"task_comm+4", "task_struct.comm"},
        {"task_real_parent task_nsproxy nsproxy_uts", "task_struct.nsproxy"},
        {"task_tgid +8 pid_nr", "pid.numbers.nr"},
        {"mount_id", "mount.mnt_id - mnt"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        CHECK(compose(rows[i].path, "u32") == -ENOENT);
        CHECK_SAME(trace_fetch__missing(&offsets, rows[i].path), rows[i].missing);
    }
}

static void test_wrong_words(void)
{
    static const char *const wrong[] = {
        "task",     "task_",        "task_tgi", "task_tgidx",     "tgid",           "task_tgid-4",
        "-8",       "task_tgid+4x", "+4x",      "task_tgid+4+4",  "task_cred uid",  "task_cred task_",
        "TASK_PID", "task_tgid,",   "8",        "task_tgid nosy", "nosy task_tgid",
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        CHECK(compose(wrong[i], "u32") == -EINVAL);
        CHECK(!trace_fetch__missing(&offsets, wrong[i]));
    }
}

/* The kernel takes texts of up to 63 characters. */
static void test_length(void)
{
    const char path[] = "+10 +10 +10 +10 +10 +10 +10 +10 +10 +10"; /* 10 times "+10(" and ")", and the register */
    char type[TRACE_FETCH_LEN];
    bool fits = true;

    CHECK(compose(path, NULL) == 0 && strlen(text) == 50 + strlen(FIRST));
    for (size_t len = 1; len < sizeof(type); len++) {
        const size_t whole = 50 + strlen(FIRST) + 1 + len;

        memset(type, 'u', len);
        type[len] = '\0';
        int err = compose(path, type);

        fits = whole <= 63;
        CHECK(err == (fits ? 0 : -E2BIG));
        if (fits)
            CHECK(strlen(text) == whole && !strcmp(strchr(text, ':') + 1, type));
    }
    CHECK(!fits);
    for (int digits = 1, distance = 1; digits <= 8; digits++, distance *= 10) {
        char longer[80];
        const size_t whole = 50 + strlen(FIRST) + 3 + (size_t)digits;

        snprintf(longer, sizeof(longer), "%s +%d", path, distance);
        CHECK(compose(longer, NULL) == (whole <= 63 ? 0 : -E2BIG));
        CHECK(whole > 63 || strlen(text) == whole);
    }
    CHECK(compose("+10 +10 +10 +10 +10 +10 +10 +10 +10 +10 +10 +10 +10", NULL) == -E2BIG);
    CHECK(compose("+10 +10 +10 +10 +10 +10 +10 +10 +10 +10 +10 +10 +10 +10 +10", "u32") == -E2BIG);
}

static void test_format(void)
{
    static const char format[] = "name: fork_1\n"
                                 "ID: 1602\n"
                                 "format:\n"
                                 "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
                                 "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
                                 "\n"
                                 "\tfield:unsigned long __probe_ip;\toffset:8;\tsize:8;\tsigned:0;\n"
                                 "\tfield:u32 arg10;\toffset:16;\tsize:4;\tsigned:0;\n"
                                 "\tfield:u32 arg1;\toffset:20;\tsize:4;\tsigned:0;\n"
                                 "\tfield:u32 pid_ns;\toffset:24;\tsize:4;\tsigned:0;\n"
                                 "\tfield:u32 pid;\toffset:28;\tsize:4;\tsigned:0;\n"
                                 "\tfield:__data_loc char[] name;\toffset:132;\tsize:4;\tsigned:1;\n"
                                 "\n"
                                 "print fmt: \"(%lx) pid=%u last=%u\", REC->__probe_ip, REC->pid, REC->last\n";

    static const struct {
        const char *field;
        int offset;
    } rows[] = {
        {"common_type", 0}, {"common_pid", 4}, {"pid", 28},      {"pid_ns", 24}, {"arg1", 20}, {"arg10", 16},
        {"name", 132},      {"arg", -1},       {"arg100", -1},   {"ns", -1},     {"id", -1},   {"type", -1},
        {"last", -1},       {"__probe_ip", 8}, {"probe_ip", -1}, {"common", -1}, {"u32", -1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        CHECK(trace_format__offset(format, rows[i].field) == rows[i].offset);
    CHECK(trace_format__offset("", "pid") == -1 && trace_format__offset("pid", "pid") == -1);
    CHECK(trace_format__offset("pid;\toffset:4;", "pid") == -1 && trace_format__offset(" pid;", "pid") == -1);
}

int main(void)
{
    set_offsets();
    test_shapes();
    test_without_argument();
    test_arguments();
    test_unknown();
    test_wrong_words();
    test_length();
    test_format();
    return check__report();
}
