/* SPDX-License-Identifier: BSD-2-Clause */
#include "Hooks.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "Core/EmitShared.h"
#include "../Log.h"

#define WAY_OPTIONAL (-1)
#define WAY_IF_THERE (-2)
#define WAY_SELECTS(kind) (-3 - (int)EBPF_SELECT_##kind)
#define WAY_SELECTS_FIRST (-3)
#define NO_EVENT 0
#define WAYS_MAX 4

struct hook_row {
    int event;
    int way;
    const char *program;
    const char *doc;
};

static const struct hook_row rows[] = {
#define HOOK(EVENT, way, program, doc) {EBPF_EVENT_##EVENT, way, #program, doc},
#define HOOK_OPTIONAL(EVENT, program, doc) {EBPF_EVENT_##EVENT, WAY_OPTIONAL, #program, doc},
#define HOOK_IF_THERE(EVENT, program) {EBPF_EVENT_##EVENT, WAY_IF_THERE, #program, ""},
#define HOOK_FEATURE(program) {NO_EVENT, WAY_OPTIONAL, #program, ""},
#define HOOK_SELECTS(program, KIND, doc) {NO_EVENT, WAY_SELECTS(KIND), #program, doc},
#include "Hooks.def"
};

static const struct hook_spare_row {
    const char *program;
    const char *spare;
} spare_rows[] = {
#define HOOK_SPARE(program, spare) {#program, #spare},
#include "Hooks.def"
};

static const struct hooks_body body_rows[] = {
#define HOOK_BODY(program, hook, map) {#program, #map, hook},
#include "Hooks.def"
};

/* The better ones first. */
static const struct hook_instead_row {
    const char *program;
    const char *instead;
    enum { INSTEAD_LSM, INSTEAD_KPROBE, INSTEAD_SESSION } kind;
} instead_rows[] = {
#define HOOK_LSM(program, lsm) {#program, #lsm, INSTEAD_LSM},
#include "Hooks.def"
#define HOOK_KPROBE(program, kprobe) {#program, #kprobe, INSTEAD_KPROBE},
#include "Hooks.def"
#define HOOK_SESSION(program, session) {#program, #session, INSTEAD_SESSION},
#include "Hooks.def"
};

static const struct hook_unless_row {
    const char *program;
    const char *function;
} unless_rows[] = {
#define HOOK_UNLESS(program, function) {#program, #function},
#include "Hooks.def"
};

static const struct hook_file_system_row {
    const char *program;
    const char *name;
} file_system_rows[] = {
#define HOOK_FILE_SYSTEM(program, name) {#program, #name},
#include "Hooks.def"
};

static const struct hook_second_row {
    const char *program;
    const char *second;
} second_rows[] = {
#define HOOK_SECOND(program, second) {#program, #second},
#include "Hooks.def"
};

static const struct hook_trial_row {
    const char *program;
    enum hooks_trial trial;
} trial_rows[] = {
#define HOOK_TRIAL(program, trial) {#program, TRIAL_##trial},
#include "Hooks.def"
};

static const struct hook_emits_row {
    const char *program;
    int event;
} emits_rows[] = {
#define HOOK_EMITS(program, EVENT) {#program, EBPF_EVENT_##EVENT},
#include "Hooks.def"
};

#define ROWS_END(rows) ((rows) + sizeof(rows) / sizeof(*(rows)))

struct hooks_program *hooks__find(struct hooks *hooks, const char *name)
{
    for (size_t i = 0; i < hooks->count; i++)
        if (!strcmp(hooks->programs[i].name, name))
            return &hooks->programs[i];
    return NULL;
}

static void hooks__add(struct hooks *hooks, const char *name)
{
    if (!hooks__find(hooks, name) && hooks->count < HOOKS_PROGRAMS_MAX)
        hooks->programs[hooks->count++].name = name;
}

void hooks__init(struct hooks *hooks)
{
    memset(hooks, 0, sizeof(*hooks));
    for (const struct hook_row *row = rows; row < ROWS_END(rows); row++)
        hooks__add(hooks, row->program);
    for (const struct hook_spare_row *row = spare_rows; row < ROWS_END(spare_rows); row++)
        hooks__add(hooks, row->spare);
    for (const struct hook_instead_row *row = instead_rows; row < ROWS_END(instead_rows); row++)
        hooks__add(hooks, row->instead);
}

static bool hooks__has_kind(const struct hooks *hooks, const struct hook_instead_row *row)
{
    return row->kind == INSTEAD_LSM ? hooks->lsm : row->kind == INSTEAD_KPROBE ? hooks->kprobes : hooks->sessions;
}

