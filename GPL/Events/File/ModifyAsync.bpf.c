// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * FILE_MODIFY, change_type CONTENT, for writes by aio and io_uring; see Modify.bpf.c.
 *
 * Hooks: where both complete a write. A write that continues asynchronously (O_DIRECT) is reported when it has begun,
 * without `bytes`: at the end of aio_write, and at kiocb_done.
 *
 * Tried: aio, and io_uring in its three ways, also by 32-bit callers; writes that stop half-way. Misses: nothing known.
 */
#include "../Core/Udp.h"
#include "Content.h"

/* A write that is done at once completes within aio_write; one that continues is still noted at its end. */
SEC("ebpf.fentry/aio_write")
int BPF_PROG(fentry__aio_write, struct kiocb *kiocb)
{
    content_op__begin(ctx__address(ctx), (u64)BPF_CORE_READ(kiocb, ki_filp));
    return 0;
}

SEC("ebpf.fentry/aio_complete_rw")
int BPF_PROG(fentry__aio_complete_rw, struct kiocb *kiocb, s64 res)
{
    u64 file = content_op__end(ctx__address(ctx));

    return file && res > 0 ? content__emit_at(MAY_BE_PREEMPTED, file, res) : 0;
}

SEC("ebpf.fexit/aio_write")
int BPF_PROG(fexit__aio_write, struct kiocb *kiocb, void *iocb, bool vectored, bool compat, int ret)
{
    u64 file = content_op__end(ctx__address(ctx));

    return file && !ret ? content__emit_at(MAY_BE_PREEMPTED, file, BYTES_UNKNOWN) : 0;
}

SEC("ebpf.kprobe/aio_complete_rw")
int kprobe__aio_complete_rw(struct pt_regs *regs)
{
    u64 file = content_op__end(KPROBE_ARG_1(regs));
    s64 res = KPROBE_ARG_2(regs);

    return file && res > 0 ? content__emit_at(NOT_PREEMPTED, file, res) : 0;
}

SEC("ebpf.session/aio_write")
int session__aio_write(struct pt_regs *regs)
{
    u64 kiocb = KPROBE_ARG_1(regs), file;

    if (!kernel__session_is_return(regs)) {
        content_op__begin(kiocb, (u64)BPF_CORE_READ((struct kiocb *)kiocb, ki_filp));
        return session__begin(regs, kiocb);
    }
    file = content_op__end(*kernel__session_cookie(regs));
    return file && !(int)SESSION_RET(regs) ? content__emit_at(NOT_PREEMPTED, file, BYTES_UNKNOWN) : 0;
}

static __always_inline bool io_uring__is_write(u8 opcode)
{
    if (compat__is_writev_fixed(opcode))
        return true;
    return opcode == IORING_OP_WRITEV || opcode == IORING_OP_WRITE_FIXED || opcode == IORING_OP_WRITE;
}

/*
 * Return the bytes that a write has written before it stopped half-way: the request stores that number, and its final
 * result does not include it.
 */
static __always_inline s64 io_uring__bytes_before(struct io_kiocb *req)
{
    struct io_async_rw *io = BPF_CORE_READ(req, async_data);

    return io ? BPF_CORE_READ(io, bytes_done) : 0;
}

static __always_inline int io_uring__emit(enum preemption preemption, struct io_kiocb *req, s64 bytes)
{
    return content__emit_at(preemption, (u64)BPF_CORE_READ(req, file), bytes);
}

static __always_inline int io_uring__done(enum preemption preemption, struct io_kiocb *req, s64 ret)
{
    if (!io_uring__is_write(BPF_CORE_READ(req, opcode)))
        return 0;
    if (ret == -EAGAIN) /* it will be tried again */
        return 0;
    if (ret == -EIOCBQUEUED)
        return io_uring__emit(preemption, req, BYTES_UNKNOWN);
    s64 bytes = io_uring__bytes_before(req) + (ret > 0 ? ret : 0);

    return bytes > 0 ? io_uring__emit(preemption, req, bytes) : 0;
}

/* The request begins with its kiocb, so 5.10, which passes the kiocb, passes an equal address. */
SEC("ebpf.fentry/kiocb_done")
int BPF_PROG(fentry__kiocb_done, void *request, s64 ret)
{
    return io_uring__done(MAY_BE_PREEMPTED, (void *)ctx__address(ctx), ret);
}

