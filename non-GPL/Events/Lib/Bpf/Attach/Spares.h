/* SPDX-License-Identifier: BSD-2-Clause */
/* Spares.h - connects spares, which kernels that preempt BPF programs get, with their programs; see Core/Spare.h. */
#ifndef EBPF_SPARES_H
#define EBPF_SPARES_H

#include "../Object/Object.h"

/* Put each loaded program that spares call into their map. 0 or -errno. */
int spares__connect(struct probes *p);

#endif
