/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sized.h - structs of the interface that begin with `sz`, their size as the caller knows it, of an older or a newer
 * version.
 *
 * Their members are naturally aligned and no longer than a word, and new ones go behind the last word, except that the
 * library may write one to the end of the last word. So a size of whole words, as each version has it, cuts no member
 * in two.
 */
#ifndef EBPF_LIB_SIZED_H
#define EBPF_LIB_SIZED_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static inline bool sized__is_valid(size_t sz)
{
    return sz >= sizeof(size_t) && sz % sizeof(size_t) == 0;
}

static inline int sized__read(const void *user, size_t sz, void *ret, size_t size)
{
    const unsigned char *bytes = user;

    if (!sized__is_valid(sz))
        return -EINVAL;
    memset(ret, 0, size);
    memcpy(ret, user, sz < size ? sz : size);
    for (size_t i = size; i < sz; i++) {
        if (bytes[i])
            return -E2BIG;
    }
    return 0;
}

static inline int sized__write(void *ret_user, size_t sz, const void *from, size_t size)
{
    if (!sized__is_valid(sz))
        return -EINVAL;
    memset(ret_user, 0, sz);
    memcpy(ret_user, from, sz < size ? sz : size);
    memcpy(ret_user, &sz, sizeof(sz));
    return 0;
}

/*
 * Read a struct of the caller's: a member that is absent there is 0. 0, -EINVAL if its size makes no sense, or -E2BIG
 * if it has a member that is not 0 and that this version does not know.
 */
#define SIZED_READ(user, ret) sized__read((user), (user)->sz, (ret), sizeof(*(ret)))

/* Write a struct of the caller's: a member that this version does not know becomes 0. 0 or -EINVAL. */
#define SIZED_WRITE(ret_user, from) sized__write((ret_user), (ret_user)->sz, (from), sizeof(*(from)))

#endif
