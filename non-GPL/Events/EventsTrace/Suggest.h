/* SPDX-License-Identifier: BSD-2-Clause */
/* Suggest.h - which option was probably meant by a name that is none. */
#ifndef EVENTS_TRACE_SUGGEST_H
#define EVENTS_TRACE_SUGGEST_H

#include <stddef.h>

#include "OptionRows.h"

/* Return the name of the option that is most like the `len` bytes of `name`; NULL if none is. */
const char *suggest__option(const struct option_row *rows, size_t count, const char *name, size_t len);

#endif
