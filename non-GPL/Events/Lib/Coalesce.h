/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Coalesce.h - merges successive writes of one process to one file.
 *
 * The first write is delivered at once and opens a window. The writes within the window are merged into one event,
 * which is delivered when the window ends: it is the last of them, with their number and the sum of their bytes. A
 * window also ends before any other event of the process about the file, and before its exit, so the events of a
 * process stay in order.
 */
#ifndef EBPF_COALESCE_H
#define EBPF_COALESCE_H

#include "EbpfEvents.h"

struct ebpf_coalesce;

/* Called with a merged record that is due; it stands for `count` writes. */
typedef void (*ebpf_coalesce_fn)(void *user, const struct ebpf_event_header *hdr, uint32_t size, uint64_t count);

/* Make a coalescer. 0 or -ENOMEM; free it with ebpf_coalesce__free. */
int ebpf_coalesce__new(uint32_t window_ms, ebpf_coalesce_fn due, void *user, struct ebpf_coalesce **ret_coalesce);

/* Free it, and drop what is being merged. */
void ebpf_coalesce__free(struct ebpf_coalesce *coalesce);

/*
 * Take the next checked record of the stream. Returns whether it was merged; if not, it is to be delivered, after the
 * records that this call has made due.
 */
bool ebpf_coalesce__take(struct ebpf_coalesce *coalesce, const struct ebpf_event_header *hdr, uint32_t size);

/* End the windows whose time was over before `now_boot_ns`; UINT64_MAX: all. */
void ebpf_coalesce__expire(struct ebpf_coalesce *coalesce, uint64_t now_boot_ns);

#endif
