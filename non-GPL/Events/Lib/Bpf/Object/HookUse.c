/* SPDX-License-Identifier: BSD-2-Clause */
/* HookUse.c - how each program is used; see Hooks.h. */
#include "Hooks.h"
#include "HookTable.h"

/* Return the program that runs in place of the i-th, or calls it; NULL if none does. */
static const struct hooks_program *hooks__other(struct hooks *hooks, size_t i)
{
    if (hooks__is_called(i))
        return &hooks->programs[row__index(hook_rows[i].via)];
    const struct hooks_program *in_use = i < HOOK_COUNT ? hooks__in_use(hooks, i) : NULL;

    return in_use == &hooks->programs[i] ? NULL : in_use;
}

bool hooks__describe(struct hooks *hooks, size_t i, struct ebpf_hook *ret_hook)
{
    if (i >= hooks->count)
        return false;
    const struct hooks_program *program = &hooks->programs[i], *other = hooks__other(hooks, i);

    *ret_hook = (struct ebpf_hook){.program = program->name, .use = EBPF_HOOK_UNUSED};
    if (program->attached) {
        ret_hook->use = EBPF_HOOK_ATTACHED;
    } else if (program->wanted && other) {
        ret_hook->use = EBPF_HOOK_CALLED;
        ret_hook->by = other->name;
    } else if (program->refused) {
        ret_hook->use = EBPF_HOOK_REFUSED;
        ret_hook->why = program->reason;
    } else if (other && !hooks__is_called(i)) {
        ret_hook->use = EBPF_HOOK_REPLACED;
        ret_hook->by = other->name;
    }
    return true;
}

struct ebpf_event_set hooks__called_events(const struct hooks *hooks)
{
    struct ebpf_event_set called = {0};

    for (int event = 0; event < EBPF_EVENT_TYPE_COUNT; event++) {
        if (ebpf_event_set__has(hooks->available, event) && hooks->ways[event] == WAY_SYSCALLS)
            ebpf_event_set__add(&called, event);
    }
    return called;
}
