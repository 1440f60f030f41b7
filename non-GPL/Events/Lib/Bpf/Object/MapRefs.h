/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MapRefs.h - which maps programs refer to, by themselves or in the functions that they call.
 *
 * libbpf creates all maps of an object except those that are marked as not to be created, and refuses a program that
 * refers to one of these. The relocations of the object show which maps the programs to load refer to.
 */
#ifndef EBPF_MAP_REFS_H
#define EBPF_MAP_REFS_H

#include <stdbool.h>
#include <stddef.h>

#define MAP_REFS_MAX 128

struct map_refs {
    const char *names[MAP_REFS_MAX]; /* in the object */
    size_t count;
};

/*
 * Find the maps that some programs of an object refer to. 0, -EINVAL for an object that libbpf's linker has not
 * written, -ENOMEM or -E2BIG.
 */
int map_refs__find(struct map_refs *ret_refs, const void *elf, size_t size, const char *const *programs, size_t count);

bool map_refs__has(const struct map_refs *refs, const char *map);

#endif
