/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NetSelect.h - conditions about addresses and ports, which filter network events.
 *
 * They are tested here and not by the probes: connections are few beside file operations, and the probes must track
 * each connection, or its end would have no owner.
 */
#ifndef EBPF_NET_SELECT_H
#define EBPF_NET_SELECT_H

#include <stdbool.h>
#include <stddef.h>

#include "EbpfEvents.h"
#include "Log.h"

#define NET_SELECT_VALUES 16 /* of each kind */

/* Values that are included, or excluded. */
struct net_list {
    uint32_t address_count, port_count;
    struct net_range {
        struct ebpf_ip first, mask; /* IPv4 as IPv4-mapped IPv6 */
    } addresses[NET_SELECT_VALUES];
    uint32_t ports[NET_SELECT_VALUES];
};

struct net_selection {
    bool is_set;
    struct net_list include, exclude;
};

/* Build a selection from the conditions of these kinds. 0, or -EINVAL after a message. */
int net_selection__build(struct net_selection *ret_selection, const struct ebpf_condition *conditions, size_t count,
                         const struct ebpf_log *log);

/* Return whether an event is filtered; one that is no network event never is. */
bool net_selection__rejects(const struct net_selection *selection, const struct ebpf_event_header *hdr);

#endif
