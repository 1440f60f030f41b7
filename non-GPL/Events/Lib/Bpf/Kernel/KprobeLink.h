/* SPDX-License-Identifier: BSD-2-Clause */
/* KprobeLink.h - attaches programs to kprobes. */
#ifndef EBPF_BPF_KPROBE_LINK_H
#define EBPF_BPF_KPROBE_LINK_H

#include <stdbool.h>
#include <stdint.h>

/* How programs for kprobes are attached. */
enum kprobe_attach {
    KPROBE_MULTI, /* by the kernel's function tracer (CONFIG_FPROBE) */
    KPROBE_PLAIN, /* one by one: by a breakpoint, or what the kernel optimizes that into */
};

/* Return whether the kernel has plain kprobes (CONFIG_KPROBE_EVENTS). */
bool kprobe__is_offered(void);

/*
 * Run a program, given as a descriptor, whenever a function of the kernel is entered; with KPROBE_MULTI, where the
 * attach type says. Returns a descriptor that ends this when it is closed, or -errno.
 */
int kprobe__attach(enum kprobe_attach how, const char *function, int program, uint32_t attach_type);

#endif
