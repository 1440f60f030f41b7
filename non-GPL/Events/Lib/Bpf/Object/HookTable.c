/* SPDX-License-Identifier: BSD-2-Clause */
/* HookTable.c - see HookTable.h. */
#include "HookTable.h"

#include "Core/EmitShared.h"

#define PROGRAM(name, ...) [HOOK_##name] = {.program = #name, ##__VA_ARGS__},
#define EVENTS(...) .roles = {__VA_ARGS__}
#define ROLE(EVENT, ...)                                                                                               \
    {                                                                                                                  \
        .event = EBPF_EVENT_##EVENT, __VA_ARGS__                                                                       \
    }
#define MAKES(EVENT) ROLE(EVENT, .is_required = true, .is_charged = true, .lacks = "")
#define SERVES(EVENT) ROLE(EVENT, .is_required = true, .lacks = "")
#define MAKES_ELSE(EVENT, n, what) ROLE(EVENT, .is_required = true, .way = n, .is_charged = true, .lacks = what)
#define MAKES_AS_KPROBE(EVENT, what)                                                                                   \
    ROLE(EVENT, .is_required = true, .is_charged = true, .lacks = "", .limit = what, .is_limit_of_kprobe = true)
#define PARTLY_ELSE(EVENT, n, what, less) ROLE(EVENT, .way = n, .is_charged = true, .lacks = what, .limit = less)
#define ADDS_ELSE(EVENT, n, what) ROLE(EVENT, .way = n, .is_charged = true, .lacks = what)
#define IMPROVES_ELSE(EVENT, n, what) ROLE(EVENT, .way = n, .lacks = what)
#define ADDS(EVENT, what) ROLE(EVENT, .is_charged = true, .lacks = what)
#define IMPROVES(EVENT, what) ROLE(EVENT, .lacks = what)
#define ADDS_ALWAYS(EVENT, what) ROLE(EVENT, .is_charged = true, .in_all_ways = true, .lacks = what)
#define IMPROVES_ALWAYS(EVENT, what) ROLE(EVENT, .in_all_ways = true, .lacks = what)
#define SELECTS(KIND, what) .selects = 1u << EBPF_SELECT_##KIND, .selects_lacks = what
#define UNLESS(function) .unless = #function
#define IF_PRESENT .if_present = true
#define MODULE(name) .module = #name
#define FILE_SYSTEM(name) .file_system = #name
#define LSM(name) .stand_ins[STAND_IN_LSM].program = #name
#define RECORDING_LSM(name) .stand_ins[STAND_IN_RECORDING_LSM].program = #name
#define KPROBE(name) .stand_ins[STAND_IN_KPROBE].program = #name
#define SESSION(name) .stand_ins[STAND_IN_SESSION].program = #name
#define ELSE_KPROBE(name) .stand_ins[STAND_IN_ELSE_KPROBE].shared = &hook_rows[HOOK_##name]
#define SHARED_KPROBE(name) .stand_ins[STAND_IN_KPROBE].shared = &hook_rows[HOOK_##name]
#define SHARED_SESSION(name) .stand_ins[STAND_IN_SESSION].shared = &hook_rows[HOOK_##name]
#define ELSE(name) .stand_ins[STAND_IN_ELSE].shared = &hook_rows[HOOK_##name]
#define SPARES(count, HOOK, map) .spare_count = count, .spare_hook = SPARE_##HOOK, .body = #map
#define COPIES(count) .spare_count = count
#define ELSE_LIMITED(name, what) ELSE(name), .else_lacks = what
#define SECOND(name) .second = &hook_rows[HOOK_##name]
#define BESIDE(name) .beside = &hook_rows[HOOK_##name]
#define NOTED_BY(name) .noted_by = &hook_rows[HOOK_##name]
#define AS_KPROBE .as_kprobe = true
#define VIA(name) .via = &hook_rows[HOOK_##name]
#define TRIAL(name) .trial = TRIAL_##name

const struct hook_row hook_rows[HOOK_COUNT] = {
#include "Hooks.def"
};

const struct hook_row *hooks__row(size_t i)
{
    return i < HOOK_COUNT ? &hook_rows[i] : NULL;
}

const struct hook_role *row__role(const struct hook_row *row, int event)
{
    for (const struct hook_role *role = row->roles; role->event != NO_EVENT; role++) {
        if (role->event == event)
            return role;
    }
    return NULL;
}
