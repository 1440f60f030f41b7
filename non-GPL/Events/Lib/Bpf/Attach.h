/* SPDX-License-Identifier: BSD-2-Clause */
/* Attach.h - the links between loaded programs and their hooks. */
#ifndef EBPF_ATTACH_H
#define EBPF_ATTACH_H

#include "BpfBackend.h"

#define REASON_NO_PROGRAM "not part of this build"
#define REASON_ATTACH "the kernel refuses to attach it: " /* and why */

/*
 * Attach the wanted programs. Returns how many the kernel refused, or a negative errno when something has run out, or
 * the caller gives up.
 */
int backend__attach(struct bpf_backend *b, const struct ebpf_source_opts *opts);

void backend__detach_unwanted(struct bpf_backend *b);
void backend__destroy_links(struct bpf_backend *b);

#endif
