// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_SHMGET: a process made or found a System V shared memory segment.
 *
 * Hook: the end of ksys_shmget, which shmget and ipc, 64-bit and 32-bit, share; its value is the segment, or an error.
 *
 * Misses: nothing known.
 */
#include "../Core/Task.h"

SEC("fexit/ksys_shmget")
int BPF_PROG(fexit__ksys_shmget, key_t key, unsigned long size, int shmflg, long ret)
{
    if (ret < 0)
        return 0;
    struct scratch *s = EMIT_BEGIN(PROCESS_SHMGET, process_shmget);

    if (!s)
        return 0;
    struct ebpf_process_shmget_event *e = (void *)s->data;

    e->key = key;
    e->size = size;
    e->shmflg = shmflg;
    current__fill(s, &e->pids);
    EMIT_SUBMIT(s, PROCESS_SHMGET);
    return 0;
}
