/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceBtf.h - compares the offsets that were found with the kernel's BTF, where it has some. */
#ifndef EBPF_TRACE_BTF_H
#define EBPF_TRACE_BTF_H

#include "TraceOffsets.h"

struct kernel_btf;

/*
 * Compare offsets with BTF. One that differs is replaced, with a warning; one that was not found stays unknown, because
 * it may be the other form of one that was. Without BTF nothing is done. Returns how many were compared.
 */
int trace_btf__check(struct trace_offsets *offsets, const struct ebpf_log *log);

/*
 * Return where a structure has a member, in bytes: "pid", "f_path.mnt", "pids[2]", or a distance, "mnt_id - mnt".
 * Members of anonymous structures count as its own. -1 if BTF does not have it.
 */
int kernel_btf__offset(const struct kernel_btf *btf, const char *structure, const char *path);

#endif
