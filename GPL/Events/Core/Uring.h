/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Uring.h - the completion of requests of io_uring, for kernels that offer tracepoints only. */
#ifndef EBPF_CORE_URING_H
#define EBPF_CORE_URING_H

#include "Compat.h"

#define IORING_OP_READV 1
#define IORING_OP_WRITEV 2
#define IORING_OP_READ_FIXED 4
#define IORING_OP_WRITE_FIXED 5
#define IORING_OP_SENDMSG 9
#define IORING_OP_RECVMSG 10
#define IORING_OP_ACCEPT 13
#define IORING_OP_FALLOCATE 17
#define IORING_OP_OPENAT 18
#define IORING_OP_READ 22
#define IORING_OP_WRITE 23
#define IORING_OP_SEND 26
#define IORING_OP_RECV 27
#define IORING_OP_OPENAT2 28
#define IORING_OP_SPLICE 30
#define IORING_OP_RENAMEAT 35
#define IORING_OP_UNLINKAT 36
#define IORING_OP_MKDIRAT 37
#define IORING_OP_SYMLINKAT 38
#define IORING_OP_LINKAT 39
#define IORING_OP_FSETXATTR 41
#define IORING_OP_SETXATTR 42
#define IORING_OP_SEND_ZC 47
#define IORING_OP_SENDMSG_ZC 48
#define IORING_OP_FTRUNCATE 55
#define IORING_OP_BIND 56
#define IORING_OP_LISTEN 57

/* Flags of a request. */
#define IOSQE_FIXED_FILE (1u << 0)       /* its file is in the ring's own table */
#define IOSQE_CQE_SKIP_SUCCESS (1u << 6) /* a success is not reported; since 5.17 */

/* A request that is completed, in the process that made it. */
struct uring_end {
    struct io_kiocb *req;
    u32 opcode;
    s32 res;
};

/*
 * Define the program at the completion of requests; its body follows. Where the tracepoint has no request, before 5.18,
 * the library refuses the program. A request that completes more than once (multishot) has it at the last time only.
 */
#define URING_END(name, end)                                                                                           \
    static __always_inline int name##__completed(const struct uring_end *end);                                         \
                                                                                                                       \
    SEC("ebpf.tp_btf/io_uring_complete")                                                                               \
    int BPF_PROG(tp_btf__io_uring_complete_##name, void *ring, struct io_kiocb *req)                                   \
    {                                                                                                                  \
        if (!req)                                                                                                      \
            return 0;                                                                                                  \
        const struct uring_end end = {                                                                                 \
            .req = req, .opcode = BPF_CORE_READ(req, opcode), .res = compat__completion_result(ctx)};                  \
                                                                                                                       \
        return name##__completed(&end);                                                                                \
    }                                                                                                                  \
                                                                                                                       \
    static __always_inline int name##__completed(const struct uring_end *end)

#endif
