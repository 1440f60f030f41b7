/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TracePoints.h - the kernel's own tracepoints, for kernels without kprobes: enables them in an instance, and takes
 * their records apart as the file `format` of each one says, which differs between kernels.
 */
#ifndef EBPF_TRACE_POINTS_H
#define EBPF_TRACE_POINTS_H

#include "../Record.h"
#include "TraceInstance.h"
#include "TracePages.h"

enum trace_point {
    TRACE_POINT_NEWTASK, /* a thread has begun; in its creator */
    TRACE_POINT_RENAME,  /* a thread has got another name, also by an exec */
    TRACE_POINT_EXEC,    /* the image is complete */
    TRACE_POINT_EXIT,    /* a thread begins to end */
    TRACE_POINT_STATE,   /* of a connection */
    TRACE_POINT_RESET,   /* the peer has reset a connection; its state changes next */
    TRACE_POINT_COUNT
};

enum trace_point_field {
    TRACE_FIELD_PID,
    TRACE_FIELD_CLONE_FLAGS,
    TRACE_FIELD_NEWCOMM,
    TRACE_FIELD_FILENAME,
    TRACE_FIELD_OLD_PID,
    TRACE_FIELD_GROUP_DEAD,
    TRACE_FIELD_SKADDR,
    TRACE_FIELD_OLDSTATE,
    TRACE_FIELD_NEWSTATE,
    TRACE_FIELD_SPORT,
    TRACE_FIELD_DPORT,
    TRACE_FIELD_FAMILY,
    TRACE_FIELD_PROTOCOL,
    TRACE_FIELD_SADDR,
    TRACE_FIELD_DADDR,
    TRACE_FIELD_SADDR_V6,
    TRACE_FIELD_DADDR_V6,
    TRACE_FIELD_COUNT
};

/* Where a record has a field. */
struct trace_place {
    uint16_t offset, size; /* size 0: it does not have it */
    bool is_elsewhere;     /* there are offset and length of a text in the same record */
};

struct trace_points {
    struct {
        bool is_on;
        uint16_t event; /* id of its records */
        struct trace_place places[TRACE_FIELD_COUNT];
    } of[TRACE_POINT_COUNT];
};

/* What a record has. Fields that it does not have are empty. */
struct trace_hit {
    enum trace_point point;
    uint32_t tid;      /* of the thread that came by */
    bool in_interrupt; /* that thread was interrupted by it, and has nothing to do with it */
    uint64_t time_ns;  /* since boot */
    struct slice of[TRACE_FIELD_COUNT];
};

/* Enable a tracepoint. 0; or -errno, which leaves it off. */
int trace_point__start(struct trace_points *points, enum trace_point point, const struct trace_instance *in);

/* Take a record apart. False if it is of none of the tracepoints. */
bool trace_points__take(const struct trace_points *points, const struct trace_record *record,
                        struct trace_hit *ret_hit);

/* Find a field in the text of a file `format`. False if it is not there. */
bool trace_place__find(const char *format, const char *field, struct trace_place *ret_place);

/* Return a number of up to 8 bytes; 0 if the record does not have it. */
uint64_t trace_hit__number(const struct trace_hit *hit, enum trace_point_field field);

/* Return the path of a tracepoint, "SYSTEM/EVENT". */
const char *trace_point__name(enum trace_point point);

#endif
