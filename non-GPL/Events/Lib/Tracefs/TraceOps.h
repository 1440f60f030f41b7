/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceOps.h - what threads are about to do to files, kept from the probe where it begins to the one that shows that it
 * is done.
 *
 * One that fails stays until its thread begins another one. There is room for a fixed number of them; the oldest of a
 * few is dropped for a new one, so many threads that wait in an operation cost the others nothing.
 */
#ifndef EBPF_TRACE_OPS_H
#define EBPF_TRACE_OPS_H

#include "TracePaths.h"

#define TRACE_OPS_SETS 256
#define TRACE_OPS_WAYS 4

enum trace_op_kind {
    TRACE_OP_NONE,
    TRACE_OP_TARGET, /* a symbolic link is about to be created: its target is known */
    TRACE_OP_CREATE,
    TRACE_OP_LINKED, /* a file is about to be linked: its path is known */
    TRACE_OP_LINK,
    TRACE_OP_DELETE,
    TRACE_OP_RENAME,
    TRACE_OP_CHANGE,
};

struct trace_op {
    uint32_t tid;
    enum trace_op_kind kind;
    uint64_t time_ns;
    uint64_t dentry, other; /* addresses; `other` is where a rename leads */
    int mount;
    uint32_t flags;             /* of a rename; of a link: enum ebpf_event_type; of a change: which one */
    uint32_t depth;             /* changes of this kind within it: an overlay's, of its layers */
    int wanted;                 /* mount that the thread has got access to; 0: none */
    uint64_t position;          /* where a change of content begins */
    uint64_t inode;             /* number of what a rename replaces or exchanges, 0: nothing */
    uint32_t nlink;             /* of it, afterwards */
    struct ebpf_file_info info; /* before it is done */
    char comm[EBPF_COMM_LEN];   /* of the thread */
    struct trace_path path;     /* of the dentry */
    struct trace_path
        other_path;      /* the file that is linked; where a rename leads; a new directory in its file system */
    uint32_t target_len; /* of a symbolic link */
    char target[EBPF_PATH_MAX];
};

struct trace_ops {
    uint64_t evicted; /* changes that had not ended when another one took their place */
    struct trace_op *of[TRACE_OPS_SETS][TRACE_OPS_WAYS];
};

void trace_ops__fini(struct trace_ops *ops);

/* Return where the operation of a thread is kept, or is to be kept; NULL: no memory. */
struct trace_op *trace_ops__get(struct trace_ops *ops, uint32_t tid);

/* Return where the operation of a thread is kept; NULL: it has begun none. */
struct trace_op *trace_ops__of(const struct trace_ops *ops, uint32_t tid);

/* Find the operation that a thread has begun on a dentry. NULL: there is none. */
struct trace_op *trace_ops__find(struct trace_ops *ops, uint32_t tid, enum trace_op_kind kind, uint64_t dentry);

#endif
