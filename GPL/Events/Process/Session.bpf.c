// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_SETSID: a process started a session.
 *
 * Hook: the end of ksys_setsid, which 64-bit and 32-bit callers share; its value is the new session, or an error.
 *
 * Tried: by a thread, a 32-bit call, the first process of a pid namespace; refusals. Misses: a session that the kernel
 * gives its first process.
 */
#include "../Core/Spare.h"
#include "../Core/Task.h"

SPARES("ebpf.fexit/ksys_setsid", fexit__ksys_setsid, setsid_body, SPARE_SETSID)

SEC("ebpf.fexit/ksys_setsid")
int BPF_PROG(fexit__ksys_setsid)
{
    SPARE_BEGIN(ctx, setsid_body, SPARE_SETSID);
    int sid = ctx[0];

    if (sid <= 0)
        return 0;
    struct scratch *s = EMIT_BEGIN(PROCESS_SETSID, process_setsid);

    if (!s)
        return 0;
    struct ebpf_process_setsid_event *e = (void *)s->data;

    current__fill(s, &e->pids);
    EMIT_SUBMIT(s, PROCESS_SETSID);
    return 0;
}
