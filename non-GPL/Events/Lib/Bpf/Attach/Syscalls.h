/* SPDX-License-Identifier: BSD-2-Clause */
/* Syscalls.h - connects the program at the ends of system calls with those for single ones; see Core/Syscall.h. */
#ifndef EBPF_SYSCALLS_H
#define EBPF_SYSCALLS_H

#include "../Object/Object.h"

/* Enter each loaded program that is wanted under the numbers of its system calls. 0 or -errno. */
int syscalls__connect(struct probes *p);

#endif
