// SPDX-License-Identifier: BSD-2-Clause
/* Conditions.c - see Conditions.h. */
#include "Conditions.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Return the prefix of the names of the events that a kind of condition concerns. */
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

/* Return whether a path is another one or below it; with no separator, whether two names are equal. */
static bool text__is_below(const char *text, const char *above, char separator)
{
    size_t len = strlen(above);

    while (len > 1 && separator && above[len - 1] == separator)
        len--;
    return !strncmp(text, above, len) && (!text[len] || text[len] == separator);
}

/* Return whether every event that meets `a` meets `b`, too. */
static bool condition__implies(const struct ebpf_condition *a, const struct ebpf_condition *b)
{
    bool has_levels = a->kind == EBPF_SELECT_PATH || a->kind == EBPF_SELECT_CGROUP;

    if (a->kind != b->kind)
        return false;
    if (!a->text || !b->text)
        return a->kind == EBPF_SELECT_CONTAINER || a->id == b->id;
    return text__is_below(a->text, b->text, has_levels ? '/' : '\0');
}

static void condition__warn_of_exclusion(const struct ebpf_condition *c, const struct ebpf_log *log)
{
    char number[16];

    snprintf(number, sizeof(number), "%u", c->id);
    if (c->kind == EBPF_SELECT_CONTAINER)
        ebpf_log__write(log, EBPF_LOG_WARNING, "containers and the host are both left out: no event will be reported");
    else
        ebpf_log__write(log, EBPF_LOG_WARNING, "'%s' is included, and excluded as well: nothing of it will be reported",
                        c->text ? c->text : number);
}

static void conditions__warn_of_exclusions(const struct ebpf_condition *conditions, size_t count,
                                           const struct ebpf_log *log)
{
    for (size_t i = 0; i < count; i++) {
        const struct ebpf_condition *included = &conditions[i];
        bool is_excluded = false;

        for (size_t j = 0; j < count && !included->exclude; j++)
            is_excluded |= conditions[j].exclude && condition__implies(included, &conditions[j]);
        if (is_excluded)
            condition__warn_of_exclusion(included, log);
    }
}

void conditions__warn(const struct ebpf_condition *conditions, size_t count, struct ebpf_event_set events,
                      const struct ebpf_log *log)
{
    conditions__warn_of_exclusions(conditions, count, log);
    for (size_t i = 0; i < count; i++) {
        const char *prefix = kind__events(conditions[i].kind);

        if (*prefix && events.bits && !events__have(events, prefix))
            ebpf_log__write(log, EBPF_LOG_WARNING,
                            "a condition about %s leaves out nothing: no event of that kind is selected",
                            *prefix == 'F' ? "paths" : "addresses or ports");
    }
}
