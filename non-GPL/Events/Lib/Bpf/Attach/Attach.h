/* SPDX-License-Identifier: BSD-2-Clause */
/* Attach.h - attaches and detaches loaded programs. */
#ifndef EBPF_BPF_ATTACH_H
#define EBPF_BPF_ATTACH_H

#include "../Object/Object.h"

/* The links of attached programs, by their indices in `hooks`; hooks_program.attached says which are attached. */
struct links {
    int fds[HOOKS_PROGRAMS_MAX];
    bool have_trampoline; /* an fentry or fexit program has been attached */
};

/*
 * Attach the wanted programs. Returns how many the kernel refused, or a negative errno if a resource has run out or the
 * caller cancels.
 */
int links__attach(struct links *links, struct probes *p, const struct ebpf_source_opts *opts);

#define LINKS_NOT_THIS_ONE (-1000) /* no errno */

/*
 * Attach a loaded program now if it is a trampoline without spares, whose place among others does not matter. 0, 1 if
 * the kernel refuses it, LINKS_NOT_THIS_ONE, or a negative errno if a resource has run out.
 */
int links__attach_early(struct links *links, struct probes *p, const struct bpf_program *bpf);

void links__detach_unwanted(struct links *links, struct probes *p);

/* Detach the programs that share their target with one that is still to be attached, which may have to precede them. */
void links__detach_sharing(struct links *links, struct probes *p);

void links__detach_all(struct links *links, struct probes *p);

#endif
