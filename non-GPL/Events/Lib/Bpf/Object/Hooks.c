/* SPDX-License-Identifier: BSD-2-Clause */
#include "Hooks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "HookTable.h"

#define WAYS_MAX 4
#define CONNECTIONS_FIRST EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED
#define CONNECTIONS_LAST EBPF_EVENT_NETWORK_CONNECTION_FAILED

_Static_assert(WAY_SYSCALLS < WAYS_MAX, "raise WAYS_MAX");

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
        hooks__add(hooks, hook_rows[i].program, 0);
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        hooks->others[i].first_spare = hooks->count;
        for (int spare = 1; spare <= hook_rows[i].spare_count; spare++)
            hooks__add(hooks, hook_rows[i].program, spare);
    }
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        for (int kind = 0; kind < STAND_IN_COUNT; kind++)
            hooks->others[i].stand_ins[kind] = hooks__add_stand_in(hooks, &hook_rows[i], kind);
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
    return program < HOOK_COUNT && hook_rows[program].via;
}

void hooks__refuse(struct hooks_program *program, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(program->reason, sizeof(program->reason), format, args);
    va_end(args);
    program->refused = true;
}

/*
 * Return whether a stand-in of a kind is better than the row's program. A kprobe is better than a program that the
 * kernel preempts; where it does not, it is only better than none.
 */
static bool hooks__is_better(const struct hooks *hooks, size_t row, int kind)
{
    return hooks->programs[row].refused || kind == STAND_IN_LSM || kind == STAND_IN_RECORDING_LSM ||
           (hooks->spares && kind != STAND_IN_ELSE);
}

static struct hooks_program *hooks__stand_in(struct hooks *hooks, size_t row);

/* Return whether a row's program is replaced because the kernel lacks its hook. */
static bool hooks__is_elsewhere(struct hooks *hooks, size_t row)
{
    size_t program = hooks->others[row].stand_ins[STAND_IN_ELSE];

    return program && hooks__stand_in(hooks, row) == &hooks->programs[program];
}

/* Return whether a row's program cannot be replaced by a kprobe because what it reports is not noted for that. */
static bool hooks__is_unnoted(struct hooks *hooks, size_t row)
{
    const struct hook_row *noted_by = hook_rows[row].noted_by;

    return noted_by && hooks->stand_ins[STAND_IN_KPROBE] && hooks__is_elsewhere(hooks, row__index(noted_by));
}

/* Return the best stand-in for a row's program that can be used here; NULL if there is none. */
static struct hooks_program *hooks__stand_in(struct hooks *hooks, size_t row)
{
    for (int kind = 0; kind < STAND_IN_COUNT; kind++) {
        size_t program = hooks->others[row].stand_ins[kind];

        if (!program || !hooks->stand_ins[kind] || !hooks__is_better(hooks, row, kind) ||
            hooks->programs[program].refused)
            continue;
        if (kind != STAND_IN_KPROBE || !hooks__is_unnoted(hooks, row))
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
    const struct hooks_program *via = hook_rows[row].via ? &hooks->programs[row__index(hook_rows[row].via)] : NULL;

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
    return n < hook_rows[row].spare_count ? &hooks->programs[hooks->others[row].first_spare + (size_t)n] : NULL;
}

const struct hooks_program *hooks__second(const struct hooks *hooks, size_t row)
{
    const struct hooks_program *second =
        hook_rows[row].second ? &hooks->programs[row__index(hook_rows[row].second)] : NULL;

    return second && second->wanted ? second : NULL;
}

/* ---------------------------------------------------------------- the choice */

/* Return the first program that is missing of those that a way of an event requires; NULL if none is. */
static const struct hooks_program *way__missing(struct hooks *hooks, int event, int way, bool *ret_exists)
{
    *ret_exists = false;
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        const struct hook_role *role = row__role(&hook_rows[i], event);

        if (!role || role->way != way || (!role->is_required && !hooks__is_unnoted(hooks, i)))
            continue;
        *ret_exists = true;
        const struct hooks_program *missing = hooks__missing(hooks, i);

        if (missing)
            return missing;
    }
    return NULL;
}

/* Make an event unavailable for want of a program. */
static void hooks__give_up(struct hooks *hooks, int event, const struct hooks_program *missing)
{
    hooks->available.bits &= ~(1ULL << event);
    hooks->missing[event] = missing;
    snprintf(hooks->unavailable[event], HOOKS_REASON_LEN, "%.40s: %.110s", missing->name, missing->reason);
}

static int event__choose_way(struct hooks *hooks, int event)
{
    char *why = hooks->unavailable[event];
    bool is_known = false;

    hooks->missing[event] = NULL;
    snprintf(why, HOOKS_REASON_LEN, "no hook is defined for it");
    for (int way = 0; way < WAYS_MAX; way++) {
        bool exists;
        const struct hooks_program *missing = way__missing(hooks, event, way, &exists);

        if (exists && !missing) {
            why[0] = '\0';
            return way;
        }
        if (missing && !is_known)
            hooks__give_up(hooks, event, missing);
        is_known |= missing != NULL;
    }
    return -1;
}

/* Return whether a row's program is replaced by one that does not make all of what it makes. */
static bool hooks__is_limited(struct hooks *hooks, size_t row)
{
    return hook_rows[row].else_lacks && hooks__is_elsewhere(hooks, row);
}

/* Return whether a program with that role is of use to the way that is chosen for its event. */
static bool hooks__is_of_way(const struct hooks *hooks, const struct hook_role *role)
{
    int way = hooks->ways[role->event];

    return role->is_required || role->way ? role->way == way : way != WAY_SYSCALLS || role->in_all_ways;
}

