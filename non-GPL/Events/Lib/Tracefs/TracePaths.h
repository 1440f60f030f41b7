/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TracePaths.h - puts paths together: names that a probe has fetched, from the leaf up, and the place of the mount.
 *
 * A probe fetches few names. If the root of the file system is not among them, the rest is what /proc has for the
 * process, if it still has it and it ends in the same names; else the path is cut, and flagged as such.
 */
#ifndef EBPF_TRACE_PATHS_H
#define EBPF_TRACE_PATHS_H

#include "../Record.h"
#include "TraceMounts.h"

#define TRACE_NAMES_MAX 4
#define TRACE_COMPONENTS_MAX EBPF_PATH_COMPONENTS_MAX /* more are cut, as by the probes of BPF */

/* What is known of a path. */
struct trace_names {
    struct slice of[TRACE_NAMES_MAX]; /* from the leaf up; "/" is the root of a file system */
    int mount;                        /* id of the mount */
    uint32_t tgid;                    /* of the process */
    const char *link;                 /* in /proc/PID, to the same file: "cwd" or "exe" */
};

/* A path as records have it: components from the leaf up, each ended by a NUL. */
struct trace_path {
    char data[EBPF_PATH_MAX];
    uint32_t len;
    uint16_t flags; /* enum ebpf_varlen_flag */
};

/* Return whether the root of the file system is among the names. */
bool trace_names__are_whole(const struct trace_names *names);

void trace_path__build(struct trace_path *path, struct trace_mounts *mounts, const struct trace_names *names);

/* Make one of a path as text ("/a/b"). */
void trace_path__from_text(struct trace_path *path, const char *text, size_t len);

/* Add a component above all others. What has no room is cut, and flagged as such. */
void trace_path__add(struct trace_path *path, const char *name, size_t len);

/* Put the name of a file before the path of its directory. If there is no room, what is above is cut. */
void trace_path__prepend(struct trace_path *path, const char *name, size_t len);

/* Replace the part of a path in its file system that is above the root of a mount by the place of that mount. */
void trace_path__place(struct trace_path *path, struct trace_mounts *mounts, int mount, uint32_t tgid);

/* Return a path as text ("/a/b"), in EBPF_PATH_MAX + 1 bytes. */
void trace_path__to_text(const struct trace_path *path, char *ret_text);

/* Cut a path at the root directory of its process. False if it does not begin there. */
bool trace_path__cut_root(struct trace_path *path, const struct trace_path *root);

#endif
