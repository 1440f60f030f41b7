/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trials.h - whether the kernel calls what programs are attached to.
 *
 * BTF lists functions that the kernel's compiler has put into their callers. Programs attach to them, and are never
 * run. So before the probes are told to begin, this process does what the programs are there for, and the kernel is
 * asked which of them have been run (BPF_ENABLE_STATS, for all programs of the machine, for these moments).
 *
 * Files are made in a tmpfs that is mounted in no directory, and gone when its descriptor is closed. No thread, process
 * or signal comes of it, and no event. Where any of this is not allowed, what is not tried is not missed.
 */
#ifndef EBPF_TRIALS_H
#define EBPF_TRIALS_H

#include "../Object/Object.h"

/* Try what concerns the programs that are attached; warn of each that was not run. */
void trials__run(struct probes *p);

#endif
