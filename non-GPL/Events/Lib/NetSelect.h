/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NetSelect.h - conditions about addresses and ports: which network events the handler gets.
 *
 * They are decided here and not by the probes: connections are few beside file operations, and a connection that the
 * probes had not seen would have no owner at its end.
 */
#ifndef EBPF_NET_SELECT_H
#define EBPF_NET_SELECT_H

#include <stdbool.h>
#include <stddef.h>

#include "EbpfEvents.h"
#include "Log.h"

#define NET_SELECT_VALUES 16 /* of a kind */

/* Those that are included, or excluded. */
struct net_list {
    uint32_t address_count, port_count;
    struct net_range {
        struct ebpf_ip first, mask; /* of IPv4 as IPv6 has it */
    } addresses[NET_SELECT_VALUES];
    uint32_t ports[NET_SELECT_VALUES];
};

struct net_selection {
    bool is_set;
    struct net_list include, exclude;
};

/* Conditions of other kinds are not looked at. 0, or -EINVAL after a message. */
int net_selection__build(struct net_selection *ret_selection, const struct ebpf_condition *conditions, size_t count,
                         const struct ebpf_log *log);

/* Whether an event, of whatever type, is left out. */
bool net_selection__rejects(const struct net_selection *selection, const struct ebpf_event_header *hdr);

#endif
