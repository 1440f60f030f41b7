/* SPDX-License-Identifier: BSD-2-Clause */
/* BpfOpen.h - what the library outside of Bpf/ uses of the backend that loads the probes. */
#ifndef EBPF_BPF_OPEN_H
#define EBPF_BPF_OPEN_H

#include "../Backend.h"

/* As ebpf_backend__open, from BPF programs. -EOPNOTSUPP: BPF cannot be used here at all. */
int bpf_backend__open(const struct ebpf_source_opts *opts, struct ebpf_backend **ret_backend);

#endif
