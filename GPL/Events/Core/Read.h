/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Read.h - loads and stores that happen as they are written, and reads of kernel memory.
 *
 * The compiler may merge, split, move and repeat a plain access. That breaks a probe in two ways: another CPU changes
 * the word in between, or the verifier no longer sees that a value was checked before its use.
 */
#ifndef EBPF_CORE_READ_H
#define EBPF_CORE_READ_H

#include "Kernel.h"

/* One load or store of a variable, exactly where it stands. */
#define READ_ONCE(variable) (*(const volatile typeof(variable) *)&(variable))
#define WRITE_ONCE(variable, value) (*(volatile typeof(variable) *)&(variable) = (value))

/* Store a pointer in a u64 of a map, to load it as a number later. The verifier refuses that cast in a register. */
#define STORE_POINTER(variable, pointer) (*(const void *volatile *)&(variable) = (pointer))

/* Hide the origin of a value from the compiler, so that it cannot merge or move what was computed before. */
#define BARRIER(value) asm volatile("" : "+r"(value))

/*
 * Follow pointers from `p`: KREAD(typed, task, real_parent, tgid) reads task->real_parent->tgid. If `typed`, `p` is a
 * BTF pointer (an argument of a tp_btf, fentry or fexit program), and each step is one load that BTF checks. Otherwise
 * `p` is an address, and each step is a helper call of some hundred instructions. `typed` is a constant in every use,
 * so only one of the two is compiled.
 */
#define KREAD_1(p, a) (p)->a
#define KREAD_2(p, a, b) (p)->a->b
#define KREAD_3(p, a, b, c) (p)->a->b->c
#define KREAD_4(p, a, b, c, d) (p)->a->b->c->d
#define KREAD_PICK(_1, _2, _3, _4, NAME, ...) NAME
#define KREAD(typed, p, ...)                                                                                           \
    ({                                                                                                                 \
        typeof(KREAD_PICK(__VA_ARGS__, KREAD_4, KREAD_3, KREAD_2, KREAD_1)(p, __VA_ARGS__)) value_;                    \
        if (typed)                                                                                                     \
            value_ = KREAD_PICK(__VA_ARGS__, KREAD_4, KREAD_3, KREAD_2, KREAD_1)(p, __VA_ARGS__);                      \
        else                                                                                                           \
            value_ = BPF_CORE_READ(p, __VA_ARGS__);                                                                    \
        value_;                                                                                                        \
    })

/*
 * Copy `len` bytes (a constant, a multiple of 8) of a kernel object into an aligned buffer; `typed` as in KREAD.
 */
static __always_inline void kernel__copy(bool typed, void *dst, const void *src, u32 len)
{
    if (!typed) {
        bpf_probe_read_kernel(dst, len, src);
        return;
    }
#pragma unroll
    for (u32 i = 0; i < len / 8; i++)
        ((u64 *)dst)[i] = READ_ONCE(((const u64 *)src)[i]);
}

/* Return an argument of the context that is a pointer as an address, which allows arithmetic. */
static __always_inline u64 ctx__address(const u64 *arg)
{
    u64 address = 0;

    bpf_probe_read_kernel(&address, sizeof(address), arg);
    return address;
}

/*
 * Return whether a value is an error: an error pointer, or such a value as an int, without its upper half. An address
 * of a 32-bit program is no error, even if it is negative as an int.
 */
static __always_inline bool ret__is_error(u64 ret)
{
    return ret > (u64)-MAX_ERRNO - 1 || (!(ret >> 32) && (u32)ret > (u32)-MAX_ERRNO - 1);
}

#endif