/* What to use in the place of a program; NULL when there is none, or not here. */
static struct hooks_program *hooks__instead_of(struct hooks *hooks, const char *program)
{
    for (const struct hook_instead_row *row = instead_rows; row < ROWS_END(instead_rows); row++) {
        if (!hooks__has_kind(hooks, row) || strcmp(row->program, program) != 0)
            continue;
        struct hooks_program *instead = hooks__find(hooks, row->instead);

        if (instead && !instead->refused)
            return instead;
    }
    return NULL;
}

/* Neither the program nor one that does the same can be had. */
static bool hooks__lacks(struct hooks *hooks, const struct hooks_program *program)
{
    return program->refused && !hooks__instead_of(hooks, program->name);
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

    if (!copy)
        return -ENOMEM;
    for (char *name; (name = strsep(&rest, ","));) {
        struct hooks_program *program = hooks__find(hooks, name);

        if (!program) {
            ebpf_log__write(log, EBPF_LOG_ERROR,
                            "cannot disable hook '%s': there is none of that name; Hooks.def lists them", name);
            free(copy);
            return -EINVAL;
        }
        hooks__refuse(program, "disabled by the caller");
    }
    free(copy);
    return 0;
}

bool hooks__unless(size_t i, const char **ret_program, const char **ret_function)
{
    if (i >= sizeof(unless_rows) / sizeof(*unless_rows))
        return false;
    *ret_program = unless_rows[i].program;
    *ret_function = unless_rows[i].function;
    return true;
}

bool hooks__file_system(size_t i, const char **ret_program, const char **ret_name)
{
    if (i >= sizeof(file_system_rows) / sizeof(*file_system_rows))
        return false;
    *ret_program = file_system_rows[i].program;
    *ret_name = file_system_rows[i].name;
    return true;
}

bool hooks__body(size_t i, struct hooks_body *ret_body)
{
    if (i >= sizeof(body_rows) / sizeof(*body_rows))
        return false;
    *ret_body = body_rows[i];
    return true;
}

struct hooks_program *hooks__spare(struct hooks *hooks, const char *program, size_t i)
{
    for (const struct hook_spare_row *row = spare_rows; row < ROWS_END(spare_rows); row++) {
        if (!strcmp(row->program, program) && i-- == 0)
            return hooks__find(hooks, row->spare);
    }
    return NULL;
}

const struct hooks_program *hooks__second(struct hooks *hooks, const char *program)
{
    for (const struct hook_second_row *row = second_rows; row < ROWS_END(second_rows); row++) {
        const struct hooks_program *second = strcmp(row->program, program) ? NULL : hooks__find(hooks, row->second);

        if (second && second->wanted)
            return second;
    }
    return NULL;
}

bool hooks__trial(struct hooks *hooks, size_t i, enum hooks_trial *ret_trial, struct hooks_program **ret_program)
{
    if (i >= sizeof(trial_rows) / sizeof(*trial_rows))
        return false;
    struct hooks_program *program = hooks__find(hooks, trial_rows[i].program);
    struct hooks_program *instead = hooks__instead_of(hooks, trial_rows[i].program);

    *ret_trial = trial_rows[i].trial;
    *ret_program = program && program->wanted ? program : instead && instead->wanted ? instead : NULL;
    return true;
}

void hooks__trial_lacks(const struct hooks *hooks, size_t i, char *text, size_t size)
{
    size_t len = 0;

    text[0] = '\0';
    for (const struct hook_row *row = rows; row < ROWS_END(rows) && len < size; row++) {
        if (strcmp(row->program, trial_rows[i].program) || !ebpf_event_set__has(hooks->available, row->event))
            continue;
        len += (size_t)snprintf(text + len, size - len, "%s%s", len ? ", " : "", ebpf_event_type__option(row->event));
        if (row->doc[0] && len < size)
            len += (size_t)snprintf(text + len, size - len, " (%s)", row->doc);
    }
}

/* The first program of a way that is refused; NULL when there is none. Tells whether the way exists. */
static struct hooks_program *way__refused(struct hooks *hooks, int event, int way, bool *ret_exists)
{
    *ret_exists = false;
    for (const struct hook_row *row = rows; row < ROWS_END(rows); row++) {
        if (row->event != event || row->way != way)
            continue;
        struct hooks_program *program = hooks__find(hooks, row->program);

        *ret_exists = true;
        if (hooks__lacks(hooks, program))
            return program;
    }
    return NULL;
}

static int event__choose_way(struct hooks *hooks, int event)
{
    char *why = hooks->unavailable[event];

    snprintf(why, HOOKS_REASON_LEN, "no hook for it is known");
    for (int way = 0; way < WAYS_MAX; way++) {
        bool exists;
        struct hooks_program *refused = way__refused(hooks, event, way, &exists);

        if (exists && !refused) {
            why[0] = '\0';
            return way;
        }
        if (refused)
            snprintf(why, HOOKS_REASON_LEN, "%.40s: %.110s", refused->name, refused->reason);
    }
    return -1;
}

