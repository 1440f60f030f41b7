// SPDX-License-Identifier: BSD-2-Clause
/* TraceFlows.c - see TraceFlows.h. */
#include "TraceFlows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096
#define SWEEP_EVERY 4096 /* flows without room, so that not each one goes through all lists */
#define NS_PER_S UINT64_C(1000000000)
#define HASH_FACTOR UINT64_C(0x9e3779b97f4a7c15)

int trace_flows__init(struct trace_flows *flows)
{
    flows->buckets = calloc(BUCKETS, sizeof(struct trace_flow_list *));
    return flows->buckets ? 0 : -ENOMEM;
}

/* Return where the list of a socket hangs, or would. */
static struct trace_flow_list **list__link(const struct trace_flows *flows, uint64_t sk)
{
    struct trace_flow_list **link = &flows->buckets[(sk * HASH_FACTOR >> 40) % BUCKETS];

    while (*link && (*link)->sk != sk)
        link = &(*link)->next;
    return link;
}

static void link__cut(struct trace_flows *flows, struct trace_flow_list **link)
{
    struct trace_flow_list *list = *link;

    *link = list->next;
    flows->room -= list->room;
    free(list->flows);
    free(list);
}

void trace_flows__fini(struct trace_flows *flows)
{
    for (uint32_t i = 0; flows->buckets && i < BUCKETS; i++) {
        while (flows->buckets[i])
            link__cut(flows, &flows->buckets[i]);
    }
    free(flows->buckets);
    flows->buckets = NULL;
}

struct trace_flow_list *trace_flows__find(const struct trace_flows *flows, uint64_t sk)
{
    return *list__link(flows, sk);
}

void trace_flows__remove(struct trace_flows *flows, uint64_t sk)
{
    struct trace_flow_list **link = list__link(flows, sk);

    if (*link)
        link__cut(flows, link);
}

struct trace_flow *trace_flow_list__find(const struct trace_flow_list *list, const struct ebpf_net_info *net,
                                         enum ebpf_direction direction)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->flows[i].direction == direction && !memcmp(&list->flows[i].net, net, sizeof(*net)))
            return &list->flows[i];
    }
    return NULL;
}

/* Drop the lists whose processes have all ended: the ends of their sockets may have been lost. */
static void flows__sweep(struct trace_flows *flows, const struct processes *processes)
{
    for (uint32_t i = 0; i < BUCKETS; i++) {
        struct trace_flow_list **link = &flows->buckets[i];

        while (*link) {
            bool is_alive = false;

            for (uint32_t f = 0; f < (*link)->count && !is_alive; f++) {
                const struct ebpf_pid_info *owner = &(*link)->flows[f].owner;
                const struct process *p = processes__find(processes, owner->tgid);

                is_alive = p && !p->has_ended && p->pids.start_time_ns == owner->start_time_ns;
            }
            if (is_alive)
                link = &(*link)->next;
            else
                link__cut(flows, link);
        }
    }
}

/* Make room for further flows of a list. False if there is none. */
static bool list__grow(struct trace_flows *flows, struct trace_flow_list *list)
{
    uint32_t room = list->room ? TRACE_FLOWS_A_SOCKET : TRACE_FLOWS_FIRST;

    if (list->room == TRACE_FLOWS_A_SOCKET || flows->room + room - list->room > TRACE_FLOWS_MAX)
        return false;
    struct trace_flow *grown = realloc(list->flows, room * sizeof(*grown));

    if (!grown)
        return false;
    list->flows = grown;
    flows->room += room - list->room;
    list->room = room;
    return true;
}

/* Go round to a flow that was not used lately. */
static struct trace_flow *list__age(struct trace_flow_list *list)
{
    struct trace_flow *flow = &list->flows[list->hand];

    while (flow->was_used) { /* not more than once round: each of them is unused then */
        flow->was_used = false;
        list->hand = (list->hand + 1) % list->count;
        flow = &list->flows[list->hand];
    }
    list->hand = (list->hand + 1) % list->count;
    return flow;
}

/* Return the list of a socket, which is added if there is none. NULL: no memory. */
static struct trace_flow_list *flows__list(struct trace_flows *flows, uint64_t sk)
{
    struct trace_flow_list **link = list__link(flows, sk);

    if (!*link && flows->room < TRACE_FLOWS_MAX)
        *link = calloc(1, sizeof(**link));
    if (*link)
        (*link)->sk = sk;
    return *link;
}

struct trace_flow *trace_flows__put(struct trace_flows *flows, const struct processes *processes, uint64_t sk,
                                    bool *ret_is_aged)
{
    if (flows->room + TRACE_FLOWS_A_SOCKET > TRACE_FLOWS_MAX && !(flows->untracked++ % SWEEP_EVERY))
        flows__sweep(flows, processes);
    struct trace_flow_list *list = flows__list(flows, sk);

    *ret_is_aged = false;
    if (!list)
        return NULL;
    if (list->count < list->room || list__grow(flows, list))
        return &list->flows[list->count++];
    if (!list->count) {
        trace_flows__remove(flows, sk);
        return NULL;
    }
    *ret_is_aged = true;
    return list__age(list);
}

bool trace_flows__was_recent(struct trace_flows *flows, uint64_t sk, const struct ebpf_net_info *net, uint64_t now_ns)
{
    uint64_t hash =
        (sk ^ net->destination_port ^ (uint64_t)net->source_port << 16 ^ (uint64_t)net->destination.words[3] << 32) *
        HASH_FACTOR;
    uint32_t *recent = &flows->recent[(hash >> 40) % TRACE_FLOWS_RECENT], second = (uint32_t)(now_ns / NS_PER_S);
    bool was_recent = *recent == second;

    *recent = second;
    return was_recent;
}
