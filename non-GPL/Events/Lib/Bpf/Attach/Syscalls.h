/* SPDX-License-Identifier: BSD-2-Clause */
/* Syscalls.h - connects the program at the ends of system calls with those for single ones; see Core/Syscall.h. */
#ifndef EBPF_SYSCALLS_H
#define EBPF_SYSCALLS_H

#include "../Object/Object.h"

/* Enter each loaded program that is wanted under the numbers of its system calls. 0 or -errno. */
int syscalls__connect(struct probes *p);

/* Set a bit for each system call that a program is for, by its number in the tables. `ends` has zeros. */
void syscalls__list(struct probes *p, uint64_t *ends);

#endif