static bool program__is_trampoline(const char *name)
{
    return !strncmp(name, "fentry__", 8) || !strncmp(name, "fexit__", 7);
}

/* An event's own trampoline tells as much as the one that is there only to tell. */
static void hooks__choose_features(struct hooks *hooks)
{
    struct hooks_program *probe = hooks__find(hooks, "fentry__probe_trampoline");

    probe->wanted = !probe->refused;
    for (size_t i = 0; i < hooks->count; i++)
        if (&hooks->programs[i] != probe && hooks->programs[i].wanted &&
            program__is_trampoline(hooks->programs[i].name))
            probe->wanted = false;
}

/* LSM programs, kprobes and sessions take the places of others where they can be used. */
static void hooks__choose_instead(struct hooks *hooks)
{
    for (const struct hook_instead_row *row = instead_rows; row < ROWS_END(instead_rows); row++) {
        struct hooks_program *program = hooks__find(hooks, row->program);
        struct hooks_program *instead = hooks__instead_of(hooks, row->program);

        if (!instead || !program->wanted)
            continue;
        instead->wanted = true;
        program->wanted = false;
    }
}

/* After the programs themselves in the table: the kernel is to run them in that order. */
static void hooks__choose_spares(struct hooks *hooks)
{
    for (const struct hook_spare_row *row = spare_rows; row < ROWS_END(spare_rows); row++) {
        const struct hooks_program *program = hooks__find(hooks, row->program);
        struct hooks_program *spare = hooks__find(hooks, row->spare);

        if (spare)
            spare->wanted = hooks->spares && !spare->refused && program && program->wanted;
    }
}

static bool row__is_for_selection(const struct hooks *hooks, const struct hook_row *row)
{
    return row->way <= WAY_SELECTS_FIRST && hooks->select_kinds >> (WAY_SELECTS_FIRST - row->way) & 1;
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
    for (const struct hook_row *row = rows; row < ROWS_END(rows); row++) {
        struct hooks_program *program = hooks__find(hooks, row->program);

        if (row->event != NO_EVENT && ebpf_event_set__has(hooks->available, row->event) &&
            !hooks__lacks(hooks, program) && (row->way < 0 || row->way == hooks->ways[row->event])) {
            program->wanted = !program->unneeded;
        }
        if (row->way <= WAY_SELECTS_FIRST)
            program->wanted = row__is_for_selection(hooks, row) && !program->refused;
    }
    hooks__choose_instead(hooks);
    hooks__choose_spares(hooks);
    hooks__choose_features(hooks);
    for (size_t i = 0; i < hooks->count; i++)
        more |= hooks->programs[i].wanted && !was_wanted[i];
    return more;
}

/* Whether a row is about a program, or about one that it takes the place of. */
static bool emits_row__is_of(const struct hook_emits_row *emits, const char *program)
{
    if (!strcmp(emits->program, program))
        return true;
    for (const struct hook_instead_row *row = instead_rows; row < ROWS_END(instead_rows); row++) {
        if (!strcmp(row->instead, program) && !strcmp(row->program, emits->program))
            return true;
    }
    return false;
}

bool hooks__emits(const char *program, int event)
{
    for (const struct hook_emits_row *row = emits_rows; row < ROWS_END(emits_rows); row++)
        if (row->event == event && emits_row__is_of(row, program))
            return true;
    return false;
}

int hooks__skipped_event(const struct hooks *hooks, const char *program)
{
    for (const struct hook_emits_row *row = emits_rows; row < ROWS_END(emits_rows); row++) {
        if (ebpf_event_set__has(hooks->available, row->event) && emits_row__is_of(row, program))
            return row->event;
    }
    return NO_EVENT;
}

void hooks__tell_lacking(struct hooks *hooks,
                         void (*tell)(void *user, const char *event, const char *lacks, const char *program,
                                      const char *reason),
                         void *user)
{
    for (const struct hook_row *row = rows; row < ROWS_END(rows); row++) {
        struct hooks_program *program = hooks__find(hooks, row->program);

        if (row__is_for_selection(hooks, row) && program->refused)
            tell(user, "the selection", row->doc, program->name, program->reason);
        if (!ebpf_event_set__has(hooks->available, row->event))
            continue;
        const char *event = ebpf_event_type__option(row->event);

        if (row->way == WAY_OPTIONAL && hooks__lacks(hooks, program))
            tell(user, event, row->doc, program->name, program->reason);
        if (row->way > 0 && row->way == hooks->ways[row->event] && row->doc[0]) {
            bool exists;
            struct hooks_program *better = way__refused(hooks, row->event, 0, &exists);

            if (better)
                tell(user, event, row->doc, better->name, better->reason);
        }
    }
}
