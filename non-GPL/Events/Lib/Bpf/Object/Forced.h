/* SPDX-License-Identifier: BSD-2-Clause */
/* Forced.h - leaves out programs, or has them attached in another way, because the caller or the kernel wants it so. */
#ifndef EBPF_BPF_FORCED_H
#define EBPF_BPF_FORCED_H

#include "Hooks.h"

#define REASON_FORCED "another way to attach was asked for"

/* Refuse all programs that are attached in another way than the caller asks for. */
void hooks__force(struct hooks *hooks, enum ebpf_attach attach);

/*
 * Have the programs that can be loaded for kprobes (AS_KPROBE in Hooks.def) loaded so, also those that were refused for
 * this reason.
 */
void hooks__convert(struct hooks *hooks, const char *reason);

/* Mark the programs named in a list as refused, for tests. 0, or -errno, logged. */
int hooks__disable(struct hooks *hooks, const char *names, const struct ebpf_log *log);

#endif
