/* SPDX-License-Identifier: BSD-2-Clause */
#include "Lacks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "Forced.h"

#define LACKS_MAX 512

/* Something that is missing. */
struct lack {
    const char *event; /* or "the selection" */
    const char *lacks; /* what it lacks; NULL: it is unavailable */
    const char *program, *reason;
    bool is_reported;
};

/* All that is missing, by events. */
struct lacks {
    const struct probes *p;
    struct lack all[LACKS_MAX];
    size_t count;
};

/* A line of the log; what does not fit is cut. */
struct line {
    char text[LOG_LINE_MAX];
    size_t len;
};

static void __attribute__((format(printf, 2, 3))) line__add(struct line *line, const char *format, ...)
{
    size_t room = sizeof(line->text) - line->len;
    va_list args;

    va_start(args, format);
    int added = vsnprintf(line->text + line->len, room, format, args);

    va_end(args);
    line->len += added < 0 ? 0 : (size_t)added < room ? (size_t)added : room - 1;
}

static void lacks__add(void *user, const char *event, const char *lacks, const char *program, const char *reason)
{
    struct lacks *all = user;

    if (all->count == LACKS_MAX)
        abort(); /* a test lacks everything that tracepoints do not show; Hooks.def has not twice as much */
    all->all[all->count++] = (struct lack){.event = event, .lacks = lacks, .program = program, .reason = reason};
}

static void lacks__add_unavailable(struct lacks *all, struct ebpf_event_set wanted)
{
    for (int event = 0; event < EBPF_EVENT_TYPE_COUNT; event++) {
        const struct hooks_program *missing = all->p->hooks.missing[event];
        const char *option = ebpf_event_type__option(event);

        if (ebpf_event_set__has(wanted, event) && !ebpf_event_set__has(all->p->hooks.available, event))
            lacks__add(all, option, NULL, missing ? missing->name : option,
                       missing ? missing->reason : all->p->hooks.unavailable[event]);
    }
}

/* Return whether a reason is one cause for all programs that have it, because it is about kinds of programs. */
static bool reason__is_of_kinds(const struct probes *p, const char *reason)
{
    return !strcmp(reason, REASON_FORCED) || (p->refused_kinds[0] && !strcmp(reason, p->refused_kinds));
}

/* Return whether two lacks have one cause. */
static bool lack__has_cause_of(const struct probes *p, const struct lack *lack, const struct lack *other)
{
    return !strcmp(lack->reason, other->reason) &&
           (!strcmp(lack->program, other->program) || reason__is_of_kinds(p, lack->reason));
}

/* Append the events that are unavailable, or those that are limited, for the cause of a lack. */
static void lacks__list(struct lacks *all, const struct lack *first, bool limited, struct line *line)
{
    const char *event = NULL; /* the last one in the list */

    for (size_t i = 0; i < all->count; i++) {
        struct lack *lack = &all->all[i];

        if ((lack->lacks != NULL) != limited || !lack__has_cause_of(all->p, lack, first))
            continue;
        if (!event)
            line__add(line, limited ? "; limited: " : "; unavailable: ");
        if (!limited)
            line__add(line, "%s%s", event ? ", " : "", lack->event);
        else if (event && !strcmp(event, lack->event))
            line__add(line, "; %s", lack->lacks);
        else
            line__add(line, "%s%s (%s", event ? "), " : "", lack->event, lack->lacks);
        event = lack->event;
        lack->is_reported = true;
    }
    if (event && limited)
        line__add(line, ")");
}

/* Warn of everything that is missing for the cause of a lack, in one line. */
static void lacks__report(struct lacks *all, const struct lack *first)
{
    struct line line = {0};

    if (!reason__is_of_kinds(all->p, first->reason))
        line__add(&line, "%s: ", first->program);
    line__add(&line, "%s", first->reason);
    lacks__list(all, first, false, &line);
    lacks__list(all, first, true, &line);
    ebpf_log__write(&all->p->log, EBPF_LOG_WARNING, "%s", line.text);
}

void probes__report_lacking(struct probes *p, struct ebpf_event_set wanted)
{
    struct lacks lacks = {.p = p};

    lacks__add_unavailable(&lacks, wanted);
    hooks__report_lacking(&p->hooks, lacks__add, &lacks);
    for (size_t i = 0; i < lacks.count; i++) {
        if (!lacks.all[i].is_reported)
            lacks__report(&lacks, &lacks.all[i]);
    }
}

/* A search for the thing that an event lacks, counted down to the one that is asked for. */
struct search {
    const char *event;
    size_t left;
    const char *lacks, *program;
};

static void search__look(void *user, const char *event, const char *lacks, const char *program, const char *reason)
{
    struct search *search = user;

    (void)reason;
    if (search->lacks || strcmp(event, search->event) || search->left--)
        return;
    search->lacks = lacks;
    search->program = program;
}

const char *probes__lacks(struct probes *p, enum ebpf_event_type type, size_t n, const char **ret_program)
{
    struct search search = {.event = ebpf_event_type__option(type), .left = n};

    hooks__report_lacking(&p->hooks, search__look, &search);
    *ret_program = search.program;
    return search.lacks;
}
