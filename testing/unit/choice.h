/* SPDX-License-Identifier: BSD-2-Clause */
/* choice.h - what the tests of the choice of programs share. */
#ifndef EBPF_TEST_CHOICE_H
#define EBPF_TEST_CHOICE_H

#include <string.h>

#include "Bpf/Object/Hooks.h"

static struct hooks hooks;

static inline struct ebpf_event_set set_of(enum ebpf_event_type type)
{
    struct ebpf_event_set set = {0};

    ebpf_event_set__add(&set, type);
    return set;
}

static inline bool wanted(const char *program)
{
    return hooks__find(&hooks, program)->wanted;
}

static inline int skipped_event(const char *program)
{
    return hooks__skipped_event(&hooks, (size_t)(hooks__find(&hooks, program) - hooks.programs));
}

static const char *lacks_event, *lacks, *lacks_program, *lacks_reason;

static inline void keep_lacks(void *user, const char *event, const char *what, const char *program, const char *reason)
{
    if (strcmp(event, lacks_event) != 0)
        return;
    ++*(int *)user;
    lacks = what;
    lacks_program = program;
    lacks_reason = reason;
}

/* Return how many things an event lacks, and keep the last one. */
static inline int lacks_of(const char *event)
{
    int count = 0;

    lacks_event = event;
    hooks__report_lacking(&hooks, keep_lacks, &count);
    return count;
}

#endif
