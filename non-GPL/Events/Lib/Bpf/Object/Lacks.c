/* SPDX-License-Identifier: BSD-2-Clause */
#include "Lacks.h"

#include <stdio.h>
#include <string.h>

#define LACKS_MAX 2048

/* The events that are missing or limited because kinds of programs are refused, collected for one message. */
struct lacks {
    const struct probes *p;
    char missing[LACKS_MAX], limited[LACKS_MAX];
};

static void list__add(char list[LACKS_MAX], const char *event, const char *doc)
{
    size_t len = strlen(list);
    bool has_doc = doc && *doc;

    snprintf(list + len, LACKS_MAX - len, "%s%s%s%s%s", len ? ", " : "", event, has_doc ? " (" : "", has_doc ? doc : "",
             has_doc ? ")" : "");
}

/* Return whether a reason is, or ends with, the message about refused kinds. */
static bool reason__is_of_kinds(const struct probes *p, const char *reason)
{
    size_t len = strlen(p->refused_kinds), reason_len = strlen(reason);

    return len && reason_len >= len && !strcmp(reason + reason_len - len, p->refused_kinds);
}

static void report_lacking(void *user, const char *event, const char *lacks, const char *program, const char *reason)
{
    struct lacks *all = user;

    if (reason__is_of_kinds(all->p, reason))
        list__add(all->limited, event, lacks);
    else
        ebpf_log__write(&all->p->log, EBPF_LOG_WARNING, "%s is limited: %s (%s: %s)", event, lacks, program, reason);
}

static void lacks__report(const struct lacks *lacks)
{
    const char *missing = lacks->missing, *limited = lacks->limited;

    if (*missing || *limited)
        ebpf_log__write(&lacks->p->log, EBPF_LOG_WARNING, "%s%s%s%s%s", lacks->p->refused_kinds,
                        *missing ? "; unavailable: " : "", missing, *limited ? "; limited: " : "", limited);
}

void probes__report_lacking(struct probes *p, struct ebpf_event_set wanted)
{
    struct lacks lacks = {.p = p};

    for (int event = 0; event < EBPF_EVENT_TYPE_COUNT; event++) {
        const char *option = ebpf_event_type__option(event), *why = p->hooks.unavailable[event];

        if (!ebpf_event_set__has(wanted, event) || ebpf_event_set__has(p->hooks.available, event))
            continue;
        if (reason__is_of_kinds(p, why))
            list__add(lacks.missing, option, NULL);
        else
            ebpf_log__write(&p->log, EBPF_LOG_WARNING, "%s is unavailable: %s", option, why);
    }
    hooks__report_lacking(&p->hooks, report_lacking, &lacks);
    lacks__report(&lacks);
}

/* What an event lacks, counted down to the one that is asked for. */
struct lack {
    const char *event;
    size_t left;
    const char *lacks, *program;
};

static void lack__find(void *user, const char *event, const char *lacks, const char *program, const char *reason)
{
    struct lack *lack = user;

    (void)reason;
    if (lack->lacks || strcmp(event, lack->event) || lack->left--)
        return;
    lack->lacks = lacks;
    lack->program = program;
}

const char *probes__lacks(struct probes *p, enum ebpf_event_type type, size_t n, const char **ret_program)
{
    struct lack lack = {.event = ebpf_event_type__option(type), .left = n};

    hooks__report_lacking(&p->hooks, lack__find, &lack);
    *ret_program = lack.program;
    return lack.lacks;
}
