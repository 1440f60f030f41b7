/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KernelBtf.h - loads the kernel's BTF to walk its types.
 *
 * While libbpf loads it, it has two copies of 5 MiB each, which would be the peak memory of a source. Here there is
 * one.
 */
#ifndef EBPF_KERNEL_BTF_H
#define EBPF_KERNEL_BTF_H

#include <bpf/btf.h>
#include <stddef.h>
#include <stdint.h>

#define MODULE_NAME_MAX 64 /* with the NUL */

struct kernel_btf {
    uint8_t *bytes;
    size_t size;
    const uint8_t *types;
    const char *strings;
    size_t strings_size;
    uint32_t *offsets; /* of each type in `types`; that of type 0, void, is unused */
    uint32_t count;    /* of types, with void */
};

/* Load the types of the running kernel. Returns 0 or -errno; end with kernel_btf__free. */
int kernel_btf__load(struct kernel_btf *btf);
void kernel_btf__free(struct kernel_btf *btf);

/*
 * Return the type id of a function in a loaded module; 0 if the module is not loaded, has no such function, or has no
 * BTF (before 5.11).
 */
uint32_t kernel_btf__find_in_module(const struct kernel_btf *kernel, const char *module, const char *function);

/* Return a descriptor of the BTF of a loaded module, which a program for its functions is loaded with; or -errno. */
int kernel_btf__open_module(const char *module);

/* Return a type by its id, which is not 0. */
const struct btf_type *kernel_btf__type(const struct kernel_btf *btf, uint32_t id);

static inline const char *kernel_btf__name(const struct kernel_btf *btf, uint32_t offset)
{
    return btf->strings + offset;
}

#endif
