/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Coalesce.h - many content changes of one file by one process told as few.
 *
 * The first change is for the handler at once. Those that follow it within the window are kept back, and told as one
 * when the window ends: the last of them, with how many there were and the sum of their bytes. What must not be
 * overtaken by something else is told before it: another event about that file, or the end of the process.
 */
#ifndef EBPF_COALESCE_H
#define EBPF_COALESCE_H

#include "EbpfEvents.h"

struct ebpf_coalesce;

/* A record that was kept back and is due; it stands for `count` changes. */
typedef void (*ebpf_coalesce_fn)(void *user, const struct ebpf_event_header *hdr, uint32_t size, uint64_t count);

/* 0 or -ENOMEM; free with ebpf_coalesce__free. */
int ebpf_coalesce__new(uint32_t window_ms, ebpf_coalesce_fn due, void *user, struct ebpf_coalesce **ret_coalesce);

/* Free, and drop what is kept back. */
void ebpf_coalesce__free(struct ebpf_coalesce *coalesce);

/*
 * A checked record, which comes in the order of the stream. Returns whether it was kept back; if not, it is for the
 * handler, after what this call has made due.
 */
bool ebpf_coalesce__take(struct ebpf_coalesce *coalesce, const struct ebpf_event_header *hdr, uint32_t size);

/* Make due what is in windows that ended before `now_boot_ns`; UINT64_MAX for all. */
void ebpf_coalesce__expire(struct ebpf_coalesce *coalesce, uint64_t now_boot_ns);

#endif
