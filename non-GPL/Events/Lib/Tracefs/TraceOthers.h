/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceOthers.h - the other processes with a source from tracefs, and what works for them.
 *
 * What they do is left out, or two that write to files would cause events of each other for ever. A process with a
 * source is known by the name of its instance. Those that work for it are by the names of probes of its group that are
 * never enabled.
 */
#ifndef EBPF_TRACE_OTHERS_H
#define EBPF_TRACE_OTHERS_H

#include "../Backend.h"
#include "../Processes.h"
#include "TraceInstance.h"

/* Let others know what works for this process. */
void trace_helpers__publish(const struct trace_instance *in, const uint32_t *helpers, size_t count);

/*
 * Find what works for this process, the other processes with a source, and what works for them, if they are still
 * there. Returns how many there are, at most EBPF_OTHERS_MAX.
 */
size_t trace_others__find(const struct trace_instance *in, struct processes *processes,
                          struct ebpf_process ret_others[EBPF_OTHERS_MAX]);

#endif
