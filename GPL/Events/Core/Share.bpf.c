// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Share.bpf.c - whose share a task uses; see Share.h. */
#include "Share.h"

__noinline u32 share__user(void)
{
    return share__find_user();
}
