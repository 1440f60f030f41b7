/* SPDX-License-Identifier: BSD-2-Clause */
/* Spares.h - the programs that hooks have several of, where the kernel preempts BPF programs; see Core/Spare.h. */
#ifndef EBPF_SPARES_H
#define EBPF_SPARES_H

#include "../Object/Object.h"

/* Put the bodies of hooks where their spares call them, after the object has been loaded. 0 or -errno. */
int spares__connect(struct probes *p);

#endif
