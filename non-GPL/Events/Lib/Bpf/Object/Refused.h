/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Refused.h - finds the kinds of programs that this kernel refuses: it is built without what they need, or its
 * administrator does not allow them.
 */
#ifndef EBPF_BPF_REFUSED_H
#define EBPF_BPF_REFUSED_H

#include "Object.h"

/* Followed by the error. */
#define REASON_LOAD "the kernel refuses to load it: "
#define REASON_ATTACH "the kernel refuses to attach it: "

/*
 * Refuse all programs of each wanted kind that the kernel refuses to load, or to attach. Returns how many kinds these
 * are, or a negative errno if a resource has run out.
 */
int probes__find_refused_kinds(struct probes *p, bool attach);

/* Return whether that has found that the kernel refuses trampolines. */
bool probes__refuse_trampolines(const struct probes *p);

#endif
