/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kinds.h - whether the kernel refuses all programs of a kind: it is built without what they need, or who has set it up
 * does not allow them. A program that does nothing finds that out.
 */
#ifndef EBPF_KINDS_H
#define EBPF_KINDS_H

#include "BpfBackend.h"

/*
 * Look for kinds that are wanted and that the kernel refuses to load, or to attach, and refuse all their programs.
 * Returns how many kinds there are, or a negative errno when something has run out.
 */
int backend__find_refused_kinds(struct bpf_backend *b, bool attach);

#endif
