// SPDX-License-Identifier: BSD-2-Clause
/* Conditions.c - see Conditions.h. */
#include "Conditions.h"

#include <stdbool.h>
#include <string.h>

/* What a condition has to be about for an event to meet it: the beginning of their names. */
static const char *kind__events(enum ebpf_select_kind kind)
{
    switch (kind) {
    case EBPF_SELECT_PATH:
        return "FILE_";
    case EBPF_SELECT_ADDRESS:
    case EBPF_SELECT_PORT:
        return "NETWORK_";
    default:
        return "";
    }
}

static bool events__have(struct ebpf_event_set events, const char *prefix)
{
    for (int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
        const char *name = ebpf_event_type__name(type);

        if (name && ebpf_event_set__has(events, type) && !strncmp(name, prefix, strlen(prefix)))
            return true;
    }
    return false;
}

void conditions__warn(const struct ebpf_condition *conditions, size_t count, struct ebpf_event_set events,
                      const struct ebpf_log *log)
{
    for (size_t i = 0; i < count; i++) {
        const char *prefix = kind__events(conditions[i].kind);

        if (*prefix && events.bits && !events__have(events, prefix))
            ebpf_log__write(log, EBPF_LOG_WARNING,
                            "a condition about %s leaves out nothing: no event of that kind is selected",
                            *prefix == 'F' ? "paths" : "addresses or ports");
    }
}
