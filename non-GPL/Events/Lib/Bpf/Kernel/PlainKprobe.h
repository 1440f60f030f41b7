/* SPDX-License-Identifier: BSD-2-Clause */
/* PlainKprobe.h - attaches programs to kprobes one by one, by perf_event_open(2). */
#ifndef EBPF_BPF_PLAIN_KPROBE_H
#define EBPF_BPF_PLAIN_KPROBE_H

#include <stdbool.h>

/* Return whether the kernel has such kprobes (CONFIG_KPROBE_EVENTS). */
bool kprobe__is_offered(void);

/*
 * Run a program, given as a descriptor, whenever a function of the kernel is entered. Returns a descriptor that ends
 * this when it is closed, or -errno.
 */
int kprobe__attach(const char *function, int program);

#endif
