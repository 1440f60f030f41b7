/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Datagrams.h - counts datagrams in their flows, and reports flows; for the programs that see datagrams. `typed` as in
 * flows__have_storage.
 */
#ifndef EBPF_NETWORK_DATAGRAMS_H
#define EBPF_NETWORK_DATAGRAMS_H

#include "Flows.h"

/*
 * Report the n-th of the flows that have been copied to a slot. It is a global function, so that it is verified once;
 * such a function takes no pointers. In Datagram.bpf.c, like flows__end.
 */
extern int flow__report(u32 slot, u32 n, u32 state, u32 flags);

/* Report the totals of a socket that is closed, the newest flow first. */
extern int flows__end(u32 slot, u32 count);

/* Return how many datagrams the kernel or the network card will make of one buffer (UDP_SEGMENT). */
static __always_inline u64 payload__datagrams(u64 payload, u32 size)
{
    return size && payload ? ((u32)payload + size - 1) / size : 1;
}

/*
 * Values that depend on the family are hidden from the verifier, which would otherwise check the following code twice.
 */
static __always_inline void flow_key__launder(struct flow_key *key)
{
    u64 *words = (void *)key, zero = emit_runtime.zero;

    for (u32 i = 0; i < sizeof(*key) / sizeof(*words); i++)
        words[i] |= zero;
}

static __always_inline void flow__init(struct flow *flow, const struct flow_key *key, u64 datagrams, u64 bytes,
                                       bool from_caller)
{
    flow->key = *key;
    flow->datagrams = datagrams;
    flow->bytes = bytes;
    flow->since = bpf_ktime_get_boot_ns();
    flow->is_filtered = current__is_filtered();
    flow->was_used = 0;
    flow->from_caller = from_caller;
    WITH_CURRENT(task, typed, {
        pid_info__fill(&flow->owner, typed, task);
        kernel__copy(typed, flow->comm, task->comm, EBPF_COMM_LEN);
    });
}

#define COPY_NEW 0
#define COPY_AGED 1

/*
 * Put the new flow, which is in the copy, into a slot. Return false if another thread has put it since there were
 * `puts`.
 */
static __always_inline bool flow__put(bool typed, struct sock *sk, struct flow_list *list, u32 puts,
                                      struct flows_copy *copy)
{
    struct flow *flow = &copy->flows[COPY_NEW];
    struct flow *same = flow_list__find_since(list, flow_more__of(typed, sk, list, false), puts, &flow->key);

    if (same) {
        flow__count(same, flow->datagrams, flow->bytes, flow->from_caller);
        return false;
    }
    list->net_ns = copy->net_ns;
    flow_list__put(typed, sk, list, flow, &copy->flows[COPY_AGED]);
    return true;
}

/* Handle the first datagram of a flow. */
static __always_inline void flow__begin(bool typed, struct sock *sk, struct flow_list *list, u32 puts,
                                        struct scratch *s)
{
    struct flows_copy *copy = (void *)s->data;

    copy->flows[COPY_AGED].key.direction = 0;
    if (list && flow_list__lock(list)) {
        bool put = flow__put(typed, sk, list, puts, copy);

        flow_list__unlock(list);
        if (copy->flows[COPY_AGED].key.direction)
            flow__report(s->slot, COPY_AGED, EBPF_FLOW_AGED, 0);
        if (put)
            flow__report(s->slot, COPY_NEW, EBPF_FLOW_NEW, 0);
    } else if (!flow__was_reported_lately(sk, &copy->flows[COPY_NEW].key)) {
        flow__report(s->slot, COPY_NEW, EBPF_FLOW_NEW, EBPF_FLOW_F_UNTRACKED);
    }
}

/* Count datagrams in their flow. Return whether the socket had no such flow. */
static __always_inline bool datagrams__count(bool typed, struct sock *sk, const struct flow_key *key, u64 datagrams,
                                             u64 bytes, bool from_caller)
{
    struct flow_list *list = typed || emit_runtime.flows_end ? flow_list__of(typed, sk, true) : NULL;
    struct flow_more *more = list ? flow_more__of(typed, sk, list, false) : NULL;
    u32 puts = list ? READ_ONCE(list->puts) : 0;
    struct flow *flow = list ? flow_list__at(list, more, flow_list__search(list, more, key)) : NULL;

    if (flow) {
        flow__count(flow, datagrams, bytes, from_caller);
        return false;
    }
    struct scratch *s = scratch__claim(MAY_BE_PREEMPTED);

    if (!s) {
        count__without_slot(EBPF_EVENT_NETWORK_DATAGRAM_FLOW, 1, current__is_filtered());
        return true;
    }
    struct flows_copy *copy = (void *)s->data;

    copy->net_ns = sock__net_ns(typed, sk);
    flow__init(&copy->flows[COPY_NEW], key, datagrams, bytes, from_caller);
    flow__begin(typed, sk, list, puts, s);
    scratch__release(s);
    return true;
}

static __always_inline void flows__copy(struct flows_copy *copy, struct flow_list *list, struct flow_more *more)
{
    copy->net_ns = list->net_ns;
    bpf_probe_read_kernel(copy->flows, sizeof(list->flows), list->flows);
    if (more)
        bpf_probe_read_kernel(&copy->flows[FLOWS_FIRST], sizeof(more->flows), more->flows);
}

/* Count the totals that no slot was free for, as filtered or lost, by the rule of flow__emit. */
static __always_inline void flows__count_without_slot(struct flow_list *list, struct flow_more *more, u32 count)
{
    u32 filtered = 0;

    if (!current__is_kernel_thread()) {
        count__without_slot(EBPF_EVENT_NETWORK_DATAGRAM_FLOW, count, current__is_filtered());
        return;
    }
    for (u32 i = 0; i < FLOWS_A_SOCKET && i < count; i++) {
        struct flow *flow = flow_list__at(list, more, i);

        filtered += flow && flow->is_filtered;
    }
    count__without_slot(EBPF_EVENT_NETWORK_DATAGRAM_FLOW, filtered, true);
    count__without_slot(EBPF_EVENT_NETWORK_DATAGRAM_FLOW, count - filtered, false);
}

/* Report the totals of a socket that is closed, of `count` flows. */
static __always_inline void flows__report(bool typed, struct sock *sk, struct flow_list *list, u32 count)
{
    struct scratch *s = scratch__claim(MAY_BE_PREEMPTED);

    if (s) {
        flows__copy((void *)s->data, list, flow_more__of(typed, sk, list, false));
        flows__end(s->slot, count);
        scratch__release(s);
    } else {
        flows__count_without_slot(list, flow_more__of(typed, sk, list, false), count);
    }
}

/* Handle the end of a socket. It may have a list without flows, for which there was no slot. */
static __always_inline void flows__close(bool typed, struct sock *sk)
{
    struct flow_list *list = flow_list__of(typed, sk, false);
    u32 count = list ? list->count : 0;

    if (!list)
        return;
    if (count)
        flows__report(typed, sk, list, count);
    flow_list__forget(typed, sk);
}

#endif
