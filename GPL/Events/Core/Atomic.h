/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Atomic.h - additions to words that several CPUs change, and the order of memory accesses.
 *
 * The instruction set of 5.10 has one atomic operation: an addition that returns nothing. Its verifier refuses all
 * others, even in dead code; the library removes such code before (Lib/Bpf/Object/Prune.h). Clang compiles
 * `__sync_fetch_and_add` to it up to version 19, but from 21 on to the one that returns the old value. A relaxed
 * addition whose value is not used becomes the old instruction with 14, 16, 19 and 22.
 *
 * On x86-64 each atomic addition is a full barrier, and the processor moves neither a read before another read nor a
 * write before another write. So only the compiler has to be restrained.
 *
 * On arm64 the plain addition orders nothing, but one that returns a value is a full barrier: LDADDAL, or a loop with
 * a DMB. The kernel's JIT has it since 5.18 (1902472b4fa9); a trial decides (emit_constants.fetches). Earlier kernels
 * offer nothing but helpers. There, a barrier is two deletions of an element that a hash map does not have. Each takes
 * and releases a lock of the kernel. What precedes stays before the first release, and what follows stays after the
 * second acquisition; and arm64 performs a release before an acquisition that follows it.
 */
#ifndef EBPF_CORE_ATOMIC_H
#define EBPF_CORE_ATOMIC_H

#include "EmitShared.h"
#include "Read.h"

#define BARRIER_MEMORY() asm volatile("" ::: "memory")

/* Add to a counter. Orders nothing else. */
#define ATOMIC_ADD(word, value) ((void)__atomic_fetch_add(word, value, __ATOMIC_RELAXED))

#if defined(__TARGET_ARCH_x86)

/* Keep reads before and after it in order, and writes. */
#define FENCE() BARRIER_MEMORY()
#define READS_ARE_ORDERED true
#define READ_AFTER(variable) READ_ONCE(variable)

#define CLAIM_ADD_ORDERED(word, value) ATOMIC_ADD(word, value)

#else

/* Locks that a barrier takes. The map has no elements. */
struct fence_locks_map {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 256);
    __type(key, u32);
    __type(value, u32);
};

extern struct fence_locks_map fence_locks SEC(".maps");

/* Be a full barrier by the locks of that map. Not a function, because paths are walked as deep as calls may go. */
static __always_inline void fence__by_locks(void)
{
    u32 key = bpf_get_smp_processor_id();

    bpf_map_delete_elem(&fence_locks, &key);
    bpf_map_delete_elem(&fence_locks, &key);
}

/*
 * Return emit_constants.fetches. The address is loaded anew each time: the library has to see that the code for other
 * kernels is dead, and it does not follow registers into a loop.
 */
static __always_inline bool fence__has_fetch(void)
{
    const volatile struct emit_constants *constants;

    asm volatile("%0 = %1 ll" : "=r"(constants) : "i"(&emit_constants));
    return constants->fetches;
}

/* Add, as a full barrier. The value counts as used, or the compiler would choose the plain addition. */
static __always_inline void fence__add(u64 *word, u64 value)
{
    u64 old = __atomic_fetch_add(word, value, __ATOMIC_SEQ_CST);

    asm volatile("" : : "r"(old) : "memory");
}

static __always_inline void fence(void)
{
    u64 word = 0;

    if (fence__has_fetch())
        fence__add(&word, 0);
    else
        fence__by_locks();
    BARRIER_MEMORY();
}

#define FENCE() fence()
#define READS_ARE_ORDERED false

/* Read a variable after what was read before. */
#define READ_AFTER(variable)                                                                                           \
    ({                                                                                                                 \
        FENCE();                                                                                                       \
        READ_ONCE(variable);                                                                                           \
    })

static __always_inline void claim__add_ordered(u64 *word, u64 value)
{
    if (fence__has_fetch()) {
        fence__add(word, value);
        return;
    }
    fence__by_locks();
    BARRIER_MEMORY();
    ATOMIC_ADD(word, value);
    BARRIER_MEMORY();
    fence__by_locks();
}

#define CLAIM_ADD_ORDERED(word, value) claim__add_ordered(word, value)

#endif

/* Increment the version of an entry, before and after writing it. */
#define VERSION_STEP(version)                                                                                          \
    do {                                                                                                               \
        FENCE();                                                                                                       \
        WRITE_ONCE(version, (version) + 1);                                                                            \
        FENCE();                                                                                                       \
    } while (0)

/*
 * Add to a counter of claimants (Claim.h), as a full barrier: everything that the owner of a claim reads and writes
 * stays between taking and releasing it.
 */
#define CLAIM_ADD(word, value)                                                                                         \
    do {                                                                                                               \
        BARRIER_MEMORY();                                                                                              \
        CLAIM_ADD_ORDERED(word, value);                                                                                \
        BARRIER_MEMORY();                                                                                              \
    } while (0)

#endif
