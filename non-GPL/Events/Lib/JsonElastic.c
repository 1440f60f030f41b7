// SPDX-License-Identifier: BSD-2-Clause
/* JsonElastic.c - lines for consumers of Elastic's EventsTrace; docs/MIGRATING.md lists what differs. */
#include "JsonText.h"

#define BIT(type) (UINT64_C(1) << (type))

/* Return a failed attempt to connect as a connection that was closed. */
static struct ebpf_network_connection_closed_event closed__of(const struct ebpf_network_connection_failed_event *failed)
{
    struct ebpf_network_connection_closed_event closed = {.hdr = failed->hdr, .pids = failed->pids};

    _Static_assert(EBPF_FAILED_F_MPTCP == EBPF_CLOSED_F_MPTCP, "the flag is another one");
    memcpy(&closed.net, &failed->net, sizeof(failed->net));
    closed.hdr.type = EBPF_EVENT_NETWORK_CONNECTION_CLOSED;
    closed.hdr.size = sizeof(closed);
    closed.hdr.flags &= EBPF_FAILED_F_MPTCP;
    return closed;
}

/* Find the value of a whole path, without the NUL at its end. False if there is none. */
static bool event__path(const struct ebpf_event *event, enum ebpf_tag tag, struct slice *ret_value)
{
    struct ebpf_field field;

    if (ebpf_event__field(event, tag, &field) || field.flags)
        return false;
    *ret_value = (struct slice){field.data, field.len};
    ret_value->len -= ret_value->len && !ret_value->data[ret_value->len - 1];
    return true;
}

/*
 * Return "./NAME" if that is the first argument and the program is NAME in the working directory; else nothing. Paths
 * are stored leaf first.
 */
static struct slice event__given_name(const struct ebpf_event *event)
{
    const struct slice none = {NULL, 0};
    struct slice filename, cwd;
    struct ebpf_field argv;

    if (event->hdr->type != EBPF_EVENT_PROCESS_EXEC || ebpf_event__field(event, EBPF_TAG_ARGV, &argv) ||
        !event__path(event, EBPF_TAG_FILENAME, &filename) || !event__path(event, EBPF_TAG_CWD, &cwd))
        return none;
    const char *given = argv.data;
    size_t len = strnlen(given, argv.len), name = len - 2, parents = cwd.len + !!cwd.len;

    if (len < 3 || memcmp(given, "./", 2) || filename.len != name + parents || memcmp(filename.data, given + 2, name) ||
        (cwd.len && filename.data[name]) || memcmp(filename.data + filename.len - cwd.len, cwd.data, cwd.len))
        return none;
    return (struct slice){given, len};
}

int ebpf_event__json_elastic(const struct ebpf_event *event, char *buf, size_t size)
{
    const struct slice given_name = event__given_name(event);

    if (event->hdr->type != EBPF_EVENT_NETWORK_CONNECTION_FAILED ||
        event->size < sizeof(struct ebpf_network_connection_failed_event))
        return ebpf_json__line(event, &given_name, buf, size);
    const struct ebpf_network_connection_closed_event closed = closed__of((const void *)event->hdr);
    struct ebpf_event as_closed = *event;

    as_closed.hdr = &closed.hdr;
    as_closed.size = sizeof(closed);
    return ebpf_json__line(&as_closed, &given_name, buf, size);
}

/* Elastic's program has none of the types that were added later, from NETWORK_LISTEN on. */
struct ebpf_event_set ebpf_event_set__elastic(void)
{
    const uint64_t older = BIT(EBPF_EVENT_NETWORK_LISTEN) - BIT(EBPF_EVENT_PROCESS_FORK);

    return (struct ebpf_event_set){.bits = older &
                                           ~(BIT(EBPF_EVENT_FILE_LINK) | BIT(EBPF_EVENT_NETWORK_CONNECTION_FAILED))};
}

bool ebpf_event__is_elastic(const struct ebpf_event_header *hdr)
{
    switch (hdr->type) {
    case EBPF_EVENT_FILE_CREATE:
        return ((const struct ebpf_file_create_event *)hdr)->file_info.type == EBPF_FILE_TYPE_FILE;
    case EBPF_EVENT_FILE_MODIFY:
        return ((const struct ebpf_file_modify_event *)hdr)->change_type <= EBPF_CHANGE_XATTRS;
    case EBPF_EVENT_PROCESS_PTRACE:
        return !(hdr->flags & EBPF_PTRACE_F_DENIED);
    case EBPF_EVENT_NETWORK_CONNECTION_FAILED:
        return true; /* as a connection that was closed */
    default:
        return ebpf_event_set__has(ebpf_event_set__elastic(), hdr->type);
    }
}
