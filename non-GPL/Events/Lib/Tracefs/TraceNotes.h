/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceNotes.h - what a probe has seen of a thread, kept for a later probe of the same call.
 *
 * A thread has one note, about the call that it is in. It hangs on the thread's entry in the table, so no other thread
 * can push it out, and it ends with the thread.
 */
#ifndef EBPF_TRACE_NOTES_H
#define EBPF_TRACE_NOTES_H

#include "TraceEvents.h"

struct trace_note {
    enum trace_probe_id probe; /* that has made it */
    uint64_t of[6];            /* its values, as the maker has arranged them */
    uint32_t len;              /* of the text, without the NUL behind it */
    char text[];
};

/*
 * Replace the note of the thread that came by: with the text `first`, then `second`. NULL if the thread is not known,
 * or there is no memory.
 */
struct trace_note *trace_note__make(struct trace_events *events, const struct trace_values *v, struct slice first,
                                    struct slice second);

/* Find the note that a probe has made of the thread that came by. NULL if there is none. */
struct trace_note *trace_note__find(struct trace_events *events, const struct trace_values *v,
                                    enum trace_probe_id probe);

void trace_note__drop(struct trace_events *events, const struct trace_values *v);

#endif
