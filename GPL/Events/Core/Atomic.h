/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Atomic.h - additions to words that several CPUs add to.
 *
 * The instruction set of 5.10 has one atomic operation, an addition that returns nothing; its verifier refuses all
 * others, also in dead code. Clang compiles `__sync_fetch_and_add` to it up to version 19, and to one that returns the
 * old value from 21 on. A relaxed addition whose value is not used is the old one with each of 14, 16, 19 and 22.
 */
#ifndef EBPF_CORE_ATOMIC_H
#define EBPF_CORE_ATOMIC_H

#define BARRIER_MEMORY() asm volatile("" ::: "memory")

/* Add to a counter, which orders nothing else. */
#define ATOMIC_ADD(word, value) ((void)__atomic_fetch_add(word, value, __ATOMIC_RELAXED))

/*
 * Add to a counter of claimants, which orders what the owner of a claim reads and writes: all of it stays between
 * taking the claim and giving it back. On x86 each atomic addition is a full barrier, so only the compiler has to be
 * held. Elsewhere (arm64) the plain addition orders nothing, but the one that returns a value does; that is no
 * restriction there, for kernels without it (before 5.18) have no trampolines either (6.0).
 */
#ifdef __TARGET_ARCH_x86
#define CLAIM_ADD(word, value)                                                                                         \
    do {                                                                                                               \
        BARRIER_MEMORY();                                                                                              \
        ATOMIC_ADD(word, value);                                                                                       \
        BARRIER_MEMORY();                                                                                              \
    } while (0)
#else
#define CLAIM_ADD(word, value)                                                                                         \
    do {                                                                                                               \
        u64 old_ = __atomic_fetch_add(word, value, __ATOMIC_SEQ_CST);                                                  \
                                                                                                                       \
        asm volatile("" : : "r"(old_) : "memory");                                                                     \
    } while (0)
#endif

#endif
