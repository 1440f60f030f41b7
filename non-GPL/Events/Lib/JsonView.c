// SPDX-License-Identifier: BSD-2-Clause
/* JsonView.c - see JsonView.h. */
#include "JsonView.h"

static void json__cut(struct json_out *out, const struct cut_pairs *pairs, const struct ebpf_varlen *v)
{
    if (v->flags & EBPF_VARLEN_TRUNCATED && pairs->truncated) {
        ebpf_json__text(out, pairs->truncated);
        if (v->orig_len) {
            ebpf_json__text(out, pairs->length);
            ebpf_json__number(out, v->orig_len);
        }
    }
    if (v->flags & EBPF_VARLEN_UNREACHABLE && pairs->unreachable)
        ebpf_json__text(out, pairs->unreachable);
    if (v->flags & EBPF_VARLEN_DELETED && pairs->deleted)
        ebpf_json__text(out, pairs->deleted);
    if (v->flags & EBPF_VARLEN_UNSTABLE && pairs->unstable)
        ebpf_json__text(out, pairs->unstable);
    if (v->flags & EBPF_VARLEN_AMBIGUOUS && pairs->ambiguous)
        ebpf_json__text(out, pairs->ambiguous);
    if (v->flags & EBPF_VARLEN_FROM_CALLER && pairs->from_caller)
        ebpf_json__text(out, pairs->from_caller);
    if (v->flags & EBPF_VARLEN_REQUESTED && pairs->requested)
        ebpf_json__text(out, pairs->requested);
}

void json__cuts(struct json_out *out, const struct view *view)
{
    for (size_t i = 0; i < view->cut_count; i++)
        json__cut(out, view->cuts[i].pairs, view->cuts[i].field);
}

void view__note_cut(struct view *view, const struct cut_pairs *pairs, const struct ebpf_varlen *field)
{
    if (view->cut_count < EBPF_TAG_COUNT) {
        view->cuts[view->cut_count].pairs = pairs;
        view->cuts[view->cut_count++].field = field;
    }
}
