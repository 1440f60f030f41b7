// SPDX-License-Identifier: BSD-2-Clause
/* test-trace-sockets.c - the tables of connections and of flows: room, and addresses that are used again. */
#include <netinet/in.h>
#include <stdlib.h>

#include "Tracefs/TraceFlows.h"
#include "Tracefs/TraceNet.h"
#include "Tracefs/TraceSockets.h"
#include "check.h"

#define SK UINT64_C(0xffff888003a4b000)
#define OWNER 5000001u /* a process that is not there, above the kernel's maximum of 2^22 */
#define START_NS 77

static struct processes table;

static void test_sockets(void)
{
    struct trace_sockets sockets = {0};
    struct trace_socket *e;

    if (trace_sockets__init(&sockets))
        abort();
    CHECK(!trace_sockets__find(&sockets, SK));
    e = trace_sockets__put(&sockets, &table, SK);
    CHECK(e && e->sk == SK && !e->role && sockets.count == 1);
    e->role = TRACE_ROLE_OPENED;
    e->error = 111;
    CHECK(trace_sockets__find(&sockets, SK) == e && !trace_sockets__find(&sockets, SK + 8));
    CHECK(trace_sockets__put(&sockets, &table, SK) == e && !e->role && !e->error && sockets.count == 1);
    trace_sockets__remove(&sockets, SK + 8);
    trace_sockets__remove(&sockets, SK);
    CHECK(!trace_sockets__find(&sockets, SK) && !sockets.count);
    trace_sockets__fini(&sockets);
}

/* A full table drops the connections of processes that have ended. */
static void test_sockets_full(void)
{
    struct trace_sockets sockets = {0};
    uint32_t untracked = 0;

    if (trace_sockets__init(&sockets))
        abort();
    for (uint64_t i = 0; i < TRACE_SOCKETS_MAX; i++) {
        struct trace_socket *e = trace_sockets__put(&sockets, &table, SK + i * 64);

        untracked += !e;
        if (e)
            e->owner = (struct ebpf_pid_info){.tgid = OWNER + i % 2, .start_time_ns = START_NS};
    }
    CHECK(!untracked && sockets.count == TRACE_SOCKETS_MAX && !sockets.untracked);
    CHECK(trace_sockets__put(&sockets, &table, SK + 7) && sockets.count == TRACE_SOCKETS_MAX / 2 + 1);
    CHECK(trace_sockets__find(&sockets, SK) && !trace_sockets__find(&sockets, SK + 64));
    for (uint64_t i = 0; sockets.count < TRACE_SOCKETS_MAX; i++)
        trace_sockets__put(&sockets, &table, SK + i * 64 + 1)->owner.tgid = OWNER;
    trace_sockets__fini(&sockets);
}

static struct ebpf_net_info net_to(uint16_t port)
{
    struct ebpf_net_info net = {.transport = EBPF_TRANSPORT_UDP, .destination_port = port};

    trace_ip__set_v4(&net.destination, htonl(0x7f000001));
    return net;
}

static struct trace_flow *put(struct trace_flows *flows, uint16_t port, bool *ret_is_aged)
{
    struct trace_flow *flow = trace_flows__put(flows, &table, SK, ret_is_aged);

    if (flow && !*ret_is_aged)
        *flow = (struct trace_flow){.net = net_to(port), .direction = EBPF_DIRECTION_SENT, .owner.tgid = OWNER};
    return flow;
}

/* The clock hand passes a flow that was used, once. */
static void test_flows(void)
{
    static struct trace_flows flows;
    struct ebpf_net_info net = net_to(2);
    struct trace_flow *flow;
    bool is_aged;

    if (trace_flows__init(&flows))
        abort();
    CHECK(!trace_flows__find(&flows, SK));
    for (uint16_t i = 0; i < TRACE_FLOWS_A_SOCKET; i++)
        CHECK(put(&flows, i, &is_aged) && !is_aged);
    const struct trace_flow_list *list = trace_flows__find(&flows, SK);

    CHECK(list && list->count == TRACE_FLOWS_A_SOCKET && flows.room == TRACE_FLOWS_A_SOCKET);
    flow = trace_flow_list__find(list, &net, EBPF_DIRECTION_SENT);
    CHECK(flow == &list->flows[2] && !trace_flow_list__find(list, &net, EBPF_DIRECTION_RECEIVED));
    list->flows[0].was_used = list->flows[2].was_used = true;
    CHECK(put(&flows, 100, &is_aged) == &list->flows[1] && is_aged);
    CHECK(put(&flows, 101, &is_aged) == &list->flows[3] && is_aged && !list->flows[2].was_used);
    CHECK(trace_flows__put(&flows, &table, SK + 8, &is_aged) && !is_aged);
    CHECK(flows.room == TRACE_FLOWS_A_SOCKET + TRACE_FLOWS_FIRST);
    trace_flows__remove(&flows, SK);
    CHECK(!trace_flows__find(&flows, SK) && flows.room == TRACE_FLOWS_FIRST);
    CHECK(!trace_flows__was_recent(&flows, SK, &net, UINT64_C(5000000000)));
    CHECK(trace_flows__was_recent(&flows, SK, &net, UINT64_C(5900000000)));
    CHECK(!trace_flows__was_recent(&flows, SK, &net, UINT64_C(6000000000)));
    trace_flows__fini(&flows);
}

/* Flows of processes that are there stay, whatever others do. */
static void test_flows_full(void)
{
    static struct trace_flows flows;
    uint64_t sk = SK;
    bool is_aged;

    if (trace_flows__init(&flows))
        abort();
    for (; flows.room + TRACE_FLOWS_FIRST <= TRACE_FLOWS_MAX; sk += 64) {
        struct trace_flow *flow = trace_flows__put(&flows, &table, sk, &is_aged);

        if (!CHECK(flow))
            break;
        *flow = (struct trace_flow){.owner = {.tgid = OWNER, .start_time_ns = START_NS}};
    }
    CHECK(!trace_flows__put(&flows, &table, sk, &is_aged) && !trace_flows__find(&flows, sk));
    CHECK(trace_flows__find(&flows, SK));
    trace_flows__fini(&flows);
}

/* The type of a socket, and its protocol behind it, before it, and as bits. */
static void test_types(void)
{
    CHECK(trace_sock__is_tcp(UINT64_C(0xffff00060001000a)) && trace_sock__is_tcp(UINT64_C(0x0000000000010006)));
    CHECK(trace_sock__is_tcp(UINT64_C(0x000000000001060c)) && !trace_sock__is_tcp(UINT64_C(0xffff00110002000a)));
    CHECK(!trace_sock__is_tcp(UINT64_C(0xffff01060001000a)) && trace_sock__is_mptcp(UINT64_C(0xffff01060001000a)));
    CHECK(trace_sock__is_udp(UINT64_C(0xffff00110002000a)) && !trace_sock__is_udp(UINT64_C(0xffff00110003000a)));
}

int main(void)
{
    if (processes__init(&table) || !processes__get(&table, OWNER, START_NS, NULL))
        abort();
    test_sockets();
    test_sockets_full();
    test_flows();
    test_flows_full();
    test_types();
    processes__fini(&table);
    return check__report();
}
