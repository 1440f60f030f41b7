// SPDX-License-Identifier: BSD-2-Clause
/* gen-events-doc.c - prints docs/events.md: what is in Events.def, in words, and how to read the stream. */
#include <stdio.h>
#include <string.h>

#include "Events/Lib/Json.h"
