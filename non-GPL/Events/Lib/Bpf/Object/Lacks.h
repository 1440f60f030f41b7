/* SPDX-License-Identifier: BSD-2-Clause */
/* Lacks.h - warns of the events that are not available, and of what others lack. */
#ifndef EBPF_BPF_LACKS_H
#define EBPF_BPF_LACKS_H

#include "Object.h"

/* Warn of what the requested events lack after the last choice of programs: one line for each cause. */
void probes__report_lacking(struct probes *p, struct ebpf_event_set wanted);

/* Return the n-th thing that an event lacks, as ebpf_source__lacks. */
const char *probes__lacks(struct probes *p, enum ebpf_event_type type, size_t n, const char **ret_program);

#endif
