/* SPDX-License-Identifier: BSD-2-Clause */
/* fake-kernel.h - what the backend that loads the probes finds instead of a kernel. */
#ifndef EBPF_TEST_FAKE_KERNEL_H
#define EBPF_TEST_FAKE_KERNEL_H

#include "Bpf/BpfBackend.h"
#include "Core/EmitShared.h"

#define CPUS 3
#define PROGRAM_FDS 10000 /* programs have no descriptor: this plus their index stands for it */

/* What a test sets. */
extern bool preempts;                      /* the kernel preempts programs */
extern int identify_err;                   /* error of the program that finds the own process; 0: none */
extern uint64_t skips[HOOKS_PROGRAMS_MAX]; /* of each program, by its index */

/* What the backend has done. */
extern struct bpf_backend *backend;     /* the last one that has attached its programs */
extern struct emit_constants constants; /* that the programs were to be loaded with */
extern struct cpu_counters *counters;   /* memory that the backend maps; one a processor */
extern struct emit_runtime *runtime;    /* likewise */
extern char identified[64];             /* name of the program that was run to find the own process */

/* Give up all memory. */
void kernel__forget(void);

#endif
