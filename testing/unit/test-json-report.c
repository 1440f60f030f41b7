// SPDX-License-Identifier: BSD-2-Clause
/*
 * test-json-report.c - losses, counts and processes over their budget as lines, byte for byte, into each buffer size.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "Stats.h"
#include "check.h"
#include "record-build.h"

static char line[LINE_MAX_BYTES];

static void test_loss(void)
{
    static const char want[] =
        "{\"event_type\":\"EVENTS_LOST\",\"first_seq\":5,\"last_seq\":10,\"lost\":{\"PROCESS_EXEC\":"
        "{\"ring_full\":3,\"handler\":2},\"PROCESS_EXIT\":{\"recursion\":1}},\"total\":6,"
        "\"timestamp\":\"1970-01-01T00:00:01.000000002Z\",\"ts_boot_ns\":77}";
    struct loss loss = {{.first_seq = 5, .last_seq = 10, .time_ns = 1000000002, .ts_boot_ns = 77}, {{0}}};

    loss.counts[EBPF_EVENT_PROCESS_EXEC][EBPF_REASON_RING_FULL] = 3;
    loss.counts[EBPF_EVENT_PROCESS_EXEC][EBPF_REASON_HANDLER] = 2;
    loss.counts[EBPF_EVENT_PROCESS_EXIT][EBPF_REASON_RECURSION] = 1;
    for (size_t size = 0; size < sizeof(want) + 20; size++) {
        char *buf = malloc(size ? size : 1);
        int ret = ebpf_loss__json(&loss.head, buf, size);

        if (size < sizeof(want))
            CHECK(ret == -ENOSPC && errno == ENOSPC);
        else
            CHECK(ret == (int)sizeof(want) - 1 && !strcmp(buf, want));
        free(buf);
    }
    memset(&loss, 0, sizeof(loss));
    CHECK(ebpf_loss__json(&loss.head, line, sizeof(line)) > 0);
    CHECK_SAME(line, "{\"event_type\":\"EVENTS_LOST\",\"first_seq\":0,\"last_seq\":0,\"lost\":{},\"total\":0,"
                     "\"timestamp\":\"1970-01-01T00:00:00.000000000Z\",\"ts_boot_ns\":0}");
}

static void test_over_budget(void)
{
    static const char want[] =
        "{\"event_type\":\"EVENTS_OVER_BUDGET\",\"pids\":{\"tid\":7,\"tgid\":6,\"ppid\":5,\"pgid\":4,\"sid\":3,"
        "\"start_time_ns\":2},\"uid\":4294967295,\"lost\":18446744073709551615,\"comm\":\"sixteen \\\"bytes\\\"!\","
        "\"timestamp\":\"1970-01-01T00:00:01.000000002Z\",\"ts_boot_ns\":77}";
    struct ebpf_over_budget over = {.pids = {.tid = 7, .tgid = 6, .ppid = 5, .pgid = 4, .sid = 3, .start_time_ns = 2},
                                    .uid = UINT32_MAX,
                                    .lost = UINT64_MAX,
                                    .time_ns = 1000000002,
                                    .ts_boot_ns = 77};

    memcpy(over.comm, "sixteen \"bytes\"!", sizeof(over.comm));
    for (size_t size = 0; size < sizeof(want) + 20; size++) {
        char *buf = malloc(size ? size : 1);
        int ret = ebpf_over_budget__json(&over, buf, size);

        if (size < sizeof(want))
            CHECK(ret == -ENOSPC && errno == ENOSPC);
        else
            CHECK(ret == (int)sizeof(want) - 1 && !strcmp(buf, want));
        free(buf);
    }
    memcpy(over.comm, "\xff\033\0left over....", sizeof(over.comm));
    CHECK(ebpf_over_budget__json(&over, line, sizeof(line)) > 0);
    CHECK(strstr(line, "\"comm\":\"\xf4\x8f\x9f\xbf\\u001b\","));
}

static void test_stats(void)
{
    static const char want[] =
        "{\"event_type\":\"STATS\",\"records\":9,\"events\":{\"PROCESS_EXEC\":{\"seen\":9,"
        "\"delivered\":5,\"filtered\":1,\"lost\":{\"ring_full\":3}},\"PROCESS_SETSID\":{\"seen\":4,"
        "\"delivered\":4,\"filtered\":0,\"lost\":{}},\"PROCESS_PTRACE\":{\"seen\":0,\"delivered\":0,"
        "\"filtered\":0,\"lost\":{\"handler\":18446744073709551615}}}}";
    struct stats stats = {.head.records = 9};

    stats.types[EBPF_EVENT_PROCESS_EXEC] = (struct type_counts){9, 5, 1, {[EBPF_REASON_RING_FULL] = 3}};
    stats.types[EBPF_EVENT_PROCESS_SETSID] = (struct type_counts){4, 4, 0, {0}};
    stats.types[EBPF_EVENT_PROCESS_PTRACE].lost[EBPF_REASON_HANDLER] = UINT64_MAX;
    for (size_t size = 0; size < sizeof(want) + 20; size++) {
        char *buf = malloc(size ? size : 1);
        int ret = ebpf_stats__json(&stats.head, buf, size);

        if (size < sizeof(want))
            CHECK(ret == -ENOSPC && errno == ENOSPC);
        else
            CHECK(ret == (int)sizeof(want) - 1 && !strcmp(buf, want));
        free(buf);
    }
    CHECK(ebpf_stats__json(NULL, line, sizeof(line)) > 0);
    CHECK_SAME(line, "{\"event_type\":\"STATS\",\"records\":0,\"events\":{}}");
    stats = (struct stats){.head = {.records = 2, .corrupt = 1}};
    CHECK(ebpf_stats__json(&stats.head, line, sizeof(line)) > 0);
    CHECK_SAME(line, "{\"event_type\":\"STATS\",\"records\":2,\"corrupt\":1,\"events\":{}}");
}

int main(void)
{
    test_loss();
    test_over_budget();
    test_stats();
    return check__report();
}
