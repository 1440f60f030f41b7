/* SPDX-License-Identifier: BSD-2-Clause */
/* Conditions.h - conditions of a selection that make sense one by one, and none together. */
#ifndef EBPF_CONDITIONS_H
#define EBPF_CONDITIONS_H

#include <stddef.h>

#include "EbpfEvents.h"
#include "Log.h"

/* Warn of those that no event can meet, and of those that are about no event of `events`. */
void conditions__warn(const struct ebpf_condition *conditions, size_t count, struct ebpf_event_set events,
                      const struct ebpf_log *log);

#endif
