/* SPDX-License-Identifier: BSD-2-Clause */
/* Resolve.h - resolves the files and cgroups of conditions to the names that the kernel uses. */
#ifndef EBPF_BPF_RESOLVE_H
#define EBPF_BPF_RESOLVE_H

#include <limits.h>
#include <stdint.h>

#define CGROUP_PATH_MAX PATH_MAX

/*
 * Resolve the path of a file, which need not exist: without links, ".", ".." and repeated slashes. If the file is a
 * link itself, `ret_target` is its target, else "". Returns how many links there were, or -1 with the reason.
 */
int path__resolve(const char *text, char ret_path[PATH_MAX], char ret_target[PATH_MAX], const char **ret_why);

/*
 * Resolve the path of a cgroup (v2), which need not exist, from the root of the hierarchy: "/a/b", "" for the root. The
 * text is such a path, or that of the cgroup's directory. Returns its level, or -1 with the reason.
 */
int cgroup__resolve(const char *text, char ret_path[CGROUP_PATH_MAX], const char **ret_why);

/* Return the id of the cgroup that has such a path now; 0 if there is none. */
uint64_t cgroup__id(const char *path);

#endif
