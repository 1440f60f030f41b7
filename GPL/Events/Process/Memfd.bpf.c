// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_MEMFD_CREATE: a process made an anonymous file with memfd_create.
 *
 * Hook: the end of shmem_file_setup, or hugetlb_file_setup with MFD_HUGETLB, where the file exists and the name is the
 * kernel's copy: at the system call it may be on a page that is not resident and cannot be read. Others make such files
 * too (graphics drivers, System V shared memory), so the prefix that memfd_create gives to its names decides, and the
 * number of the system call, from whose registers the flags come: they go no further than the system call itself.
 *
 * Tried: each flag, names of every byte, of each length and on a page that is not there, a 32-bit call, a thread; other
 * files of the same kind and name. Misses: memfd_secret, which is another call and has no name.
 */
#include "../Core/Task.h"

#define NR_MEMFD_CREATE_64 319
#define NR_MEMFD_CREATE_32 356
#define NR_X32_BIT 0x40000000
#define TS_COMPAT 0x2
#define MFD_FLAGS 0x1f
#define MEMFD_NAME_MAX 256

/* The second argument of the system call; false when it is another one. */
static __always_inline bool memfd_flags__read(bool typed, struct task_struct *task, struct pt_regs *regs,
                                              u32 *ret_flags)
{
    u64 nr = KREAD(typed, regs, orig_ax);

    if (KREAD(typed, task, thread_info.status) & TS_COMPAT) {
        *ret_flags = KREAD(typed, regs, cx);
        return nr == NR_MEMFD_CREATE_32;
    }
    *ret_flags = KREAD(typed, regs, si);
    return (nr & ~NR_X32_BIT) == NR_MEMFD_CREATE_64;
}

static __always_inline bool memfd_flags__of_current(u32 *ret_flags)
{
    if (compat__has_task_pt_regs()) {
        struct task_struct *task = (void *)bpf_get_current_task_btf();

        return memfd_flags__read(true, task, (void *)bpf_task_pt_regs((void *)task), ret_flags);
    }
    struct task_struct *task = (void *)bpf_get_current_task();

    return memfd_flags__read(false, task, compat__syscall_regs(task), ret_flags);
}

static __always_inline void memfd__created(const char *name, u64 file)
{
    char prefix[8] = {};
    u32 flags = 0;

    if (file > (u64)-MAX_ERRNO)
        return;
    bpf_probe_read_kernel(prefix, MEMFD_PREFIX_LEN, name);
    if (*(u64 *)prefix != MEMFD_PREFIX || !memfd_flags__of_current(&flags))
        return;
    struct scratch *s = EMIT_BEGIN(PROCESS_MEMFD_CREATE, process_memfd_create);

    if (!s)
        return;
    struct ebpf_process_memfd_create_event *e = (void *)s->data;

    e->flags = flags;
    e->reserved = 0;
    e->hdr.flags = flags & MFD_FLAGS; /* the schema numbers its bits as the kernel does */
    current__fill(s, &e->pids);
    varlen__kernel_str(s, EBPF_TAG_NAME, name + MEMFD_PREFIX_LEN, MEMFD_NAME_MAX);
    EMIT_SUBMIT(s, PROCESS_MEMFD_CREATE);
}

SEC("ebpf.fexit/shmem_file_setup")
int BPF_PROG(fexit__shmem_file_setup, const char *name, u64 size, u64 flags, u64 file)
{
    memfd__created(name, file);
    return 0;
}

SEC("ebpf.fexit/hugetlb_file_setup")
int BPF_PROG(fexit__hugetlb_file_setup, const char *name)
{
    memfd__created(name, compat__func_ret(ctx, 6));
    return 0;
}
