/* SPDX-License-Identifier: BSD-2-Clause */
/* Object.h - the probes as libbpf has them: opened, cut to what this kernel and the options need, and loaded. */
#ifndef EBPF_OBJECT_H
#define EBPF_OBJECT_H

#include "BpfBackend.h"

/*
 * A file in memory for the types of the kernel that the probes refer to; -1 where libbpf could not open it by a path,
 * and so goes through all types.
 */
int types__create_file(void);

/* Open the probes' object; closes the one before, with all that it holds in the kernel. 0 or -errno, as below. */
int backend__open_object(struct bpf_backend *b);

/* Leave out the programs that this kernel does not need, or has no hook for: libbpf would refuse all then. */
int backend__leave_out(struct bpf_backend *b);

/* Load the object with the wanted programs. */
int backend__load(struct bpf_backend *b, const struct ebpf_source_opts *opts);

/* Why the wanted programs could not be loaded together with `err`: 0 when some are refused, and now known. */
int backend__explain_load(struct bpf_backend *b, const struct ebpf_source_opts *opts, int err);

/* Let the probes see which process this is. */
int backend__identify_self(struct bpf_backend *b);

#endif
