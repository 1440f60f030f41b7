/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps.h - which maps of the probes are created, and how large. */
#ifndef EBPF_BPF_MAPS_H
#define EBPF_BPF_MAPS_H

#include "Object.h"
#include "MapRefs.h"

/*
 * Size the maps of an object before it is loaded, and leave out those that its programs do not refer to (`refs`) or
 * that these settings do not need. 0 or -errno.
 */
int probes__prepare_maps(struct probes *p, const struct ebpf_source_opts *opts, uint32_t ring_bytes,
                         const struct map_refs *refs);

#endif
