/* SPDX-License-Identifier: BSD-2-Clause */
/* Rings.h - maps BPF ring buffers into this process. libbpf's own reader cannot merge two rings by time. */
#ifndef EBPF_RINGS_H
#define EBPF_RINGS_H

#include "../Backend.h"

struct bpf_object;
struct bpf_map;

/* Return the map of a ring by its name in Events.def: ring_<name in lower case>. NULL if there is none. */
struct bpf_map *rings__find_map(const struct bpf_object *object, const char *name);

/* Map a ring of `size` bytes. 0 or -errno. */
int rings__map(int fd, size_t size, struct ebpf_ringbuf *ret_ring);

/* Unmap a ring; does nothing for one that is not mapped. */
void rings__unmap(struct ebpf_ringbuf *ring, size_t size);

#endif
