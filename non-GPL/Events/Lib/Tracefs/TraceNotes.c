// SPDX-License-Identifier: BSD-2-Clause
/* TraceNotes.c - see TraceNotes.h. */
#include "TraceNotes.h"

#include <stdlib.h>
#include <string.h>

struct trace_note *trace_note__make(struct trace_events *events, const struct trace_values *v, struct slice first,
                                    struct slice second)
{
    struct thread *t = threads__find(&events->threads, v->tid);
    struct trace_note *note = t ? malloc(sizeof(*note) + first.len + second.len + 1) : NULL;

    if (!note)
        return NULL;
    *note = (struct trace_note){.probe = v->probe, .len = (uint32_t)(first.len + second.len)};
    if (first.len)
        memcpy(note->text, first.data, first.len);
    if (second.len)
        memcpy(note->text + first.len, second.data, second.len);
    note->text[note->len] = '\0';
    free(t->note); /* only now: a text may be part of it */
    t->note = note;
    return note;
}

struct trace_note *trace_note__find(struct trace_events *events, const struct trace_values *v,
                                    enum trace_probe_id probe)
{
    const struct thread *t = threads__find(&events->threads, v->tid);
    struct trace_note *note = t ? t->note : NULL;

    return note && note->probe == probe ? note : NULL;
}

void trace_note__drop(struct trace_events *events, const struct trace_values *v)
{
    struct thread *t = threads__find(&events->threads, v->tid);

    if (!t)
        return;
    free(t->note);
    t->note = NULL;
}