SEC("ebpf.kprobe/kiocb_done")
int kprobe__kiocb_done(struct pt_regs *regs)
{
    return io_uring__done(NOT_PREEMPTED, (void *)KPROBE_ARG_1(regs), KPROBE_ARG_2(regs));
}

/* A write that has stopped half-way and is not continued ends with what it has written. */
static __always_inline int io_uring__fail(enum preemption preemption, struct io_kiocb *req)
{
    s64 bytes = io_uring__is_write(BPF_CORE_READ(req, opcode)) ? io_uring__bytes_before(req) : 0;

    return bytes > 0 ? io_uring__emit(preemption, req, bytes) : 0;
}

SEC("ebpf.fentry/io_rw_fail")
int BPF_PROG(fentry__io_rw_fail)
{
    return io_uring__fail(MAY_BE_PREEMPTED, (void *)ctx__address(ctx));
}

SEC("ebpf.kprobe/io_rw_fail")
int kprobe__io_rw_fail(struct pt_regs *regs)
{
    return io_uring__fail(NOT_PREEMPTED, (void *)KPROBE_ARG_1(regs));
}

/* --------------------------------------- where these functions are inlined */

/* A write is permitted before it is begun, so whether it succeeds is not known. */
SEC("ebpf.fentry/security_file_permission")
int BPF_PROG(fentry__security_file_permission_aio, struct file *file, int mask)
{
    struct syscall_begin call;

    if (!(mask & MAY_WRITE) || !file__is_regular(file))
        return 0;
    syscall__read(&call);
    if (call.is_32 ? call.nr != NR_32_io_submit : call.nr != NR_io_submit && call.nr != NR_io_submit_x32)
        return 0;
    return content__emit(MAY_BE_PREEMPTED, file, BYTES_UNKNOWN);
}

URING_END(write, end)
{
    struct io_kiocb *req = end->req;

    return end->res > 0 && io_uring__is_write(end->opcode) ? content__changed((u64)BPF_CORE_READ(req, file), end->res)
                                                           : 0;
}

/* ----------------------------------------------------- ends of system calls */

#define AIO_REQUESTS_MAX 256 /* of one call; the kernel allows more */
#define AIO_PWRITE 1
#define AIO_PWRITEV 8

/* struct iocb of the kernel's interface. */
struct aio_request {
    u64 data;
    u32 key, flags;
    u16 opcode;
    u16 priority;
    u32 fd;
};

/*
 * Return the file of the n-th of the requests that a call has submitted, if it is a write; else 0. A request for a
 * UDP socket counts as lost. Global: it is verified once.
 */
__attribute__((noinline)) u64 aio__written(u64 list, u32 n, u32 pointer_size)
{
    struct aio_request request = {};
    u64 address = 0;

    if (pointer_size == sizeof(u32))
        bpf_probe_read_user(&address, sizeof(u32), (void *)(list + n * sizeof(u32)));
    else
        bpf_probe_read_user(&address, sizeof(address), (void *)(list + n * sizeof(address)));
    bpf_probe_read_user(&request, sizeof(request), (void *)address);
    struct file *file = fd__file(request.fd);

    if (file && file__udp_sock(file))
        count__unreadable(EBPF_EVENT_NETWORK_DATAGRAM_FLOW);
    bool writes = request.opcode == AIO_PWRITE || request.opcode == AIO_PWRITEV;

    if (!file && writes)
        count__unreadable(EBPF_EVENT_FILE_MODIFY);
    return writes ? (u64)file : 0;
}

SYSCALL_END(aio, call)
{
    bool is_32 = call->is_32 || call->form.what == POINTERS_OF_32_BITS;
    u64 list = syscall__arg(call, 3);
    u32 pointer_size = scalar__hide(is_32 ? sizeof(u32) : sizeof(u64)); /* or the loop would be verified for each */

    for (u32 n = 0; n < AIO_REQUESTS_MAX; n++) {
        if ((s32)n >= (s32)call->ret)
            return 0;
        u64 file = aio__written(list, n, pointer_size);

        if (file && event__is_called(EBPF_EVENT_FILE_MODIFY))
            content__changed(file, BYTES_UNKNOWN);
    }
    if (call->ret > AIO_REQUESTS_MAX && !current__is_filtered())
        count__seen_and_lost(EBPF_EVENT_FILE_MODIFY, EBPF_REASON_STATE);
    return 0;
}
