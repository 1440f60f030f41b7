// SPDX-License-Identifier: BSD-2-Clause
/* TraceIds.c - see TraceIds.h. */
#include "TraceIds.h"

#include <errno.h>
#include <stdlib.h>

#include "TraceTask.h"

#define IDS_NOTES 256

struct ids_note {
    uint32_t tid;
    bool by_exec; /* `creds` are not known then */
    struct ebpf_cred_info creds;
};

int trace_ids__init(struct trace_ids *ids)
{
    ids->notes = calloc(IDS_NOTES, sizeof(*ids->notes));
    return ids->notes ? 0 : -ENOMEM;
}

void trace_ids__fini(struct trace_ids *ids)
{
    free(ids->notes);
    ids->notes = NULL;
}

void trace_ids__forget(struct trace_ids *ids, uint32_t tid)
{
    struct ids_note *note = &ids->notes[tid % IDS_NOTES];

    if (note->tid == tid)
        *note = (struct ids_note){0};
}

void trace_ids__note(struct trace_ids *ids, const struct trace_values *v)
{
    ids->notes[v->tid % IDS_NOTES] = (struct ids_note){
        .tid = v->tid,
        .by_exec = v->probe == TRACE_PROBE_committing,
        .creds =
            {
                .ruid = (uint32_t)NUMBER(v, old_ids),
                .rgid = trace_values__upper(NUMBER(v, old_ids)),
                .euid = (uint32_t)NUMBER(v, old_effective_ids),
                .egid = trace_values__upper(NUMBER(v, old_effective_ids)),
                .suid = (uint32_t)NUMBER(v, old_saved_ids),
                .sgid = trace_values__upper(NUMBER(v, old_saved_ids)),
                .cap_permitted = NUMBER(v, old_cap_permitted),
                .cap_effective = NUMBER(v, old_cap_effective),
            },
    };
}

const struct ebpf_cred_info *trace_ids__find(const struct trace_ids *ids, uint32_t tid, bool *ret_by_exec)
{
    const struct ids_note *note = &ids->notes[tid % IDS_NOTES];

    *ret_by_exec = note->tid == tid && note->by_exec;
    return note->tid == tid && !note->by_exec ? &note->creds : NULL;
}
