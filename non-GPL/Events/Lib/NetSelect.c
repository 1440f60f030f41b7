// SPDX-License-Identifier: BSD-2-Clause
/* NetSelect.c - see NetSelect.h. */
#include "NetSelect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IPV4_BITS 32
#define IPV6_BITS 128
#define IPV4_MAPPED_BITS (IPV6_BITS - IPV4_BITS)

static int refuse(const struct ebpf_log *log, const char *why, const char *what)
{
    ebpf_log__write(log, EBPF_LOG_ERROR, "cannot select by '%s': %s", what, why);
    return -EINVAL;
}

/* Parse an address into the form that events have. Returns the number of bits of its family, or -1. */
static int address__parse(const char *text, struct ebpf_ip *ret_address)
{
    const uint8_t mapped[IPV4_MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};
    uint8_t *bytes = (uint8_t *)ret_address->words;

    if (inet_pton(AF_INET6, text, bytes) == 1)
        return IPV6_BITS;
    memcpy(bytes, mapped, sizeof(mapped));
    return inet_pton(AF_INET, text, bytes + sizeof(mapped)) == 1 ? IPV4_BITS : -1;
}

static struct ebpf_ip mask__of(int bits)
{
    struct ebpf_ip mask = {{0}};
    uint8_t *bytes = (uint8_t *)mask.words;

    for (int i = 0; i < bits; i++)
        bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
    return mask;
}

/* Parse the number behind the '/', up to `most`. Returns `most` without a '/', -1 for anything else. */
static int bits__parse(const char *slash, int most)
{
    char *end;

    if (!slash)
        return most;
    long bits = strtol(slash + 1, &end, 10);
    bool is_number = slash[1] >= '0' && slash[1] <= '9' && !*end;

    return is_number && bits <= most ? (int)bits : -1;
}

/* Parse "192.0.2.7" or "2001:db8::/32"; bits of the address beyond its prefix are ignored. 0 or -EINVAL. */
static int range__parse(const char *text, struct net_range *ret_range)
{
    const char *slash = strchr(text, '/');
    char address[INET6_ADDRSTRLEN] = "";
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    struct ebpf_ip first;

    if (len >= sizeof(address))
        return -EINVAL;
    memcpy(address, text, len);
    int most = address__parse(address, &first);
    int bits = most < 0 ? -1 : bits__parse(slash, most);

    if (bits < 0)
        return -EINVAL;
    ret_range->mask = mask__of(bits + IPV6_BITS - most);
    for (size_t i = 0; i < 4; i++)
        ret_range->first.words[i] = first.words[i] & ret_range->mask.words[i];
    return 0;
}

static int address__add(struct net_list *list, const char *text, const struct ebpf_log *log)
{
    if (list->address_count == NET_SELECT_VALUES)
        return refuse(log, "there can be at most 16 addresses; name a network (ADDRESS/BITS)", text);
    if (!text || range__parse(text, &list->addresses[list->address_count]))
        return refuse(log, "it is no address of IPv4 or IPv6, and no network such as 192.0.2.0/24", text ? text : "");
    list->address_count++;
    return 0;
}

static int port__add(struct net_list *list, uint32_t port, const struct ebpf_log *log)
{
    char text[16];

    if (list->port_count == NET_SELECT_VALUES) {
        snprintf(text, sizeof(text), "%u", port);
        return refuse(log, "there can be at most 16 ports", text);
    }
    list->ports[list->port_count++] = port;
    return 0;
}

int net_selection__build(struct net_selection *ret_selection, const struct ebpf_condition *conditions, size_t count,
                         const struct ebpf_log *log)
{
    struct net_selection selection = {.is_set = false};

    for (size_t i = 0; i < count; i++) {
        const struct ebpf_condition *c = &conditions[i];
        struct net_list *list = c->exclude ? &selection.exclude : &selection.include;
        int err = 0;

        if (c->kind == EBPF_SELECT_ADDRESS)
            err = address__add(list, c->text, log);
        else if (c->kind == EBPF_SELECT_PORT)
            err = port__add(list, c->id, log);
        else
            continue;
        if (err)
            return err;
        selection.is_set = true;
    }
    *ret_selection = selection;
    return 0;
}

/* Which events have the ends of a connection or flow, as their rows say: behind the ids of the process. */
// clang-format off
#define IS_NET(kind) \
    _Generic((EBPF_KIND_##kind *)NULL, struct ebpf_net_info *: true, struct ebpf_net_traffic *: true, default: false)
#define GROUP(name, doc) enum { GROUP_HAS_NET_##name = false
#define END_GROUP(name) };
#define EVENT(id, NAME, name, option, ring, doc) enum { HAS_NET_##NAME = false
#define END_EVENT(name) };
#define FIELD(kind, name, key, doc) || IS_NET(kind)
#include "Events.def"
// clang-format on

static const bool has_net[EBPF_EVENT_TYPE_COUNT] = {
#define EVENT(id, NAME, name, option, ring, doc) [EBPF_EVENT_##NAME] = HAS_NET_##NAME,
#include "Events.def"
};

/* Return the two ends of a network event, NULL for another one. */
static const struct ebpf_net_info *event__net(const struct ebpf_event_header *hdr)
{
    return has_net[hdr->type] ? &((const struct ebpf_network_connection_attempted_event *)hdr)->net : NULL;
}

_Static_assert(offsetof(struct ebpf_net_traffic, destination_port) == offsetof(struct ebpf_net_info, destination_port),
               "net_traffic begins like net_info");

static bool list__has_address(const struct net_list *list, const struct ebpf_ip *address)
{
    for (uint32_t n = 0; n < list->address_count; n++) {
        const struct net_range *range = &list->addresses[n];
        uint32_t differs = 0;

        for (size_t i = 0; i < 4; i++)
            differs |= (address->words[i] & range->mask.words[i]) ^ range->first.words[i];
        if (!differs)
            return true;
    }
    return false;
}

static bool list__has_port(const struct net_list *list, uint32_t port)
{
    for (uint32_t n = 0; n < list->port_count; n++) {
        if (list->ports[n] == port)
            return true;
    }
    return false;
}

static bool list__has_address_of(const struct net_list *list, const struct ebpf_net_info *net)
{
    return list__has_address(list, &net->source) || list__has_address(list, &net->destination);
}

static bool list__has_port_of(const struct net_list *list, const struct ebpf_net_info *net)
{
    return list__has_port(list, net->source_port) || list__has_port(list, net->destination_port);
}

bool net_selection__rejects(const struct net_selection *selection, const struct ebpf_event_header *hdr)
{
    const struct net_list *include = &selection->include, *exclude = &selection->exclude;
    const struct ebpf_net_info *net = selection->is_set ? event__net(hdr) : NULL;

    if (!net)
        return false;
    return (include->address_count && !list__has_address_of(include, net)) ||
           (include->port_count && !list__has_port_of(include, net)) || list__has_address_of(exclude, net) ||
           list__has_port_of(exclude, net);
}
