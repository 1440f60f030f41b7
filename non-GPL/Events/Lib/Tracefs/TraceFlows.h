/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceFlows.h - the flows of UDP datagrams, by the address of their sockets: a flow is a socket, a direction and two
 * ends.
 *
 * A socket keeps TRACE_FLOWS_A_SOCKET flows. One more replaces one that was not used lately, found by a clock hand that
 * goes round. So no socket displaces flows of another one. A socket or flow for which there is no room is untracked.
 */
#ifndef EBPF_TRACE_FLOWS_H
#define EBPF_TRACE_FLOWS_H

#include "../Processes.h"

#define TRACE_FLOWS_A_SOCKET 63
#define TRACE_FLOWS_FIRST 4 /* room is made for so many at first */
#define TRACE_FLOWS_MAX 131072
#define TRACE_FLOWS_RECENT 4096

struct trace_flow {
    struct ebpf_net_info net;
    enum ebpf_direction direction;
    bool was_used; /* since the hand last passed */
    bool passes;   /* the selection, as its process did */
    uint64_t datagrams, bytes;
    uint64_t since; /* boot time, ns */
    struct ebpf_pid_info owner;
    char comm[EBPF_COMM_LEN];
};

/* The flows of a socket. */
struct trace_flow_list {
    struct trace_flow_list *next; /* in its bucket */
    uint64_t sk;
    uint32_t count, room, hand;
    struct trace_flow *flows;
};

struct trace_flows {
    struct trace_flow_list **buckets;
    uint32_t room;                       /* for flows, in all lists */
    uint32_t untracked;                  /* flows for which there was none */
    uint32_t recent[TRACE_FLOWS_RECENT]; /* seconds in which untracked flows were reported, by a hash of the flow */
};

/* Make room for the table of sockets. 0 or -ENOMEM. */
int trace_flows__init(struct trace_flows *flows);
void trace_flows__fini(struct trace_flows *flows);

/* Find the list of a socket; NULL if it has none. */
struct trace_flow_list *trace_flows__find(const struct trace_flows *flows, uint64_t sk);

/* Find the flow of a list with these ends. NULL if there is none. */
struct trace_flow *trace_flow_list__find(const struct trace_flow_list *list, const struct ebpf_net_info *net,
                                         enum ebpf_direction direction);

/*
 * Find room for a new flow of a socket. With `is_aged` in the output it has the flow that is to make room. NULL: there
 * is none. Lists of processes that have ended make room, as their ends may have been lost.
 */
struct trace_flow *trace_flows__put(struct trace_flows *flows, const struct processes *processes, uint64_t sk,
                                    bool *ret_is_aged);

void trace_flows__remove(struct trace_flows *flows, uint64_t sk);

/* Return whether an untracked flow was reported in this second. */
bool trace_flows__was_recent(struct trace_flows *flows, uint64_t sk, const struct ebpf_net_info *net, uint64_t now_ns);

#endif
