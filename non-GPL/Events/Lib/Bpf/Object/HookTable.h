/* SPDX-License-Identifier: BSD-2-Clause */
/* HookTable.h - the rows of Hooks.def, for Hooks.c alone; others use hooks__row. */
#ifndef EBPF_HOOK_TABLE_H
#define EBPF_HOOK_TABLE_H

#include "Hooks.h"

#define NO_EVENT 0

/* The number of each row. */
enum {
#define PROGRAM(name, ...) HOOK_##name,
#include "Hooks.def"
    HOOK_COUNT
};

_Static_assert(HOOK_COUNT <= HOOKS_ROWS_MAX, "raise HOOKS_ROWS_MAX");

extern const struct hook_row hook_rows[HOOK_COUNT];

static inline size_t row__index(const struct hook_row *row)
{
    return (size_t)(row - hook_rows);
}

/* Return the role that a program has for an event; NULL if it has none. */
const struct hook_role *row__role(const struct hook_row *row, int event);

#endif
