/* SPDX-License-Identifier: BSD-2-Clause */
#include "Hooks.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "Core/EmitShared.h"
#include "../../Log.h"

#define NO_EVENT 0
#define WAYS_MAX 4

_Static_assert(WAY_SYSCALLS < WAYS_MAX, "raise WAYS_MAX");

/* ----------------------------------------------------------------- the table */

enum {
#define PROGRAM(name, ...) HOOK_##name,
#include "Hooks.def"
    HOOK_COUNT
};

_Static_assert(HOOK_COUNT <= HOOKS_ROWS_MAX, "raise HOOKS_ROWS_MAX");

#define PROGRAM(name, ...) [HOOK_##name] = {.program = #name, ##__VA_ARGS__},
#define EVENTS(...) .roles = {__VA_ARGS__}
#define ROLE(EVENT, ...)                                                                                               \
    {                                                                                                                  \
        .event = EBPF_EVENT_##EVENT, __VA_ARGS__                                                                       \
    }
#define MAKES(EVENT) ROLE(EVENT, .is_required = true, .is_charged = true, .lacks = "")
#define SERVES(EVENT) ROLE(EVENT, .is_required = true, .lacks = "")
#define MAKES_ELSE(EVENT, n, what) ROLE(EVENT, .is_required = true, .way = n, .is_charged = true, .lacks = what)
#define ADDS(EVENT, what) ROLE(EVENT, .is_charged = true, .lacks = what)
#define IMPROVES(EVENT, what) ROLE(EVENT, .lacks = what)
#define ADDS_ALWAYS(EVENT, what) ROLE(EVENT, .is_charged = true, .in_all_ways = true, .lacks = what)
#define IMPROVES_ALWAYS(EVENT, what) ROLE(EVENT, .in_all_ways = true, .lacks = what)
#define SELECTS(KIND, what) .selects = 1u << EBPF_SELECT_##KIND, .selects_lacks = what
#define UNLESS(function) .unless = #function
#define FILE_SYSTEM(name) .file_system = #name
#define LSM(name) .stand_ins[STAND_IN_LSM].program = #name
#define RECORDING_LSM(name) .stand_ins[STAND_IN_RECORDING_LSM].program = #name
#define KPROBE(name) .stand_ins[STAND_IN_KPROBE].program = #name
#define SESSION(name) .stand_ins[STAND_IN_SESSION].program = #name
#define ELSE_KPROBE(name) .stand_ins[STAND_IN_ELSE_KPROBE].shared = &rows[HOOK_##name]
#define SHARED_KPROBE(name) .stand_ins[STAND_IN_KPROBE].shared = &rows[HOOK_##name]
#define SHARED_SESSION(name) .stand_ins[STAND_IN_SESSION].shared = &rows[HOOK_##name]
#define SPARES(count, HOOK, map) .spare_count = count, .spare_hook = SPARE_##HOOK, .body = #map
#define COPIES(count) .spare_count = count
#define SECOND(name) .second = &rows[HOOK_##name]
#define VIA(name) .via = &rows[HOOK_##name]
#define TRIAL(name) .trial = TRIAL_##name

static const struct hook_row rows[HOOK_COUNT] = {
#include "Hooks.def"
};

const struct hook_row *hooks__row(size_t i)
{
    return i < HOOK_COUNT ? &rows[i] : NULL;
}

static size_t row__index(const struct hook_row *row)
{
    return (size_t)(row - rows);
}

/* Return the role that a program has for an event; NULL if it has none. */
static const struct hook_role *row__role(const struct hook_row *row, int event)
{
    for (const struct hook_role *role = row->roles; role->event != NO_EVENT; role++) {
        if (role->event == event)
            return role;
    }
    return NULL;
}

/* ---------------------------------------------------------------- programs */

static size_t hooks__add(struct hooks *hooks, const char *name, int spare)
{
    char *to = hooks->programs[hooks->count].name;

    if (hooks->count == HOOKS_PROGRAMS_MAX)
        abort(); /* a test has all rows */
    if (spare)
        snprintf(to, HOOKS_NAME_MAX, "%s_spare%d", name, spare);
    else
        snprintf(to, HOOKS_NAME_MAX, "%s", name);
    hooks->programs[hooks->count].fd = -1;
    return hooks->count++;
}

