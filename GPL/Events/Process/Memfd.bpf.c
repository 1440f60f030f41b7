// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_MEMFD_CREATE: a process made an anonymous file with memfd_create.
 *
 * Hook: the end of shmem_file_setup, or hugetlb_file_setup with MFD_HUGETLB, where the file exists and the name is the
 * kernel's copy: at the system call it may be on a page that is not resident and cannot be read. Others make such files
 * too (graphics drivers, System V shared memory), so the prefix that memfd_create gives to its names decides, and the
 * number of the system call, from whose registers the flags come: they go no further than the system call itself.
 * Kernels that preempt programs tell it where the file gets its inode, by a kprobe (File/Create.bpf.c): also one that
 * then fails, for want of memory for the open file or of open files in all.
 *
 * Tried: each flag, names of every byte, of each length and on a page that is not there, a 32-bit call, a thread; other
 * files of the same kind and name. Misses: memfd_secret, which is another call and has no name.
 */
#include "../Core/Memfd.h"

/* At the end of a function that makes one. Its value is a pointer to the verifier: compat__is_error would shift it. */
static __always_inline int memfd__end(const char *name, u64 file)
{
    char prefix[8] = {};

    if (file > (u64)-MAX_ERRNO)
        return 0;
    bpf_probe_read_kernel(prefix, MEMFD_PREFIX_LEN, name);
    return *(u64 *)prefix == MEMFD_PREFIX ? memfd__created(MAY_BE_PREEMPTED, name) : 0;
}

SEC("ebpf.fexit/shmem_file_setup")
int BPF_PROG(fexit__shmem_file_setup, const char *name, u64 size, u64 flags, u64 file)
{
    return memfd__end(name, file);
}

SEC("ebpf.fexit/hugetlb_file_setup")
int BPF_PROG(fexit__hugetlb_file_setup, const char *name)
{
    return memfd__end(name, compat__func_ret(ctx, 6));
}
