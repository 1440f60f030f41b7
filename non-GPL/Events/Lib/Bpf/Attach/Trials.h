/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trials.h - whether the kernel calls the targets of programs.
 *
 * BTF also lists functions that the kernel's compiler has inlined into all of their callers: programs attach to them
 * but never run. So before events are enabled, this process performs the operations that the programs observe, and asks
 * the kernel which of them have run (BPF_ENABLE_STATS, which applies to all programs of the machine, for that time).
 *
 * Files are created in a tmpfs that is mounted nowhere, and disappear when its descriptor is closed. The trials create
 * no thread, process, signal or event. If an operation is not allowed, its programs are not refused.
 */
#ifndef EBPF_TRIALS_H
#define EBPF_TRIALS_H

#include "../Object/Object.h"

/* Perform the trials of the attached programs, and refuse those that have not run. Returns how many these are. */
int trials__run(struct probes *p);

#endif
