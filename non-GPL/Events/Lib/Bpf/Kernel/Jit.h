/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jit.h - what the kernel's compiler of BPF programs can do, as trials show. That of x86-64 can do all of it in each
 * supported kernel, or does not need to.
 */
#ifndef EBPF_JIT_H
#define EBPF_JIT_H

#include <stdbool.h>

/* Return whether it has atomic additions that return a value: on arm64 since 5.18 (1902472b4fa9). */
bool jit__has_fetch(void);

/* Return whether a program may contain both functions and a tail call: on arm64 since 6.0 (d4609a5d8c70). */
bool jit__has_tail_calls_beside_functions(void);

#endif