static size_t hooks__add_stand_in(struct hooks *hooks, const struct hook_row *row, int kind)
{
    if (row->stand_ins[kind].shared)
        return row__index(row->stand_ins[kind].shared);
    return row->stand_ins[kind].program ? hooks__add(hooks, row->stand_ins[kind].program, 0) : 0;
}

void hooks__init(struct hooks *hooks)
{
    memset(hooks, 0, sizeof(*hooks));
    for (size_t i = 0; i < HOOK_COUNT; i++)
        hooks__add(hooks, rows[i].program, 0);
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        hooks->others[i].first_spare = hooks->count;
        for (int spare = 1; spare <= rows[i].spare_count; spare++)
            hooks__add(hooks, rows[i].program, spare);
    }
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        for (int kind = 0; kind < STAND_IN_COUNT; kind++)
            hooks->others[i].stand_ins[kind] = hooks__add_stand_in(hooks, &rows[i], kind);
    }
}

struct hooks_program *hooks__find(struct hooks *hooks, const char *name)
{
    for (size_t i = 0; i < hooks->count; i++)
        if (!strcmp(hooks->programs[i].name, name))
            return &hooks->programs[i];
    return NULL;
}

bool hooks__is_called(size_t program)
{
    return program < HOOK_COUNT && rows[program].via;
}

void hooks__refuse(struct hooks_program *program, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(program->reason, sizeof(program->reason), format, args);
    va_end(args);
    program->refused = true;
}

int hooks__disable(struct hooks *hooks, const char *names, const struct ebpf_log *log)
{
    char *copy = strdup(names), *rest = copy;

    if (!copy) {
        ebpf_log__write(log, EBPF_LOG_ERROR, "cannot disable hooks: %s; free memory", strerror(ENOMEM));
        return -ENOMEM;
    }
    for (char *name; (name = strsep(&rest, ","));) {
        struct hooks_program *program = hooks__find(hooks, name);

        if (!program) {
            ebpf_log__write(log, EBPF_LOG_ERROR,
                            "cannot disable hook '%s': there is none of that name; HOOKS.md lists them", name);
            free(copy);
            return -EINVAL;
        }
        hooks__refuse(program, "disabled by the caller");
    }
    free(copy);
    return 0;
}

/* Return the best stand-in for a row's program that can be used here; NULL if there is none. */
static struct hooks_program *hooks__stand_in(struct hooks *hooks, size_t row)
{
    for (int kind = 0; kind < STAND_IN_COUNT; kind++) {
        size_t program = hooks->others[row].stand_ins[kind];

        if (program && hooks->stand_ins[kind] && !hooks->programs[program].refused)
            return &hooks->programs[program];
    }
    return NULL;
}

/*
 * Return the program for lack of which a row's cannot be used: itself, if the kernel refuses it and there is no
 * stand-in, or the one that calls it. NULL if it can be used.
 */
static const struct hooks_program *hooks__missing(struct hooks *hooks, size_t row)
{
    const struct hooks_program *via = rows[row].via ? &hooks->programs[row__index(rows[row].via)] : NULL;

    if (hooks->programs[row].refused && !hooks__stand_in(hooks, row))
        return &hooks->programs[row];
    return via && via->refused ? via : NULL;
}

struct hooks_program *hooks__in_use(struct hooks *hooks, size_t row)
{
    struct hooks_program *program = &hooks->programs[row], *stand_in = hooks__stand_in(hooks, row);

    return program->wanted ? program : stand_in && stand_in->wanted ? stand_in : NULL;
}

struct hooks_program *hooks__spare(struct hooks *hooks, size_t row, int n)
{
    return n < rows[row].spare_count ? &hooks->programs[hooks->others[row].first_spare + (size_t)n] : NULL;
}

