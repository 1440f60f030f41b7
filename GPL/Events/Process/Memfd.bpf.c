// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_MEMFD_CREATE: a process created an anonymous file with memfd_create.
 *
 * Hook: the end of shmem_file_setup, or hugetlb_file_setup with MFD_HUGETLB, where the file exists and the name is the
 * kernel's copy: at the system call the name may be on a page that is not resident and cannot be read. Graphics drivers
 * and System V shared memory create such files too, so two things identify memfd_create: the prefix of the name, and
 * the number of the system call. The flags come from the registers of the system call, because they are not passed on.
 * On kernels that preempt BPF programs, a kprobe on the function that gives the file its inode (File/Create.bpf.c)
 * reports the memfd, even one that then fails because there is no memory for the open file or too many files are open.
 *
 * Tried: each flag, names of every byte, of each length and on a page that is not resident, a 32-bit call, a thread;
 * other files of this kind and name. Misses: memfd_secret, which is another call and has no name.
 */
#include "../Core/Memfd.h"

/*
 * Report a memfd at the end of the function that creates it. The verifier takes the function's value for a pointer,
 * which ret__is_error would shift.
 */
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
    return memfd__end(name, COMPAT_RET(ctx, hugetlb_file_setup));
}

/* The name is that of the new file, as another thread could change the caller's. */
SYSCALL_END(memfd_create, call)
{
    struct file *file = call->ret < 0 ? NULL : fd__file(call->ret);

    if (call->ret >= 0 && (!file || !dentry__is_memfd_at(BPF_CORE_READ(file, f_path.dentry)))) {
        count__unreadable(EBPF_EVENT_PROCESS_MEMFD_CREATE); /* another thread has closed or replaced it */
        return 0;
    }
    return file ? memfd__end((const char *)BPF_CORE_READ(file, f_path.dentry, d_name.name), (u64)file) : 0;
}
