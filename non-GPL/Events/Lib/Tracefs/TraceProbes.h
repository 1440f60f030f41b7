/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceProbes.h - the probes of a source: defines them, enables them, takes their records apart, counts their hits.
 *
 * The kernel counts the hits of each probe exactly, but by the name of its event alone, without the group: so that name
 * ends like the instance's.
 */
#ifndef EBPF_TRACE_PROBES_H
#define EBPF_TRACE_PROBES_H

#include "../Record.h"
#include "TraceOffsets.h"
#include "TracePages.h"

enum trace_value {
#define VALUE(id, argument, type, path) TRACE_VALUE_##id,
#include "TraceProbes.def"
    TRACE_VALUE_COUNT
};

enum trace_probe_id {
#define PROBE(id, TYPE, OTHER, when, function, option) TRACE_PROBE_##id,
#define NEED(value)
#define TAKE(value, field)
#define END_PROBE(id)
#include "TraceProbes.def"
    TRACE_PROBE_COUNT
};

/* A value of a record: a number, or a text without its NUL, which points into the record. */
union trace_field {
    uint64_t number;
    struct slice text;
};

/* What a record has. Numbers of values that its probe does not fetch are 0, texts are empty. */
struct trace_values {
    enum trace_probe_id probe;
    uint32_t tid; /* of the thread that came by */
    uint64_t time_ns;
    union trace_field of[TRACE_VALUE_COUNT];
};

#define TRACE_WHY_LEN 160
#define TRACE_LACKS_MAX 8

struct trace_probe {
    bool is_on;
    uint16_t event;                      /* id of its records */
    uint16_t offsets[TRACE_VALUE_COUNT]; /* of the values in the record; 0: it does not have the value */
    uint64_t hits;                       /* that the kernel has counted */
    uint64_t read;                       /* records of it */
    char why[TRACE_WHY_LEN];             /* why it is not there; "" if it is */
    const char *lacks[TRACE_LACKS_MAX];  /* fields; up to the first NULL */
};

struct trace_probes {
    const struct trace_instance *in;
    struct trace_probe of[TRACE_PROBE_COUNT];
    uint8_t sizes[TRACE_VALUE_COUNT]; /* of numbers; 0: it is a text */
};

/* Define the probes that some events need, and enable them. What cannot be had is in `why` and `lacks`. */
void trace_probes__start(struct trace_probes *probes, const struct trace_instance *in,
                         const struct trace_offsets *offsets, struct ebpf_event_set wanted);

/* Disable all of them. */
void trace_probes__stop(const struct trace_probes *probes);

/* Take a record apart, and count it. False if it is of none of the probes. */
bool trace_probes__take(struct trace_probes *probes, const struct trace_record *record,
                        struct trace_values *ret_values);

/* Read how often each probe was hit. 0 or -errno. */
int trace_probes__count_hits(struct trace_probes *probes);

/* Return the type of event that a probe's hits are, if they are not of another one; 0 if they are none. */
unsigned int trace_probe__type(enum trace_probe_id id);

/* Return whether a probe makes a type of event. */
bool trace_probe__makes(enum trace_probe_id id, unsigned int type);

/* Find where the record of an event has a field, in the text of its file `format`. -1 if it does not have it. */
int trace_format__offset(const char *format, const char *field);

static inline uint64_t trace_values__number(const struct trace_values *v, enum trace_value value)
{
    return v->of[value].number;
}

#endif
