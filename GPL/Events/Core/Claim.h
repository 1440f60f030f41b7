/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Claim.h - a try-lock of one word.
 *
 * A claimant adds one and owns the word if it then reads one; otherwise it takes its one back. Two claimants may both
 * fail, but never both succeed before the owner has released. That needs no atomic operation that returns a value,
 * which kernels before 5.12 do not have.
 */
#ifndef EBPF_CORE_CLAIM_H
#define EBPF_CORE_CLAIM_H

#include "Atomic.h"
#include "Read.h"

static __always_inline void claim__release(u64 *claims)
{
    CLAIM_ADD(claims, -1);
}

/* Claim a word, and return whether the caller owns it now. claim__release has to follow in either case. */
static __always_inline bool claim__enter(u64 *claims)
{
    CLAIM_ADD(claims, 1);
    return READ_ONCE(*claims) == 1;
}

/* Claim a word that nobody owns. Returns false, with nothing to release, if it has an owner or another claimant. */
static __always_inline bool claim__try(u64 *claims)
{
    if (claim__enter(claims))
        return true;
    claim__release(claims);
    return false;
}

/* Try claim__try so many times; for owners that release after a few instructions. */
static __always_inline bool claim__spin(u64 *claims, int tries)
{
    for (int i = 0; i < tries; i++) {
        if (claim__try(claims))
            return true;
    }
    return false;
}

#endif
