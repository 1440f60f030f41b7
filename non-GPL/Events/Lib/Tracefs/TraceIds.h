/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceIds.h - what is about to change the ids of a thread, and its credentials before, noted until that is seen. */
#ifndef EBPF_TRACE_IDS_H
#define EBPF_TRACE_IDS_H

#include "TraceProbes.h"

struct ids_note;

struct trace_ids {
    struct ids_note *notes; /* by thread */
};

/* Make room for notes. 0 or -ENOMEM. */
int trace_ids__init(struct trace_ids *ids);
void trace_ids__fini(struct trace_ids *ids);

/* What was noted of a thread is over: its exec has ended. */
void trace_ids__forget(struct trace_ids *ids, uint32_t tid);

/* A call or an exec is about to change ids. */
void trace_ids__note(struct trace_ids *ids, const struct trace_values *v);

/*
 * Find what changes the ids of a thread. Returns its credentials before that; NULL if they were not noted, as those of
 * an exec.
 */
const struct ebpf_cred_info *trace_ids__find(const struct trace_ids *ids, uint32_t tid, bool *ret_by_exec);

#endif