const struct hooks_program *hooks__second(const struct hooks *hooks, size_t row)
{
    const struct hooks_program *second = rows[row].second ? &hooks->programs[row__index(rows[row].second)] : NULL;

    return second && second->wanted ? second : NULL;
}

/* ---------------------------------------------------------------- the choice */

/* Return the first program that is missing of those that a way of an event requires; NULL if none is. */
static const struct hooks_program *way__missing(struct hooks *hooks, int event, int way, bool *ret_exists)
{
    *ret_exists = false;
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        const struct hook_role *role = row__role(&rows[i], event);

        if (!role || !role->is_required || role->way != way)
            continue;
        *ret_exists = true;
        const struct hooks_program *missing = hooks__missing(hooks, i);

        if (missing)
            return missing;
    }
    return NULL;
}

static int event__choose_way(struct hooks *hooks, int event)
{
    char *why = hooks->unavailable[event];

    snprintf(why, HOOKS_REASON_LEN, "no hook is defined for it");
    for (int way = 0; way < WAYS_MAX; way++) {
        bool exists;
        const struct hooks_program *missing = way__missing(hooks, event, way, &exists);

        if (exists && !missing) {
            why[0] = '\0';
            return way;
        }
        if (missing)
            snprintf(why, HOOKS_REASON_LEN, "%.40s: %.110s", missing->name, missing->reason);
    }
    return -1;
}

/* Return whether a program with that role is of use to the way that is chosen for its event. */
static bool hooks__is_of_way(const struct hooks *hooks, const struct hook_role *role)
{
    int way = hooks->ways[role->event];

    return role->is_required ? role->way == way : way != WAY_SYSCALLS || role->in_all_ways;
}

/* Return whether an event that is available, or the selection, has a use for a row's program. */
static bool hooks__has_use(struct hooks *hooks, size_t i)
{
    if (rows[i].selects)
        return rows[i].selects & hooks->select_kinds && !hooks->programs[i].refused;
    if (hooks__missing(hooks, i) || hooks->programs[i].unneeded)
        return false;
    for (const struct hook_role *role = rows[i].roles; role->event != NO_EVENT; role++) {
        if (ebpf_event_set__has(hooks->available, role->event) && hooks__is_of_way(hooks, role))
            return true;
    }
    return false;
}

static void hooks__choose_stand_ins(struct hooks *hooks)
{
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        struct hooks_program *stand_in = hooks__stand_in(hooks, i);

        if (!stand_in || !hooks->programs[i].wanted)
            continue;
        stand_in->wanted = true;
        hooks->programs[i].wanted = false;
    }
}

static void hooks__choose_callers(struct hooks *hooks)
{
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        if (rows[i].via && hooks->programs[i].wanted)
            hooks->programs[row__index(rows[i].via)].wanted = true;
    }
}

static void hooks__choose_spares(struct hooks *hooks)
{
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        struct hooks_program *spare;

        for (int n = 0; (spare = hooks__spare(hooks, i, n)); n++)
            spare->wanted = hooks->spares && !spare->refused && hooks->programs[i].wanted;
    }
}

static bool program__is_trampoline(const char *name)
{
    return !strncmp(name, "fentry__", 8) || !strncmp(name, "fexit__", 7);
}

/* The program that only probes for trampolines is not needed beside a real one. */
static void hooks__choose_features(struct hooks *hooks)
{
    struct hooks_program *probe = &hooks->programs[HOOK_fentry__probe_trampoline];

    probe->wanted = !probe->refused;
    for (size_t i = 0; i < hooks->count; i++)
        if (&hooks->programs[i] != probe && hooks->programs[i].wanted &&
            program__is_trampoline(hooks->programs[i].name))
            probe->wanted = false;
}

