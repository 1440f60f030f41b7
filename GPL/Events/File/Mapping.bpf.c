// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * FILE_MODIFY, change_type CONTENT, for files that are mapped to be written; see Modify.bpf.c.
 *
 * Hooks: the ends of vm_mmap_pgoff and mprotect_fixup. An event is made when a shared mapping is created writable, or
 * made writable, because stores are no calls. Where the kernel preempts BPF programs, sessions are not used: they take
 * 310 instructions more for each mapping, and each program start makes several. perf_event_mmap, which both functions
 * call when they have succeeded, runs 13 times at the start of a program that does nothing, 429 instructions each.
 *
 * Tried: mappings that are sealed or end in a hole, of files on tmpfs, ext4 and overlayfs. Misses: nothing known.
 */
#include "Content.h"

SEC("ebpf.fexit/vm_mmap_pgoff")
int BPF_PROG(fexit__vm_mmap_pgoff, struct file *file, unsigned long addr, unsigned long len, unsigned long prot,
             unsigned long flag, unsigned long pgoff, unsigned long ret)
{
    if (!file || !mapping__is_to_write(prot, flag) || ret__is_error(ret) || !(file->f_mode & FMODE_WRITE))
        return 0;
    return content__emit(MAY_BE_PREEMPTED, file, BYTES_OF_MAPPING);
}

/*
 * A shared mapping of a file is about to be made writable. Only this hook knows that it was not: it notes the file, and
 * the end of mprotect_fixup, which comes next, shows whether it was done. A sealed mapping is refused in between.
 */
static __always_inline int mprotect__begin(bool typed, struct vm_area_struct *vma, unsigned long prot)
{
    unsigned long flags = KREAD(typed, vma, vm_flags);
    struct file *file = KREAD(typed, vma, vm_file);

    if (!(prot & PROT_WRITE) || !(flags & VM_SHARED) || !file)
        return 0;
    struct task_state *state = task_state__get();

    if (state && flags & VM_WRITE)
        state->mprotect_file = 0;
    else if (state)
        STORE_POINTER(state->mprotect_file, file);
    else if (!current__is_filtered())
        count__seen_and_lost(EBPF_EVENT_FILE_MODIFY, EBPF_REASON_STATE);
    return 0;
}

SEC("ebpf.lsm/file_mprotect")
int BPF_PROG(lsm__file_mprotect, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot)
{
    return mprotect__begin(true, vma, prot);
}

/*
 * Used where bpf is no active LSM. It is not at security_file_mprotect, but at the start of the function that comes
 * next: each further function with a trampoline adds to the start, and 6.1 waits 0.15 s when its table of them grows,
 * with the 66th.
 */
SEC("ebpf.fentry/mprotect_fixup")
int BPF_PROG(fentry__mprotect_fixup)
{
    u64 flags = compat__last_arg(ctx, 5);

    if ((flags & (VM_SHARED | VM_WRITE)) != (VM_SHARED | VM_WRITE))
        return 0;
    return mprotect__begin(false, (void *)compat__arg_before_last(ctx, 5, 4), PROT_WRITE);
}

/* A refused call leaves a note that nothing takes. */
SEC("ebpf.kprobe/security_file_mprotect")
int kprobe__security_file_mprotect(struct pt_regs *regs)
{
    return mprotect__begin(false, (void *)KPROBE_ARG_1(regs), KPROBE_ARG_3(regs));
}

/* The mapping of a file on an overlay is of the file in the layer below. */
static __always_inline int mapping__emit_at(u64 file)
{
    struct path *path = compat__user_path((void *)file);
    struct inode *inode = BPF_CORE_READ(path, dentry, d_inode);

    if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG)
        return 0;
    EMIT_CHANGE(EBPF_CHANGE_CONTENT, e, s, MAY_BE_PREEMPTED) {
        e->hdr.flags = EBPF_MODIFY_F_MAPPING;
        file_event__fill(s, (u64)BPF_CORE_READ(path, mnt), (u64)BPF_CORE_READ(path, dentry), (u64)inode);
    }
    return 0;
}

SEC("ebpf.fexit/mprotect_fixup")
int BPF_PROG(fexit__mprotect_fixup)
{
    u64 flags = compat__last_arg(ctx, 5);

    if ((flags & (VM_SHARED | VM_WRITE)) != (VM_SHARED | VM_WRITE))
        return 0;
    struct task_state *state = task_state__find();
    u64 file = state ? state->mprotect_file : 0;

    if (!file)
        return 0;
    state->mprotect_file = 0;
    return (int)COMPAT_RET(ctx, mprotect_fixup) ? 0 : mapping__emit_at(file);
}

/* ----------------------------------------------------- ends of system calls */

#define MAPPINGS_MAX 32 /* of one call; there may be more */

/* A mapping, as found at an address. */
struct mapping {
    u64 end, flags, file;
};

static long mapping__note(struct task_struct *task, struct vm_area_struct *vma, void *into)
{
    struct mapping *mapping = into;

    mapping->end = vma->vm_end;
    mapping->flags = vma->vm_flags;
    bpf_probe_read_kernel(&mapping->file, sizeof(mapping->file), &vma->vm_file); /* as a number */
    return 0;
}

/* Global: it is verified once. */
__attribute__((noinline)) int mapping__made_writable(u64 file)
{
    return mapping__emit_at(file);
}

/*
 * Report each mapping that the call has made writable; which of them were so before is not known. A mapping is found by
 * its address, unless another thread is changing those of the process. Kernels before 5.17 (7c7e3d31e785) refuse this
 * program, for want of the helper.
 */
SYSCALL_END(mprotect, call)
{
    u64 start = syscall__arg(call, 1), end = start + syscall__arg(call, 2);

    if (call->ret || !(syscall__arg(call, 3) & PROT_WRITE))
        return 0;
    for (u32 n = 0; n < MAPPINGS_MAX; n++) {
        struct mapping mapping = {};

        if (start >= end)
            return 0;
        if (bpf_find_vma(bpf_get_current_task_btf(), start, mapping__note, &mapping, 0))
            break;
        if ((mapping.flags & (VM_SHARED | VM_WRITE)) == (VM_SHARED | VM_WRITE) && mapping.file)
            mapping__made_writable(mapping.file);
        start = mapping.end;
    }
    if (!current__is_filtered())
        count__seen_and_lost(EBPF_EVENT_FILE_MODIFY, EBPF_REASON_STATE);
    return 0;
}
