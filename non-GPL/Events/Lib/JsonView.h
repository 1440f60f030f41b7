/* SPDX-License-Identifier: BSD-2-Clause */
/* JsonView.h - an event as its writer sees it: where its variable fields are, and the pairs that follow about them. */
#ifndef EBPF_LIB_JSON_VIEW_H
#define EBPF_LIB_JSON_VIEW_H

#include "JsonText.h"

/* Pairs about a variable field that follow if a flag of it is set; NULL for a kind that never has the flag. */
struct cut_pairs {
    const char *truncated, *length, *unreachable, *deleted, *unstable, *ambiguous, *from_caller, *requested;
};

// clang-format off
#define LENGTH_KEY(key) "\"" key "_length\":"
#define CUT_PAIR(key) "\"" key "_truncated\":true,"
#define SAYS(key, what) "\"" key "_" what "\":true,"
#define CUT_str(key) {CUT_PAIR(key), LENGTH_KEY(key), NULL, NULL, NULL, NULL, NULL, NULL}
#define CUT_path(key) {CUT_PAIR(key), LENGTH_KEY(key), SAYS(key, "unreachable"), SAYS(key, "deleted"),                 \
                       SAYS(key, "unstable"), SAYS(key, "ambiguous"), SAYS(key, "from_caller"), SAYS(key, "requested")}
#define CUT_args(key) {CUT_PAIR(key) CUT_PAIR("args"), LENGTH_KEY(key), NULL, NULL, NULL, NULL, NULL, NULL}
#define CUT_env(key) CUT_str(key)
#define CUT_tty(key) {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL} /* the event has a field for it */

/* The value of a variable field that the record does not have. */
#define ABSENT_str "\"\""
#define ABSENT_path ABSENT_str
#define ABSENT_args "\"\",\"args\":[]"
#define ABSENT_env "[]"
#define ABSENT_tty ABSENT_str
// clang-format on

/*
 * An event, its first field of each tag, and the fields that were written and have flags: the pairs about these come
 * after all rows, because the first keys of a line are fixed.
 */
struct view {
    const struct ebpf_event *event;
    uint64_t has; /* a bit for each tag that has a field */
    const struct ebpf_varlen *fields[EBPF_TAG_COUNT];
    struct {
        const struct cut_pairs *pairs;
        const struct ebpf_varlen *field;
    } cuts[EBPF_TAG_COUNT];
    size_t cut_count;
};

_Static_assert(EBPF_TAG_COUNT <= 64, "struct view has no bit for the highest tag");

static inline bool view__has(const struct view *view, unsigned int tag)
{
    return view->has >> tag & 1;
}

static inline void view__init(struct view *view, const struct ebpf_event *event, size_t fixed_size)
{
    size_t off = fixed_size;
    const struct ebpf_varlen *v;

    view->event = event;
    view->cut_count = 0;
    view->has = 0;
    while ((v = record__varlen(event->hdr, event->size, off, &off))) {
        if (v->tag >= EBPF_TAG_COUNT || view__has(view, v->tag))
            continue;
        view->has |= UINT64_C(1) << v->tag;
        view->fields[v->tag] = v;
    }
}

/* Note a field that was written and has flags. */
void view__note_cut(struct view *view, const struct cut_pairs *pairs, const struct ebpf_varlen *field);

/* Write the pairs about the fields that were noted. */
void json__cuts(struct json_out *out, const struct view *view);

#endif
