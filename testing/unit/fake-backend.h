/* SPDX-License-Identifier: BSD-2-Clause */
/* fake-backend.h - observes what a source does with its backend, without a kernel. */
#ifndef EBPF_TEST_FAKE_BACKEND_H
#define EBPF_TEST_FAKE_BACKEND_H

#include <errno.h>
#include <string.h>

#include "Backend.h"

extern struct ebpf_source_opts fake_opts; /* options of the last backend */
extern int fake_error;                    /* what opening one returns; 0: a backend */
extern struct ebpf_backend *fake_backend; /* the last one */
extern int fake_stopped;                  /* how often one was stopped */

extern uint64_t fake_lost;                /* how many PROCESS_SETSID were lost because a ring was full */

/* If set before one is opened: it has this pump, this period and no descriptors. */
extern bool (*fake_pump)(struct ebpf_backend *backend);
extern uint64_t fake_period_ns;

/* Put a record into the first ring of a backend, which has room for a few unread ones. */
void fake__put(const void *record, uint32_t size);

/* Put a PROCESS_SETSID with that process id, time, and number in its stream. */
void fake__put_setsid(uint64_t number);

#endif
