/* SPDX-License-Identifier: BSD-2-Clause */
/* Start.h - loads and attaches the probes, without those that the kernel refuses. */
#ifndef EBPF_BPF_START_H
#define EBPF_BPF_START_H

#include "Attach.h"

/*
 * Load and attach the programs that the events of the options need. If the kernel refuses some, choose others, until
 * all that are chosen are attached. 0 or -errno, logged.
 */
int probes__start(struct probes *p, struct links *links, const struct ebpf_source_opts *opts);

/* Do without programs that have been refused since, and start what is to replace them. 0 or -errno, logged. */
int probes__start_without_refused(struct probes *p, struct links *links, const struct ebpf_source_opts *opts);

#endif
