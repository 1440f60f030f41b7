/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instances.h - the processes that have a source, by whatever program: each leaves out what the others do, or two that
 * write to files would make events of each other for ever.
 *
 * Each source has a map with those that it knows of. A new one enters itself in the maps of all others, which it finds
 * by their name, and takes over what they have. So of two that begin at once each finds the other. To look for maps
 * takes CAP_SYS_ADMIN; sources without it know only of those that come later and have it.
 *
 * A process is told by its number and when it started, so that one that has ended without leaving is no harm. The map
 * is of a type for which the kernel wants CAP_BPF: what is in it cannot be made up by an unprivileged process.
 */
#ifndef EBPF_BPF_INSTANCES_H
#define EBPF_BPF_INSTANCES_H

#include <stddef.h>

#include "../Backend.h"

/* The descriptor of the map, or a negative errno. */
int instances__join(const struct ebpf_process *self);

/* Whoever is in the map but `self`. Returns how many. */
size_t instances__others(int map, const struct ebpf_process *self, struct ebpf_process others[EBPF_OTHERS_MAX]);

/* Take `self` out of all maps. */
void instances__leave(const struct ebpf_process *self);

#endif
