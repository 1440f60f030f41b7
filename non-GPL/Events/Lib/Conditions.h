/* SPDX-License-Identifier: BSD-2-Clause */
/* Conditions.h - warnings of conditions that make sense one by one, but not together. */
#ifndef EBPF_CONDITIONS_H
#define EBPF_CONDITIONS_H

#include <stddef.h>

#include "EbpfEvents.h"
#include "Log.h"

/* Warn of conditions that no event can meet, and of those that concern none of `events`. */
void conditions__warn(const struct ebpf_condition *conditions, size_t count, struct ebpf_event_set events,
                      const struct ebpf_log *log);

#endif
