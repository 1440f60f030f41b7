/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reader.h - makes one stream of a backend's rings: in time order, numbered, with losses reported in their place.
 */
#ifndef EBPF_READER_H
#define EBPF_READER_H

#include "Backend.h"
#include "Coalesce.h"
#include "EbpfEvents.h"
#include "NetSelect.h"
#include "Stats.h"

/* Checks that a loss by recursion has to outlast before it is reported: a spare may yet make the event. */
#define EBPF_READER_SETTLE_CHECKS 3

struct ebpf_reader {
    struct ebpf_backend *backend;
    ebpf_event_fn handler;
    void *handler_user; /* its first argument; `user` is that of the others */
    ebpf_loss_fn loss_handler;
    ebpf_over_budget_fn over_budget_handler; /* NULL: there are no budgets, or no handler */
    ebpf_wanted_fn is_wanted;                /* NULL: every event is */
    void *user;
    bool is_closed; /* one of these functions has closed the source: none of them is called any more */

    struct net_selection net;
    struct ebpf_process others[EBPF_OTHERS_MAX]; /* other processes with a source: what they do is filtered */
    size_t other_count;
    struct ebpf_coalesce *coalesce; /* NULL when not wanted */
    uint64_t seq;                   /* last number given */
    uint64_t records;               /* read from the rings */
    uint64_t corrupt;               /* of those, how many are not as the schema has it */
    uint64_t boot_to_wall_ns;       /* what to add to a time since boot */
    uint64_t losses_checked_ns;
    uint64_t over_budget_reported_ns;
    struct ebpf_over_budget over_budget; /* not reported yet */
    bool has_over_budget;
    uint64_t checks;       /* how often losses were checked for */
    int last_ring;         /* which the last record was taken from */
    uint32_t streams;      /* scratch slots */
    uint64_t *stream_seqs; /* last number seen, [ring * streams + stream] */
    uint64_t accepted[EBPF_EVENT_TYPE_COUNT];
    uint64_t filtered[EBPF_EVENT_TYPE_COUNT];                           /* by the reader */
    uint64_t refused[EBPF_EVENT_TYPE_COUNT];                            /* by the handler */
    uint64_t unreadable[EBPF_EVENT_TYPE_COUNT];                         /* by the decoder */
    uint64_t skipped[EBPF_EVENT_TYPE_COUNT][EBPF_READER_SETTLE_CHECKS]; /* losses by recursion, at the last checks */
    uint64_t reported[EBPF_EVENT_TYPE_COUNT][EBPF_REASON_COUNT];        /* losses that the loss handler has taken */
};

/*
 * Begin to read a backend whose records name one of `streams` streams. 0 or -ENOMEM; end with ebpf_reader__fini.
 */
int ebpf_reader__init(struct ebpf_reader *reader, struct ebpf_backend *backend, const struct ebpf_source_opts *opts,
                      uint32_t streams);
void ebpf_reader__fini(struct ebpf_reader *reader);

/* Give the handler everything that is in the rings, and report losses when due. Returns how many records were read. */
int ebpf_reader__consume(struct ebpf_reader *reader);

/* Give the handler what is being merged. */
void ebpf_reader__flush(struct ebpf_reader *reader);

/* Report all remaining losses. The backend has to be stopped, so that its counts are final. */
void ebpf_reader__report_losses(struct ebpf_reader *reader);

void ebpf_reader__stats(const struct ebpf_reader *reader, struct stats *ret_stats);

/* Count events as lost that the handler had taken, as ebpf_source__drop says. 0 or -EINVAL. */
int ebpf_reader__drop(struct ebpf_reader *reader, unsigned int type, uint64_t events);

#endif