/* Return whether an event that is available, or the selection, has a use for a row's program. */
static bool hooks__has_use(struct hooks *hooks, size_t i)
{
    if (hook_rows[i].selects)
        return hook_rows[i].selects & hooks->select_kinds && !hooks->programs[i].refused;
    if (hooks__missing(hooks, i) || hooks->programs[i].unneeded ||
        (hook_rows[i].beside && hooks__is_limited(hooks, row__index(hook_rows[i].beside))))
        return false;
    for (const struct hook_role *role = hook_rows[i].roles; role->event != NO_EVENT; role++) {
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
        if (hook_rows[i].via && hooks->programs[i].wanted)
            hooks->programs[row__index(hook_rows[i].via)].wanted = true;
    }
}

static void hooks__choose_spares(struct hooks *hooks)
{
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        const struct hooks_program *program = &hooks->programs[i];
        struct hooks_program *spare;

        for (int n = 0; (spare = hooks__spare(hooks, i, n)); n++)
            spare->wanted = hooks->spares && !spare->refused && program->wanted && !program->by_kprobe;
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

/*
 * The programs about connections share a table, in which each way has entries of its own: if one of their events can
 * only be made at the ends of system calls, all are. If not all can be, that one is unavailable.
 */
static void hooks__unite_connections(struct hooks *hooks)
{
    const struct ebpf_event_set called = hooks__called_events(hooks);
    const struct hooks_program *missing = NULL;
    bool exists, any = false;

    for (int event = CONNECTIONS_FIRST; event <= CONNECTIONS_LAST; event++) {
        any |= ebpf_event_set__has(called, event);
        missing = missing ? missing : way__missing(hooks, event, WAY_SYSCALLS, &exists);
    }
    for (int event = CONNECTIONS_FIRST; any && event <= CONNECTIONS_LAST; event++) {
        if (!missing)
            hooks->ways[event] = WAY_SYSCALLS;
        else if (ebpf_event_set__has(called, event))
            hooks__give_up(hooks, event, missing);
    }
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
    hooks__unite_connections(hooks);
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
        for (const struct hook_role *role = hook_rows[i].roles; role->event != NO_EVENT; role++) {
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
    if (hook_rows[row].via && hooks->programs[row].wanted && row__index(hook_rows[row].via) == program)
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
        for (const struct hook_role *role = hook_rows[i].roles; role->event != NO_EVENT; role++) {
            if (role->is_charged && ebpf_event_set__has(hooks->available, role->event))
                return role->event;
        }
    }
    return NO_EVENT;
}

/* Return the program for lack of which an event is not made in its best way. Connections are all made in one. */
static const struct hooks_program *hooks__missing_best(struct hooks *hooks, int event)
{
    bool exists, is_shared = event >= CONNECTIONS_FIRST && event <= CONNECTIONS_LAST;
    const struct hooks_program *missing = way__missing(hooks, event, 0, &exists);

    for (int other = CONNECTIONS_FIRST; is_shared && !missing && other <= CONNECTIONS_LAST; other++)
        missing = way__missing(hooks, other, 0, &exists);
    return missing;
}

/* Return the program that makes an event lack what a role says, missing or limited; NULL if it does not lack that. */
static const struct hooks_program *hooks__lacking(struct hooks *hooks, size_t row, const struct hook_role *role)
{
    if (!role->lacks[0] || hooks->programs[row].unneeded)
        return NULL;
    return role->is_required ? hooks__missing_best(hooks, role->event) : hooks__missing(hooks, row);
}

static const struct hooks_program *hooks__limiting(struct hooks *hooks, size_t row, const struct hook_role *role)
{
    const struct hooks_program *program = hooks__in_use(hooks, row);

    if (!role->limit || !program)
        return NULL;
    if (role->is_limit_of_kprobe)
        return program->by_kprobe ? program : NULL;
    return hooks__missing_best(hooks, role->event);
}

static void event__report_lacking(struct hooks *hooks, int event, hooks_report_fn report, void *user)
{
    const char *option = ebpf_event_type__option(event);

    for (size_t i = 0; i < HOOK_COUNT; i++) {
        const struct hook_role *role = row__role(&hook_rows[i], event);
        const struct hooks_program *program;

        if (!role || !hooks__is_of_way(hooks, role))
            continue;
        if ((program = hooks__lacking(hooks, i, role)))
            report(user, option, role->lacks, program->name, program->reason);
        if ((program = hooks__limiting(hooks, i, role)))
            report(user, option, role->limit, program->name, program->reason);
        if (!hooks->programs[i].unneeded && hooks__is_limited(hooks, i) && hook_rows[i].else_lacks[0])
            report(user, option, hook_rows[i].else_lacks, hooks->programs[i].name, hooks->programs[i].reason);
    }
}

void hooks__report_lacking(struct hooks *hooks, hooks_report_fn report, void *user)
{
    const struct ebpf_event_set called = hooks__called_events(hooks);
    const struct hooks_program *missing = NULL;

    for (size_t i = 0; i < HOOK_COUNT; i++) {
        if (hook_rows[i].selects & hooks->select_kinds && hooks->programs[i].refused)
            report(user, HOOKS_SELECTION, hook_rows[i].selects_lacks, hook_rows[i].program, hooks->programs[i].reason);
    }
    for (int event = 0; !missing && event < EBPF_EVENT_TYPE_COUNT; event++)
        missing = ebpf_event_set__has(called, event) ? hooks__missing_best(hooks, event) : NULL;
    if (missing)
        report(user, HOOKS_TRACING, "every system call takes longer", missing->name, missing->reason);
    for (int event = 0; event < EBPF_EVENT_TYPE_COUNT; event++) {
        if (ebpf_event_set__has(hooks->available, event))
            event__report_lacking(hooks, event, report, user);
    }
}
