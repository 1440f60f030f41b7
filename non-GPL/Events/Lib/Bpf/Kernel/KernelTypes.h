/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KernelTypes.h - the part of the kernel's BTF that the probes refer to.
 *
 * For each type whose members a probe reads, libbpf walks all types of the kernel, of which there are 100,000, and also
 * those of all its modules if none has the name. That took a sixth of a start. Here one pass finds all of them, and
 * libbpf gets only these.
 *
 * The extracted types have ids of their own. A probe that needs an id of the kernel gets it as a constant
 * (emit_constants.cast_types).
 */
#ifndef EBPF_KERNEL_TYPES_H
#define EBPF_KERNEL_TYPES_H

struct btf;
struct kernel_btf;

/* Write BTF with the types of `kernel` that have names and members of those of `probes` to a file. 0 or -errno. */
int kernel_types__extract(const struct kernel_btf *kernel, const struct btf *probes, int fd);

#endif
