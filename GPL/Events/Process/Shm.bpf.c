// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_SHMGET: a process made or found a System V shared memory segment.
 *
 * Hook: the end of ipcget, which shmget and ipc, 64-bit and 32-bit, come to; its value is the segment, or an error.
 * ksys_shmget, the obvious hook, is listed by BTF on every kernel, but compilers inline it into the 64-bit system call.
 * Semaphores and message queues come here as well; the table of ids that they look in tells them apart.
 *
 * Tried: segments that are made, found, private and refused, by both 32-bit calls, in another IPC namespace; semaphores
 * and queues of the same key. Misses: shared memory of other kinds, which are files.
 */
#include "../Core/Budget.h"
#include "../Core/Spare.h"
#include "../Core/Task.h"

#define IPC_SHM_IDS 2

SPARES("ebpf.fexit/ipcget", fexit__ipcget, shmget_body, SPARE_SHMGET)

SEC("ebpf.fexit/ipcget")
int BPF_PROG(fexit__ipcget, struct ipc_namespace *ns, struct ipc_ids *ids, void *ops, struct ipc_params *params,
             int ret)
{
    SPARE_BEGIN(ctx, shmget_body, SPARE_SHMGET);
    void *shm_ids = (void *)ns + bpf_core_field_offset(struct ipc_namespace, ids) +
                    IPC_SHM_IDS * bpf_core_type_size(struct ipc_ids);

    if (ret < 0 || ids != shm_ids)
        return 0;
    struct scratch *s = EMIT_BEGIN_BY(PROCESS_SHMGET, process_shmget, current__fate());

    if (!s)
        return 0;
    struct ebpf_process_shmget_event *e = (void *)s->data;

    e->key = params->key;
    e->size = params->u.size;
    e->shmflg = params->flg;
    current__fill_creds(s, &e->pids, &e->creds);
    EMIT_SUBMIT(s, PROCESS_SHMGET);
    return 0;
}
