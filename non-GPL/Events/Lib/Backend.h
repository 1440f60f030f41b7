/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backend.h - where records come from: BPF programs (Bpf/), tracefs (Tracefs/), or memory in the tests.
 *
 * A backend provides rings to read, counts of what happened to the events that did or did not get into them, and an
 * end. A source knows nothing else of it.
 */
#ifndef EBPF_BACKEND_H
#define EBPF_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "EbpfEvents.h"

/* A BPF ring buffer as user space maps it: positions only grow, `data` is mapped twice in a row so that none wraps. */
struct ebpf_ringbuf {
    volatile uint64_t *consumer_pos; /* written by the reader */
    const volatile uint64_t *producer_pos;
    const uint8_t *data;
    uint64_t mask; /* size - 1 */
};

/* What the probes have counted, summed over CPUs. */
struct ebpf_counts {
    uint64_t seen[EBPF_EVENT_TYPE_COUNT];
    uint64_t delivered[EBPF_EVENT_TYPE_COUNT]; /* put into a ring */
    uint64_t filtered[EBPF_EVENT_TYPE_COUNT];
    uint64_t lost[EBPF_EVENT_TYPE_COUNT][EBPF_REASON_COUNT];
};

/* A process, and no other that has its number later; as struct ebpf_pid_info has it. */
struct ebpf_process {
    uint32_t tgid;
    bool helps; /* it works for another one */
    uint64_t start_time_ns;
};

#define EBPF_OTHERS_MAX 128

struct ebpf_backend;

struct ebpf_backend_ops {
    void (*counts)(struct ebpf_backend *backend, struct ebpf_counts *ret_counts);
    /* Disable the probes; afterwards the counts do not change. May be called twice. */
    void (*stop)(struct ebpf_backend *backend);
    /* Replace the selection, as ebpf_source__select says. */
    int (*select)(struct ebpf_backend *backend, const struct ebpf_condition *conditions, size_t count);
    /*
     * Find the other processes whose actions are left out: those that have a source now, and helpers. Returns how many
     * there are. NULL: not known.
     */
    size_t (*others)(struct ebpf_backend *backend, struct ebpf_process ret_others[EBPF_OTHERS_MAX]);
    /*
     * Find the process that has lost most events for its budget since the last call that found one; without the times.
     * False if there is none. NULL: there are no budgets.
     */
    bool (*over_budget)(struct ebpf_backend *backend, struct ebpf_over_budget *ret_over);
    /* Return why an event that was asked for is unavailable; valid until close. */
    const char *(*unavailable)(const struct ebpf_backend *backend, enum ebpf_event_type type);
    /* As ebpf_source__lacks. NULL: nothing is lacking. */
    const char *(*lacks)(struct ebpf_backend *backend, enum ebpf_event_type type, size_t n, const char **ret_program);
    /* As ebpf_source__hook, except for sz. False if there are no more. NULL: there are none. */
    bool (*hook)(struct ebpf_backend *backend, size_t n, struct ebpf_hook *ret_hook);
    /* Move what has happened into the rings. Returns whether it has put records there. NULL: the kernel does that. */
    bool (*pump)(struct ebpf_backend *backend);
    void (*close)(struct ebpf_backend *backend);
};

/* The beginning of each kind of backend. */
struct ebpf_backend {
    const struct ebpf_backend_ops *ops;
    enum ebpf_backend_kind kind;
    struct ebpf_ringbuf rings[EBPF_RING_COUNT];
    int ring_fds[EBPF_RING_COUNT];   /* readable when a ring has records that are to be read; -1: there is none */
    uint64_t period_ns;              /* how often it is pumped, less than 1 s; 0: its rings have descriptors */
    uint32_t streams;                /* records name one of so many */
    struct ebpf_event_set available; /* of the events that were asked for */
    bool bpf_tramp;                  /* fentry and fexit programs can be attached */
    bool inherited;                  /* it is closed in a child of its process, which does not have its memory */
    void *attempt;                   /* memory of BackendOpen.c, which is freed after it; NULL: none */
};

/*
 * Open the backend that the options name, or the best one, for options that make sense. 0; or -EINVAL (the options do
 * not fit the backend), -EPERM, -EOPNOTSUPP, -ENXIO (no event has a hook) or another errno, logged, with nothing left
 * behind.
 */
int ebpf_backend__open(const struct ebpf_source_opts *opts, struct ebpf_backend **ret_backend);

#endif
