/* SPDX-License-Identifier: BSD-2-Clause */
/* fake-backend.h - what a source does with its backend, without a kernel. */
#ifndef EBPF_TEST_FAKE_BACKEND_H
#define EBPF_TEST_FAKE_BACKEND_H

#include <errno.h>
#include <string.h>

#include "Backend.h"

extern struct ebpf_source_opts fake_opts; /* what the last backend was opened with */
extern int fake_error;                    /* what opening one gives; 0: a backend */
extern struct ebpf_backend *fake_backend; /* the last one */
extern int fake_stopped;                  /* how often one was stopped */

/* Put a record into the first ring of a backend, which has room for a few that were not read. */
void fake__put(const void *record, uint32_t size);

#endif
