// SPDX-License-Identifier: BSD-2-Clause
/* test-trace-connector.c - messages of the proc connector: their order, what was lost, and what has changed since. */
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "Tracefs/TraceConnector.h"
#include "check.h"

#define CPUS 2

static struct trace_connector connector;
static int kernel; /* the other end of its socket */

static void begin(void)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends))
        abort();
    connector = (struct trace_connector){.fd = ends[0], .cpu_count = CPUS};
    connector.numbers = calloc(CPUS, sizeof(*connector.numbers));
    connector.notices = calloc(TRACE_NOTICES_MAX, sizeof(*connector.notices));
    if (!connector.numbers || !connector.notices)
        abort();
    kernel = ends[1];
    trace_connector__read(&connector); /* the offset of the clocks is that of the machine from now on */
    connector.boot_offset_ns = INT64_C(1) << 62;
}

static void end(void)
{
    trace_connector__close(&connector);
    close(kernel);
}

/* Send the first `size` bytes of a message. */
static void send_some(uint32_t what, uint32_t cpu, uint32_t number, uint64_t time_ns, uint32_t tgid, size_t size)
{
    struct {
        struct nlmsghdr head;
        struct cn_msg message;
        struct proc_event event;
    } __attribute__((packed)) sent = {
        .message = {.id = {.idx = CN_IDX_PROC, .val = CN_VAL_PROC}, .seq = number},
    };
    struct proc_event event = {.cpu = cpu, .timestamp_ns = time_ns};

    memcpy(&event.what, &what, sizeof(what));
    event.event_data.exec.process_pid = event.event_data.exec.process_tgid = (int)tgid;
    if (what == PROC_EVENT_FORK)
        event.event_data.fork.child_pid = event.event_data.fork.child_tgid = (int)tgid;
    memcpy(&sent.event, &event, sizeof(event));
    if (send(kernel, &sent, size < sizeof(sent) ? size : sizeof(sent), MSG_DONTWAIT) < 0)
        abort();
}

static void send_one(uint32_t what, uint32_t cpu, uint32_t number, uint64_t time_ns, uint32_t tgid)
{
    send_some(what, cpu, number, time_ns, tgid, SIZE_MAX);
    trace_connector__read(&connector);
}

static uint64_t since_boot(uint64_t time_ns)
{
    return time_ns + (uint64_t)connector.boot_offset_ns;
}

static void test_messages_are_in_the_order_of_their_times(void)
{
    begin();
    CHECK(!trace_connector__first(&connector));
    send_one(PROC_EVENT_EXEC, 0, 1, 30, 7);
    send_one(PROC_EVENT_EXIT, 1, 9, 10, 8);
    send_one(PROC_EVENT_SID, 1, 10, 20, 9);
    for (uint32_t tgid = 8; tgid <= 10; tgid++) {
        const struct trace_notice *first = trace_connector__first(&connector);

        CHECK(first && first->tgid == (tgid == 10 ? 7 : tgid) && first->time_ns == since_boot((tgid - 7) * 10));
        if (first)
            trace_connector__drop(&connector);
    }
    CHECK(!trace_connector__first(&connector));
    end();
}

static void test_missing_numbers_are_lost(void)
{
    begin();
    send_one(PROC_EVENT_EXEC, 0, UINT32_MAX, 1, 7); /* numbers start anywhere, and begin again */
    send_one(PROC_EVENT_EXEC, 0, 0, 2, 7);
    send_one(PROC_EVENT_EXEC, 1, 50, 3, 7);
    trace_connector__count(&connector, true);
    CHECK(connector.lost == 0);
    send_one(PROC_EVENT_EXEC, 0, 3, 4, 7);
    trace_connector__count(&connector, false);
    CHECK(connector.lost == 0); /* they may still come */
    send_one(PROC_EVENT_EXEC, 0, 2, 5, 7);
    trace_connector__count(&connector, false);
    CHECK(connector.lost == 1); /* number 1 */
    send_one(PROC_EVENT_EXEC, 1, 49, 6, 7);
    send_one(PROC_EVENT_EXEC, 1, 53, 7, 7);
    trace_connector__count(&connector, true);
    CHECK(connector.lost == 3);
    end();
}

static void test_what_has_changed_since_is_known(void)
{
    begin();
    CHECK(trace_connector__is_latest(&connector, 7, since_boot(10), TRACE_CHANGE_ANY));
    send_one(PROC_EVENT_UID, 0, 1, 20, 7);
    CHECK(trace_connector__is_latest(&connector, 7, since_boot(20), TRACE_CHANGE_ANY));
    CHECK(!trace_connector__is_latest(&connector, 7, since_boot(19), TRACE_CHANGE_ANY));
    CHECK(trace_connector__is_latest(&connector, 7, since_boot(19), 1u << TRACE_CHANGE_GID));
    CHECK(!trace_connector__is_latest(&connector, 7 + TRACE_CHANGES, since_boot(19), TRACE_CHANGE_ANY));
    send_some(PROC_EVENT_FORK, 0, 2, 30, 7, SIZE_MAX); /* it is read when that is asked for */
    CHECK(!trace_connector__is_latest(&connector, 7, since_boot(29), 1u << TRACE_CHANGE_GID));
    CHECK(connector.count == 1); /* forks are not kept */
    end();
    CHECK(!trace_connector__is_latest(&connector, 7, since_boot(30), TRACE_CHANGE_ANY));
}

static void test_odd_messages_are_left_out(void)
{
    begin();
    send_some(PROC_EVENT_EXEC, 0, 1, 1, 7, sizeof(struct nlmsghdr));
    send_some(PROC_EVENT_EXEC, 0, 2, 1, 7, sizeof(struct nlmsghdr) + sizeof(struct cn_msg) + 8);
    send_one(PROC_EVENT_EXEC, CPUS, 3, 1, 7);
    send_one(PROC_EVENT_NONE, 0, 4, 1, 7);
    CHECK(!trace_connector__first(&connector) && !connector.numbers[0].read);
    send_one(PROC_EVENT_COREDUMP, 0, 5, 1, 7);
    CHECK(!trace_connector__first(&connector) && connector.numbers[0].read == 1);
    end();
}

static void test_what_has_no_room_stays_in_the_socket(void)
{
    begin();
    for (uint32_t i = 0; i < TRACE_NOTICES_MAX; i++)
        send_one(PROC_EVENT_EXEC, 0, i, i, 7);
    CHECK(connector.has_more && connector.count == TRACE_NOTICES_MAX);
    CHECK(!trace_connector__is_latest(&connector, 8, since_boot(TRACE_NOTICES_MAX), TRACE_CHANGE_ANY));
    send_one(PROC_EVENT_EXIT, 0, TRACE_NOTICES_MAX, TRACE_NOTICES_MAX, 9);
    for (uint32_t i = 0; i < TRACE_NOTICES_MAX; i++)
        trace_connector__drop(&connector);
    const struct trace_notice *first = trace_connector__first(&connector);

    CHECK(first && first->tgid == 9 && !connector.has_more);
    end();
}

int main(void)
{
    test_messages_are_in_the_order_of_their_times();
    test_missing_numbers_are_lost();
    test_what_has_changed_since_is_known();
    test_odd_messages_are_left_out();
    test_what_has_no_room_stays_in_the_socket();
    return check__report();
}
