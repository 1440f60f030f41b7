/* SPDX-License-Identifier: BSD-2-Clause */
/* TaskStorage.h - whether the kernel can keep data of the probes with a task. */
#ifndef EBPF_TASK_STORAGE_H
#define EBPF_TASK_STORAGE_H

#include <stdbool.h>

/*
 * Try it with the calling process. Kernels before 5.11 lack it, and newer ones that allocate without locks have none of
 * it on processors without a double-word compare-and-exchange.
 */
bool task_storage__works(void);

#endif
