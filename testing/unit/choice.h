/* SPDX-License-Identifier: BSD-2-Clause */
/* choice.h - what the tests of the choice of programs share. */
#ifndef EBPF_TEST_CHOICE_H
#define EBPF_TEST_CHOICE_H

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

#endif
