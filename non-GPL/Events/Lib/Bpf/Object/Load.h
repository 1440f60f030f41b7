/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Load.h - loads the programs of an object one by one, so that one that the kernel refuses does not take the others
 * along.
 */
#ifndef EBPF_BPF_LOAD_H
#define EBPF_BPF_LOAD_H

#include "Targets.h"

/* How programs are loaded. */
struct load_how {
    enum kprobe_attach kprobes; /* how those for kprobes will be attached */
    bool drops_tail_calls;      /* see Prune.h */
};

/* What is called for each program that is to be loaded with an object, and its `user`. */
struct load_calls {
    /* Before. 0, 1 to leave the program out, or a negative errno to end the load with. */
    int (*begin)(void *user, const struct bpf_program *program);
    /*
     * After. `fd` is a descriptor, which the callee then owns, or the negative errno with which the kernel refused the
     * program. 0, or a negative errno to end the load with.
     */
    int (*end)(void *user, const struct bpf_program *program, int fd);
    void *user;
};

/*
 * Register the sections of the probes with libbpf. Required before an object with such sections is opened; may be
 * called again. 0 or -errno.
 */
int load__register(void);

/*
 * Create the maps of an object, and load its programs, whose targets have been looked up. Once for an object. libbpf
 * has the maps afterwards, but not the programs. 0 or -errno, also if `calls` ended it.
 */
int load__object(const struct targets *targets, struct bpf_object *object, const struct load_how *how,
                 const struct load_calls *calls);

/* Load a program that does nothing, of this one's kind and for its target, and attach it if `attach`. 0 or -errno. */
int load__try_kind(const struct targets *targets, const struct bpf_program *program, enum kprobe_attach kprobes,
                   bool attach);

#endif
