/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instances.h - the processes that have a source, by whatever program: each leaves out what the others do, or two that
 * write to files would make events of each other for ever.
 *
 * Each source has a map with those that it knows of, and a program that never runs and holds the map. A new one enters
 * itself in the maps of all others, which it finds by the name of that program, and takes over what they have. So of
 * two that begin at once each finds the other. To look for programs takes CAP_SYS_ADMIN; sources without it know only
 * of those that come later and have it.
 *
 * Programs are looked through, not maps: a map has to be opened for its name, and to open one that the kernel is
 * tearing down is not harmless. With its last descriptor a map of programs (BPF_MAP_TYPE_PROG_ARRAY) has work queued
 * that empties it, for which a reference is taken; if it is opened and closed again meanwhile, the reference is taken
 * twice for work that is queued once, and the map stays until the machine stops (seen on 7.2: prog_array_map_clear).
 *
 * A process is told by its number and when it started, so that one that has ended without leaving is no harm. Map and
 * program are of types for which the kernel wants CAP_BPF: what is in it cannot be made up by an unprivileged process.
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

/* Begin to know others, and to be known by them; INSTANCES_NONE where the kernel refuses it: all are strangers then. */
struct instances instances__join(const struct ebpf_process *self);

/* Whoever is known but `self`. Returns how many. */
size_t instances__others(const struct instances *instances, const struct ebpf_process *self,
                         struct ebpf_process others[EBPF_OTHERS_MAX]);

/* Take `self` out of all maps. */
void instances__leave(const struct ebpf_process *self);

/* The descriptors only, as a child does whose parent goes on. */
void instances__close(struct instances *instances);

#endif
