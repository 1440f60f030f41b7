/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LocalStorage.h - whether task storage and socket storage work on this kernel.
 *
 * A trial decides. Kernels before 5.11 have no such storage. Since 7.0 they allocate it without locks, which fails on a
 * processor without a double-word compare-and-exchange (cmpxchg16b).
 */
#ifndef EBPF_LOCAL_STORAGE_H
#define EBPF_LOCAL_STORAGE_H

#include <stdbool.h>

bool local_storage__works_for_tasks(void);
bool local_storage__works_for_sockets(void);

#endif
