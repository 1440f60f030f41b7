// SPDX-License-Identifier: BSD-2-Clause
/* gen-hooks-doc.c - print docs/HOOKS.md: which programs make which event, from the rows of Hooks.def. */
#include <stdio.h>
#include <string.h>

#include "Bpf/Object/Hooks.h"

static const char head[] =
    "<!-- SPDX-License-Identifier: BSD-2-Clause -->\n"
    "<!-- Generated from GPL/Events/Hooks.def by scripts/gen-hooks-doc.c: change that, not this. -->\n"
    "# Hooks\n"
    "\n"
    "A program is named `<attach>__<function>`. `tp_btf` programs are attached to tracepoints, `fentry` and\n"
    "`fexit` programs to the beginning and the end of a kernel function, `lsm` programs to a hook of the\n"
    "security modules, `kprobe` programs to the beginning of a function, and `session` programs to both ends\n"
    "of one. `--disable-hook` takes these names. [COMPATIBILITY.md](COMPATIBILITY.md) describes when a\n"
    "stand-in is used, and how kernels differ.\n";

static const char *const events[EBPF_EVENT_TYPE_COUNT] = {
#define EVENT(id, NAME, name, option, ring, doc) [id] = #NAME,
#include "Events.def"
};

/* Return what a program does for an event, by one way to source it (0: required, or optional); NULL for nothing. */
static const struct hook_role *role_for(const struct hook_row *row, int event, bool is_required, int way)
{
    for (const struct hook_role *role = row->roles; role->event; role++)
        if (role->event == event && role->is_required == is_required && role->way == way)
            return role;
    return NULL;
}

/* Print the programs that one way to source an event requires. Returns how many there are. */
static int print_required(int event, int way)
{
    const struct hook_row *row;
    const char *lacks = "";
    int count = 0;

    for (size_t i = 0; (row = hooks__row(i)); i++) {
        const struct hook_role *role = role_for(row, event, true, way);

        if (!role)
            continue;
        printf("%s`%s`", count++ ? ", " : way ? "; or " : "", row->program);
        lacks = role->lacks;
    }
    if (lacks && *lacks)
        printf(" (%s)", lacks);
    return count;
}

static void print_condition(const struct hook_row *row)
{
    if (row->unless)
        printf(", unless the kernel has `%s`", row->unless);
    if (row->file_system)
        printf(", if the kernel has %s", row->file_system);
}

static void print_event(int event)
{
    const struct hook_row *row;
    const char *separator = "";

    printf("| `%s` | ", events[event]);
    for (int way = 0; print_required(event, way); way++)
        ;
    printf(" | ");
    for (size_t i = 0; (row = hooks__row(i)); i++) {
        const struct hook_role *role = role_for(row, event, false, 0);

        if (!role)
            continue;
        printf("%s`%s`", separator, row->program);
        print_condition(row);
        if (role->lacks && *role->lacks)
            printf(": %s", role->lacks);
        separator = "<br>";
    }
    printf(" |\n");
}

static void print_stand_ins(const struct hook_row *row)
{
    const char *separator = "";

    for (int kind = 0; kind < STAND_IN_COUNT; kind++) {
        const char *program = row->stand_ins[kind].shared ? row->stand_ins[kind].shared->program
                                                          : row->stand_ins[kind].program;

        if (!program)
            continue;
        if (!*separator)
            printf("| `%s` | ", row->program);
        printf("%s`%s`", separator, program);
        separator = ", ";
    }
    if (*separator)
        printf(" |\n");
}

int main(void)
{
    const struct hook_row *row;

    fputs(head, stdout);
    printf("\n## Events\n\n"
           "An event is unavailable if the kernel lacks a program that it requires. Without an optional program, the\n"
           "event lacks what stands behind it; where nothing does, nothing that users see is missing.\n\n"
           "| event | required | optional |\n|---|---|---|\n");
    for (int event = 1; event < EBPF_EVENT_TYPE_COUNT; event++)
        if (events[event])
            print_event(event);
    printf("\n## Stand-ins\n\n"
           "Of these, the first one that the kernel offers is attached instead of the program.\n\n"
           "| program | stand-ins |\n|---|---|\n");
    for (size_t i = 0; (row = hooks__row(i)); i++)
        print_stand_ins(row);
    return 0;
}
