/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Atomic.h - additions to words that several CPUs change.
 *
 * The instruction set of 5.10 has one atomic operation: an addition that returns nothing. Its verifier refuses all
 * others, even in dead code. Clang compiles `__sync_fetch_and_add` to it up to version 19, but from 21 on to the one
 * that returns the old value. A relaxed addition whose value is not used becomes the old instruction with 14, 16, 19
 * and 22.
 */
#ifndef EBPF_CORE_ATOMIC_H
#define EBPF_CORE_ATOMIC_H

#define BARRIER_MEMORY() asm volatile("" ::: "memory")

/* Add to a counter. Orders nothing else. */
#define ATOMIC_ADD(word, value) ((void)__atomic_fetch_add(word, value, __ATOMIC_RELAXED))

/*
 * Add to a counter of claimants (Claim.h). Everything that the owner of a claim reads and writes stays between taking
 * and releasing it. On x86 each atomic addition is a full barrier, so only the compiler has to be restrained. On other
 * architectures (arm64) the plain addition orders nothing, but the one that returns a value does. Kernels without that
 * one (before 5.18) have no trampolines there either (before 6.0), so it costs no kernel.
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
