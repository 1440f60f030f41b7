/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Refused.h - which of the wanted programs this kernel refuses, or all of which kind: it is built without what they
 * need, or whoever has set it up does not allow them.
 */
#ifndef EBPF_BPF_REFUSED_H
#define EBPF_BPF_REFUSED_H

#include "Object.h"

#define REASON_ATTACH "the kernel refuses to attach it: " /* and why */

/*
 * Look for kinds that are wanted and that the kernel refuses to load, or to attach, and refuse all their programs.
 * Returns how many kinds there are, or a negative errno when something has run out.
 */
int probes__find_refused_kinds(struct probes *p, bool attach);

/* Why the wanted programs could not be loaded together with `err`: 0 when some are refused, and now known. */
int probes__explain_load(struct probes *p, const struct ebpf_source_opts *opts, int err);

#endif
