// SPDX-License-Identifier: BSD-2-Clause
/* TraceOps.c - see TraceOps.h. */
#include "TraceOps.h"

#include <stdlib.h>
#include <string.h>

struct trace_op *trace_ops__get(struct trace_ops *ops, uint32_t tid)
{
    struct trace_op **set = ops->of[tid % TRACE_OPS_SETS], **place = set;

    for (int i = 0; i < TRACE_OPS_WAYS; i++) {
        if (!set[i] || set[i]->tid == tid) {
            place = &set[i];
            break;
        }
        if (!set[i]->kind || ((*place)->kind && set[i]->time_ns < (*place)->time_ns))
            place = &set[i];
    }
    if (!*place)
        *place = calloc(1, sizeof(**place));
    if (*place && (*place)->tid != tid) {
        ops->evicted += (*place)->kind == TRACE_OP_CHANGE;
        (*place)->tid = tid;
        (*place)->kind = TRACE_OP_NONE;
        (*place)->wanted = 0;
    }
    return *place;
}

struct trace_op *trace_ops__of(const struct trace_ops *ops, uint32_t tid)
{
    struct trace_op *const *set = ops->of[tid % TRACE_OPS_SETS];

    for (int i = 0; i < TRACE_OPS_WAYS; i++) {
        if (set[i] && set[i]->tid == tid)
            return set[i];
    }
    return NULL;
}

struct trace_op *trace_ops__find(struct trace_ops *ops, uint32_t tid, enum trace_op_kind kind, uint64_t dentry)
{
    struct trace_op *op = trace_ops__of(ops, tid);

    return op && op->kind == kind && op->dentry == dentry ? op : NULL;
}

void trace_ops__fini(struct trace_ops *ops)
{
    for (int i = 0; i < TRACE_OPS_SETS * TRACE_OPS_WAYS; i++)
        free(ops->of[i / TRACE_OPS_WAYS][i % TRACE_OPS_WAYS]);
    memset(ops, 0, sizeof(*ops));
}
