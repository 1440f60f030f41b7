/* SPDX-License-Identifier: BSD-2-Clause */
/* CgroupLink.h - attaches programs to the root of the hierarchy of cgroups. */
#ifndef EBPF_BPF_CGROUP_LINK_H
#define EBPF_BPF_CGROUP_LINK_H

#include <stdint.h>

/*
 * Run a program, given as a descriptor, for the sockets of all cgroups. Returns a descriptor that ends this when it is
 * closed, or -errno: -ENODEV if the root of the hierarchy is not mounted here.
 */
int cgroup__attach(int program, uint32_t attach_type);

#endif
