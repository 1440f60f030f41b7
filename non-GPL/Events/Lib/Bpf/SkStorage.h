/* SPDX-License-Identifier: BSD-2-Clause */
/* SkStorage.h - whether the kernel can keep something in the storage of sockets. */
#ifndef EBPF_SK_STORAGE_H
#define EBPF_SK_STORAGE_H

#include <stdbool.h>

/*
 * Tried with a socket of our own. Recent kernels (7.2) allocate that storage without locks, which takes an instruction
 * (cmpxchg16b) that not every virtual CPU has.
 */
bool sk_storage__can_be_made(void);

#endif
