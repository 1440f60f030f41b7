/* SPDX-License-Identifier: BSD-2-Clause */
/* Cgroups.h - where the hierarchy of cgroups (version 2) is. */
#ifndef EBPF_BPF_CGROUPS_H
#define EBPF_BPF_CGROUPS_H

#include <stdbool.h>

/* Return whether a path is in the hierarchy. */
bool path__is_of_cgroups(const char *path);

/* Return where the hierarchy is mounted; NULL if nowhere. */
const char *cgroups__mount(void);

#endif
