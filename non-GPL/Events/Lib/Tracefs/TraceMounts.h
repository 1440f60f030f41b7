/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceMounts.h - where mounts are, by their ids (/proc/PID/mountinfo). */
#ifndef EBPF_TRACE_MOUNTS_H
#define EBPF_TRACE_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_mount {
    int id;
    uint32_t dev_major, dev_minor; /* of its file system */
    bool is_own;                   /* in this process' namespace */
    uint32_t ns;                   /* else in this one, as far as is known (inode number) */
    uint64_t gone_ns; /* from then on it is nowhere (boot clock); 0: it is there, or in another namespace */
    char *root;       /* directory of its file system that it shows, "/" mostly */
    char *point;      /* where it is mounted, from the root of the processes of its namespace */
};

struct trace_mounts {
    struct trace_mount *all; /* by id; mounts that are gone stay until their id is used again */
    uint64_t time_ns;        /* of the record whose mount is looked for */
    uint32_t ns;             /* mount namespace of its thread, inode number; 0: not known */
    unsigned int reads;      /* of other processes' mountinfo since the last refresh */
    size_t count, room;
    int missing; /* the last one that was in no mountinfo since the last refresh; -1: none */
    int fd;      /* of this process' mountinfo, which shows when something was mounted */
};

/* Read this process' mounts. 0 or -errno. */
int trace_mounts__init(struct trace_mounts *mounts);
void trace_mounts__fini(struct trace_mounts *mounts);

/* Read this process' mounts again if they have changed. */
void trace_mounts__refresh(struct trace_mounts *mounts);

/* Find a mount of a process; the mounts of its namespace are read if it is none of this one's. NULL if it is gone. */
const struct trace_mount *trace_mounts__find(struct trace_mounts *mounts, int id, uint32_t tgid);

/* Return a device as the kernel has it. */
#define trace_device__of(file) ((uint64_t)(file)->dev_major << 20 | (file)->dev_minor)

/* Return the id of the mount that an open file of this process is on; -1 if that is unknown. */
int fd__mount_id(int fd);

/*
 * Find a mount that shows the root of a file system, by its device. -1 if none is known; there may be others of the
 * file system.
 */
int trace_mounts__find_by_device(struct trace_mounts *mounts, uint32_t major, uint32_t minor, uint32_t tgid,
                                 bool *ret_is_ambiguous);

#endif
