// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_SHMGET: a process created or looked up a System V shared memory segment.
 *
 * Hook: the end of ipcget, which shmget and ipc, 64-bit and 32-bit, call; its value is the segment, or an error.
 * ksys_shmget, the obvious hook, is listed by BTF on every kernel, but compilers inline it into the 64-bit system call.
 * Semaphores and message queues pass ipcget as well; the table of ids in which they are looked up distinguishes them.
 *
 * Tried: segments that are created, found, private and refused, by both 32-bit calls, in another IPC namespace;
 * semaphores and queues with the key of a segment. Misses: other kinds of shared memory, which are files.
 */
#include "../Core/Probe.h"

#define IPC_SHM_IDS 2

/* Return whether `ids` is the namespace's table of shared memory ids. */
static __always_inline bool ipc__is_shm(u64 ns, u64 ids)
{
    return ids ==
           ns + bpf_core_field_offset(struct ipc_namespace, ids) + IPC_SHM_IDS * bpf_core_type_size(struct ipc_ids);
}

static __always_inline int shm__got(enum preemption preemption, bool typed, struct ipc_params *params)
{
    EMIT(PROCESS_SHMGET, e, s, preemption, CURRENT_FATE(process_shmget)) {
        e->key = KREAD(typed, params, key);
        e->size = KREAD(typed, params, u.size);
        e->shmflg = KREAD(typed, params, flg);
        current__fill_creds(s, &e->pids, &e->creds);
    }
    return 0;
}

SPARES("ebpf.fexit/ipcget", fexit__ipcget, shmget_body, SPARE_SHMGET)

SEC("ebpf.fexit/ipcget")
int BPF_PROG(fexit__ipcget, struct ipc_namespace *ns, struct ipc_ids *ids, void *ops, struct ipc_params *params,
             int ret)
{
    SPARE_BEGIN(ctx, shmget_body, SPARE_SHMGET);
    return ret >= 0 && ipc__is_shm(ctx__address(ctx), ctx__address(ctx + 1)) ? shm__got(MAY_BE_PREEMPTED, true, params)
                                                                             : 0;
}

SEC("ebpf.session/ipcget")
int session__ipcget(struct pt_regs *regs)
{
    if (!kernel__session_is_return(regs))
        return session__begin(regs, ipc__is_shm(KPROBE_ARG_1(regs), KPROBE_ARG_2(regs)) ? KPROBE_ARG_4(regs) : 0);
    return (int)SESSION_RET(regs) < 0 ? 0 : shm__got(NOT_PREEMPTED, false, (void *)*kernel__session_cookie(regs));
}

#define IPCOP_SHMGET 23 /* of the call that 32-bit callers may use for all of System V IPC */

static __always_inline int shm__called(u32 key, u64 size, u32 shmflg)
{
    EMIT(PROCESS_SHMGET, e, s, MAY_BE_PREEMPTED, CURRENT_FATE(process_shmget)) {
        e->key = key;
        e->size = size;
        e->shmflg = shmflg;
        current__fill_creds(s, &e->pids, &e->creds);
    }
    return 0;
}

SYSCALL_END(shmget, call)
{
    u32 first = call->form.what == ARGUMENTS_OF_IPC ? 2 : 1;

    if (call->ret < 0 || (first == 2 && (u16)syscall__arg(call, 1) != IPCOP_SHMGET))
        return 0;
    return shm__called(syscall__arg(call, first), syscall__arg(call, first + 1), syscall__arg(call, first + 2));
}
