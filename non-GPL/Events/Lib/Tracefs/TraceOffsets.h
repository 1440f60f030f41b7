/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceOffsets.h - where the kernel's structures have their members, found without debug information.
 *
 * Two children of this process are made with what no other structure has: odd user and group ids, a name, a session and
 * a group of processes of their own. Their task_structs are read (TracePeek.h), and a member is where the values of
 * both are, and nowhere else. What is not found, or in two places, is unknown, and so is what depends on it.
 */
#ifndef EBPF_TRACE_OFFSETS_H
#define EBPF_TRACE_OFFSETS_H

#include "TraceInstance.h"

enum trace_member {
#define MEMBER(id, structure, path) TRACE_MEMBER_##id,
#include "TraceMembers.def"
#undef MEMBER
    TRACE_MEMBER_COUNT
};

#define TRACE_OFFSET_UNKNOWN (-1)

struct trace_offsets {
    int of[TRACE_MEMBER_COUNT];      /* bytes, or TRACE_OFFSET_UNKNOWN */
    bool unused[TRACE_MEMBER_COUNT]; /* unknown, because nothing is to fetch it */
    uint64_t root[2];                /* this process' root directory, a struct path; 0: not known */
    uint64_t mptcp_ulp;              /* what a TCP socket that belongs to one of MPTCP points to; 0: not known */
    int mapped; /* arguments before the dentry in functions that change files, 0 or 1; -1: not known */
};

/* Find the offsets; those of sockets only if they are wanted. 0, though some may be unknown; or -errno. */
int trace_offsets__find(struct trace_instance *in, bool sockets, struct trace_offsets *ret_offsets);

/* Return a member's structure and path ("task_struct.pid"). */
const char *trace_member__name(enum trace_member member);

#endif
