/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instances.h - finds the other processes that have a source, whatever program they run. Each source filters what the
 * others do, or two that write to files would cause events of each other for ever.
 *
 * Each source has a map of those that it knows, and a program that never runs but holds the map. A new source enters
 * itself in the maps of all others, which it finds by the name of that program, and copies their entries. So two that
 * start at once find each other. Enumerating programs takes CAP_SYS_ADMIN; a source without it only learns of those
 * that start later and have it.
 *
 * Programs are enumerated, not maps: a map has to be opened to read its name, and opening one that the kernel is
 * tearing down does harm. When the last descriptor of a program array (BPF_MAP_TYPE_PROG_ARRAY) is closed, the kernel
 * takes a reference and queues work that empties it. If the array is opened and closed again meanwhile, a second
 * reference is taken for work that is queued once, and the array stays until the machine stops (seen on 7.2:
 * prog_array_map_clear).
 *
 * A process is identified by its id and its start time, so an entry of one that ended without leaving does no harm. Map
 * and program are of types that require CAP_BPF: an unprivileged process cannot forge entries.
 */
#ifndef EBPF_BPF_INSTANCES_H
#define EBPF_BPF_INSTANCES_H

#include <stddef.h>

#include "../Backend.h"

/* Descriptors, -1 while there are none. */
struct instances {
    int map;
    int program;
};

#define INSTANCES_NONE ((struct instances){.map = -1, .program = -1})

/* This process, and those that work for it. */
struct instance {
    struct ebpf_process processes[1 + EBPF_HELPERS_MAX];
    size_t count;
};

/* Find the others and become known to them. INSTANCES_NONE if the kernel refuses that: then no other is known. */
struct instances instances__join(const struct instance *self);

/* Get the known processes except those of `self`. Returns how many there are. */
size_t instances__others(const struct instances *instances, const struct instance *self,
                         struct ebpf_process others[EBPF_OTHERS_MAX]);

/* Remove `self` from all maps. */
void instances__leave(const struct instance *self);

/* Close the descriptors only, as a child does while its parent goes on. */
void instances__close(struct instances *instances);

#endif
