/* SPDX-License-Identifier: BSD-2-Clause */
/* Forced.h - leaves out the programs of other ways to attach than one that the caller asks for. */
#ifndef EBPF_BPF_FORCED_H
#define EBPF_BPF_FORCED_H

#include "Hooks.h"

/* Refuse all programs that are attached in another way. */
void hooks__force(struct hooks *hooks, enum ebpf_attach attach);

#endif
