/* SPDX-License-Identifier: BSD-2-Clause */
/* Resolve.h - the files and cgroups that conditions name, as the kernel names them. */
#ifndef EBPF_BPF_RESOLVE_H
#define EBPF_BPF_RESOLVE_H

#include <limits.h>
#include <stdint.h>

#define CGROUP_PATH_MAX PATH_MAX

/*
 * The path of a file, which need not be there: without links, ".", ".." and what is empty between slashes. When it is
 * itself a link, `ret_target` is what it leads to, else "". Returns how many links there were, or -1, and why.
 */
int path__resolve(const char *text, char ret_path[PATH_MAX], char ret_target[PATH_MAX], const char **ret_why);

/*
 * The path of a cgroup (v2), which need not be there, from the root of the hierarchy: "/a/b", "" for the root itself.
 * It is given as that, or by its directory. Returns its level, or -1, and why.
 */
int cgroup__resolve(const char *text, char ret_path[CGROUP_PATH_MAX], const char **ret_why);

/* The id of the cgroup that is at such a path now; 0 if there is none. */
uint64_t cgroup__id(const char *path);

#endif
