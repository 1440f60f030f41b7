// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Syscall.bpf.c - what runs at the end of each system call, where nothing better can be had; see Syscall.h. */
#include "Probe.h"

struct syscall_ends_map syscall_ends SEC(".maps");

SEC("ebpf.tp_btf/sys_exit")
int BPF_PROG(tp_btf__sys_exit, struct pt_regs *regs, long ret)
{
    u64 nr = regs->orig_ax & ~NR_X32_BIT;

    if (!emit_runtime.live || nr >= SYSCALL_NUMBERS)
        return 0;
    bpf_tail_call(ctx, &syscall_ends, syscall__is_32() ? nr + SYSCALL_NUMBERS : nr);
    return 0;
}
