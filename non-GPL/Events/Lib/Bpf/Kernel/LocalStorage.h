/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LocalStorage.h - whether the kernel can keep data of the probes with a task, or with a socket.
 *
 * It is tried. Old kernels have no such storage (before 5.11), and recent ones allocate it without locks (7.0), which
 * fails on a processor without a double-word compare-and-exchange (cmpxchg16b).
 */
#ifndef EBPF_LOCAL_STORAGE_H
#define EBPF_LOCAL_STORAGE_H

#include <stdbool.h>

bool local_storage__works_for_tasks(void);
bool local_storage__works_for_sockets(void);

#endif
