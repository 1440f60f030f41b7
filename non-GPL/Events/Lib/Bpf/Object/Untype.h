/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Untype.h - lets a program of a kprobe follow pointers on kernels whose verifier gives it none with types.
 *
 * The arguments of a kprobe's program are numbers to the verifier. Since 6.2 a function of the kernel turns a number
 * into a pointer to a struct (UNTRUSTED in Core/Compat.h), and one body serves trampolines and kprobes. On older
 * kernels, each load through such a pointer becomes a call of bpf_probe_read_kernel: the same value, 0 for a bad
 * address too, for some hundred instructions. Which loads these are follows from where the pointers come from. To take
 * more of them for loads of kernel memory than there are would only cost time: a program can read no other.
 */
#ifndef EBPF_UNTYPE_H
#define EBPF_UNTYPE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct untyped {
    struct bpf_insn *insns;
    size_t count;
    uint32_t *new_numbers; /* of each former instruction */
};

/*
 * Untype a pruned program. `has_current_btf`: the kernel has the current task as a pointer with a type; else its
 * address is used. `is_converted`: the program was written for a trampoline, and gets its arguments from registers
 * instead. 0, -ENOMEM, -E2BIG if a stack frame or the distance of a jump would be too large, or -EOPNOTSUPP if the
 * program has callbacks or, converted, uses its context for more. Free with untyped__free after success.
 */
int untype(const struct bpf_insn *insns, size_t count, bool has_current_btf, bool is_converted,
           struct untyped *ret_untyped);

void untyped__free(struct untyped *untyped);

#endif