bool hooks__choose(struct hooks *hooks, struct ebpf_event_set wanted)
{
    bool was_wanted[HOOKS_PROGRAMS_MAX], more = false;

    hooks->available.bits = 0;
    for (size_t i = 0; i < hooks->count; i++) {
        was_wanted[i] = hooks->programs[i].wanted;
        hooks->programs[i].wanted = false;
    }
    for (int event = 0; event < EBPF_EVENT_TYPE_COUNT; event++) {
        if (!ebpf_event_set__has(wanted, event))
            continue;
        hooks->ways[event] = event__choose_way(hooks, event);
        if (hooks->ways[event] >= 0)
            ebpf_event_set__add(&hooks->available, event);
    }
    for (size_t i = 0; i < HOOK_COUNT; i++)
        hooks->programs[i].wanted = hooks__has_use(hooks, i);
    hooks__choose_stand_ins(hooks);
    hooks__choose_callers(hooks);
    hooks__choose_spares(hooks);
    hooks__choose_features(hooks);
    for (size_t i = 0; i < hooks->count; i++)
        more |= hooks->programs[i].wanted && !was_wanted[i];
    return more;
}

bool hooks__make_any(struct hooks *hooks, struct ebpf_event_set events)
{
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        const struct hooks_program *program = hooks__in_use(hooks, i);

        if (!program || program->fd < 0)
            continue;
        for (const struct hook_role *role = rows[i].roles; role->event != NO_EVENT; role++) {
            if (role->is_charged && ebpf_event_set__has(events, role->event))
                return true;
        }
    }
    return false;
}

/* ------------------------------------------------------- what follows from it */

/* Return whether a program is a row's, or a stand-in for it, or calls it. */
static bool hooks__is_of_row(const struct hooks *hooks, size_t program, size_t row)
{
    if (program == row)
        return true;
    if (rows[row].via && hooks->programs[row].wanted && row__index(rows[row].via) == program)
        return true;
    for (int kind = 0; kind < STAND_IN_COUNT; kind++) {
        if (program && hooks->others[row].stand_ins[kind] == program)
            return true;
    }
    return false;
}

int hooks__skipped_event(const struct hooks *hooks, size_t program)
{
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        if (!hooks__is_of_row(hooks, program, i))
            continue;
        for (const struct hook_role *role = rows[i].roles; role->event != NO_EVENT; role++) {
            if (role->is_charged && ebpf_event_set__has(hooks->available, role->event))
                return role->event;
        }
    }
    return NO_EVENT;
}

void hooks__write_lacks(const struct hooks *hooks, size_t row, char *text, size_t size)
{
    size_t len = 0;

    text[0] = '\0';
    for (int event = 0; event < EBPF_EVENT_TYPE_COUNT && len < size; event++) {
        const struct hook_role *role =
            ebpf_event_set__has(hooks->available, event) ? row__role(&rows[row], event) : NULL;

        if (!role)
            continue;
        len += (size_t)snprintf(text + len, size - len, "%s%s", len ? ", " : "", ebpf_event_type__option(event));
        if (role->lacks[0] && len < size)
            len += (size_t)snprintf(text + len, size - len, " (%s)", role->lacks);
    }
}

/* Return the missing program that makes an event lack what a role says; NULL if it does not lack that. */
static const struct hooks_program *hooks__lacking(struct hooks *hooks, size_t row, const struct hook_role *role)
{
    bool exists;

    if (!role->lacks[0] || !hooks__is_of_way(hooks, role))
        return NULL;
    if (!role->is_required)
        return hooks__missing(hooks, row);
    return way__missing(hooks, role->event, 0, &exists);
}

void hooks__report_lacking(struct hooks *hooks,
                           void (*report)(void *user, const char *event, const char *lacks, const char *program,
                                          const char *reason),
                           void *user)
{
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        if (rows[i].selects & hooks->select_kinds && hooks->programs[i].refused)
            report(user, "the selection", rows[i].selects_lacks, rows[i].program, hooks->programs[i].reason);
    }
    for (int event = 0; event < EBPF_EVENT_TYPE_COUNT; event++) {
        for (size_t i = 0; ebpf_event_set__has(hooks->available, event) && i < HOOK_COUNT; i++) {
            const struct hook_role *role = row__role(&rows[i], event);
            const struct hooks_program *lacking = role ? hooks__lacking(hooks, i, role) : NULL;

            if (lacking)
                report(user, ebpf_event_type__option(event), role->lacks, lacking->name, lacking->reason);
        }
    }
}
