// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_SETSID: a process started a session.
 *
 * Hook: the end of ksys_setsid, which 64-bit and 32-bit callers share; its value is the new session, or an error. On
 * kernels that preempt BPF programs, a kprobe on proc_sid_connector reports the session; where ksys_setsid is inlined,
 * so does an fentry program. With tracepoints only, it is the end of the system call.
 *
 * Tried: by a thread, a 32-bit call, the first process of a pid namespace; refused calls. Misses: the session that the
 * kernel gives its first process.
 */
#include "../Core/Probe.h"

static __always_inline int session__emit(enum preemption preemption)
{
    EMIT(PROCESS_SETSID, e, s, preemption, CURRENT_FATE(process_setsid))
        CURRENT_FILL_ALL(s, e);
    return 0;
}

SPARES("ebpf.fexit/ksys_setsid", fexit__ksys_setsid, setsid_body, SPARE_SETSID)

SEC("ebpf.fexit/ksys_setsid")
int BPF_PROG(fexit__ksys_setsid)
{
    SPARE_BEGIN(ctx, setsid_body, SPARE_SETSID);
    int sid = ctx[0];

    return sid > 0 ? session__emit(MAY_BE_PREEMPTED) : 0;
}

/* Only ksys_setsid calls proc_sid_connector, and only if it has succeeded. */
SEC("ebpf.kprobe/proc_sid_connector")
int kprobe__proc_sid_connector(void *regs)
{
    return session__emit(NOT_PREEMPTED);
}

SEC("ebpf.fentry/proc_sid_connector")
int BPF_PROG(fentry__proc_sid_connector)
{
    return session__emit(MAY_BE_PREEMPTED);
}

SYSCALL_END(setsid, call)
{
    return call->ret > 0 ? session__emit(MAY_BE_PREEMPTED) : 0;
}
