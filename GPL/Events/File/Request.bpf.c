// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * FILE_CREATE, FILE_DELETE, FILE_RENAME and FILE_LINK, for requests of io_uring that name a path, where only
 * tracepoints can be had. FILE_MODIFY and FILE_CREATE, for requests of which no completion is seen.
 *
 * Hook: io_uring_submit_req (on 6.1 and before io_uring_submit_sqe), which every request passes once, in the process
 * that makes it or in its polling thread, when the kernel has copied the names and before it does anything. So the
 * names are those that will be used, but whether the request succeeds is not known: paths are flagged
 * (EBPF_VARLEN_REQUESTED).
 *
 * Nothing later shows the names. do_unlinkat and the like, which run in a worker, free them before the request is
 * completed, and the end of a request passes no tracepoint if the process wants no report of a success
 * (IOSQE_CQE_SKIP_SUCCESS), or leaves no room for one. To store names until the completion takes a table for all
 * requests that are in progress, which any process can fill.
 *
 * Files that an open creates are reported when it is completed, from the file itself (Open.bpf.c), and so are writes
 * (Modify.bpf.c). If no completion shows the file, because none is reported, because an open puts the file into the
 * ring's own table, or, for opens, before 5.18, these requests are reported here, opens with O_CREAT whether or not the
 * file exists. A success that finds the ring full (io_uring_cqe_overflow) does not show what it is of, so it counts as
 * a loss of each of these events, and of a datagram. A datagram that is sent or received without a report is one too.
 *
 * Tried: each operation by the process, a worker and the polling thread, failures, requests without a report, a full
 * ring.
 */
#include "../Core/Udp.h"
#include "Content.h"

#define REQUESTED(type, fd, member)                                                                                    \
    {                                                                                                                  \
        .dir = BPF_CORE_READ((struct type *)req, fd), .text = COMPAT_REQUEST_TEXT(req, type, member),                  \
        .is_requested = true                                                                                           \
    }

/* Likewise, until 6.0. */
#define REQUESTED_BEFORE(type, fd, member)                                                                             \
    {                                                                                                                  \
        .dir = BPF_CORE_READ((struct type *)req, fd),                                                                  \
        .text = request__text(req, bpf_core_field_offset(struct type, member)), .is_requested = true                   \
    }

/* What a request is given: one path and the type of the file, or two paths. */
struct request {
    struct caller_path path, new_path;
    u64 target; /* of a symbolic link */
    enum ebpf_file_type type;
    u32 flags; /* of a rename */
};

static __always_inline int request__create(const struct request *request)
{
    if (!event__is_called(EBPF_EVENT_FILE_CREATE))
        return 0;
    EMIT_FILE(FILE_CREATE, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered())) {
        file_event__fill_called(s, &request->path, request->type);
        if (request->target)
            varlen__kernel_str(s, EBPF_TAG_SYMLINK_TARGET, (void *)request->target, EBPF_PATH_MAX);
    }
    return 0;
}

static __always_inline int request__delete(const struct request *request)
{
    if (!event__is_called(EBPF_EVENT_FILE_DELETE))
        return 0;
    EMIT_FILE(FILE_DELETE, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered()))
        file_event__fill_called(s, &request->path, request->type);
    return 0;
}

static __always_inline int request__rename(const struct request *request)
{
    if (!event__is_called(EBPF_EVENT_FILE_RENAME))
        return 0;
    EMIT_FILE(FILE_RENAME, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered()))
        file_event__fill_renamed(s, e, request->flags, &request->path, &request->new_path);
    return 0;
}

static __always_inline int request__link(const struct request *request)
{
    if (!event__is_called(EBPF_EVENT_FILE_LINK))
        return 0;
    EMIT_FILE(FILE_LINK, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered()))
        file_event__fill_both_called(s, &request->path, &request->new_path);
    return 0;
}

/* Return whether no completion will show the descriptor of an open. */
static __always_inline bool open__is_unseen(u64 req)
{
    struct io_open *open = (void *)req;
    struct io_kiocb *kiocb = (void *)req;

    return !compat__completion_has_request() || BPF_CORE_READ(open, file_slot) ||
           BPF_CORE_READ(kiocb, flags) & IOSQE_CQE_SKIP_SUCCESS;
}

/* Report the file that such an open may create; one that it may truncate counts as a lost change. */
static __always_inline int open__submitted(u64 req)
{
    const struct request request = {.path = REQUESTED(io_open, dfd, filename), .type = EBPF_FILE_TYPE_FILE};
    u64 flags = BPF_CORE_READ((struct io_open *)req, how.flags);

    if (!open__is_unseen(req))
        return 0;
    if (flags & O_TRUNC)
        count__unreadable(EBPF_EVENT_FILE_MODIFY);
    return flags & O_CREAT ? request__create(&request) : 0;
}

static __always_inline int mkdirat__submitted(u64 req)
{
    const struct request request = {.path = REQUESTED(io_mkdir, dfd, filename), .type = EBPF_FILE_TYPE_DIR};

    return request__create(&request);
}

static __always_inline int unlinkat__submitted(u64 req)
{
    bool is_rmdir = BPF_CORE_READ((struct io_unlink *)req, flags) & AT_REMOVEDIR;
    const struct request request = {.path = REQUESTED(io_unlink, dfd, filename),
                                    .type = is_rmdir ? EBPF_FILE_TYPE_DIR : FILE_TYPE_UNKNOWN};

    return request__delete(&request);
}

static __always_inline int renameat__submitted(u64 req)
{
    const struct request request = {.path = REQUESTED(io_rename, old_dfd, oldpath),
                                    .new_path = REQUESTED(io_rename, new_dfd, newpath),
                                    .flags = BPF_CORE_READ((struct io_rename *)req, flags)};

    return request__rename(&request);
}

static __always_inline int symlinkat__submitted(u64 req)
{
    struct request request = {.type = EBPF_FILE_TYPE_SYMLINK};

    if (compat__requested_links_are_alike()) {
        request.path = (struct caller_path)REQUESTED(io_link, new_dfd, newpath);
        request.target = COMPAT_REQUEST_TEXT(req, io_link, oldpath);
    } else {
        request.path = (struct caller_path)REQUESTED_BEFORE(io_symlink, new_dfd, newpath);
        request.target = request__text(req, bpf_core_field_offset(struct io_symlink, oldpath));
    }
    return request__create(&request);
}

static __always_inline int linkat__submitted(u64 req)
{
    struct request request = {};

    if (compat__requested_links_are_alike()) {
        request.path = (struct caller_path)REQUESTED(io_link, old_dfd, oldpath);
        request.new_path = (struct caller_path)REQUESTED(io_link, new_dfd, newpath);
    } else {
        request.path = (struct caller_path)REQUESTED_BEFORE(io_hardlink, old_dfd, oldpath);
        request.new_path = (struct caller_path)REQUESTED_BEFORE(io_hardlink, new_dfd, newpath);
    }
    return request__link(&request);
}

/* Return the file of a request; NULL if it is one of the ring's own table, which the kernel looks up later. */
static __always_inline struct file *request__file(struct io_kiocb *req)
{
    struct file *file = BPF_CORE_READ(req, file);

    return file || BPF_CORE_READ(req, flags) & IOSQE_FIXED_FILE ? file : fd__file(compat__requested_fd(req));
}

/*
 * Count a datagram as lost of which no completion is seen, since how much was sent or received is not known. Whether
 * a file of the ring's own table is a UDP socket is not known either.
 */
static __always_inline void datagram__submitted(struct io_kiocb *req)
{
    struct file *file = request__file(req);

    if (!file || file__udp_sock(file))
        count__unreadable(EBPF_EVENT_NETWORK_DATAGRAM_FLOW);
}

/* Report a write of which no completion is seen. One to a file that is not known counts as lost. */
static __always_inline int write__submitted(struct io_kiocb *req)
{
    struct file *file = request__file(req);

    if (!file)
        count__unreadable(EBPF_EVENT_FILE_MODIFY);
    return file && event__is_called(EBPF_EVENT_FILE_MODIFY) ? content__changed((u64)file, BYTES_UNKNOWN) : 0;
}

/* Handle a request that reports no success. */
static __always_inline int quiet__submitted(u64 req)
{
    struct io_kiocb *kiocb = (void *)req;

    u8 opcode = BPF_CORE_READ(kiocb, opcode);

    if (!(BPF_CORE_READ(kiocb, flags) & IOSQE_CQE_SKIP_SUCCESS))
        return 0;
    if (compat__is_writev_fixed(opcode))
        opcode = IORING_OP_WRITEV;
    switch (opcode) {
    case IORING_OP_WRITE:
    case IORING_OP_WRITE_FIXED:
    case IORING_OP_WRITEV:
    case IORING_OP_SPLICE:
        datagram__submitted(kiocb);
        return write__submitted(kiocb);
    case IORING_OP_FALLOCATE:
    case IORING_OP_FTRUNCATE:
        return write__submitted(kiocb);
    case IORING_OP_SENDMSG:
    case IORING_OP_SENDMSG_ZC:
    case IORING_OP_SEND:
    case IORING_OP_SEND_ZC:
    case IORING_OP_RECVMSG:
    case IORING_OP_RECV:
    case IORING_OP_READ:
    case IORING_OP_READV:
    case IORING_OP_READ_FIXED:
        datagram__submitted(kiocb);
    }
    return 0;
}

static __always_inline int request__submitted(u64 req)
{
    switch (BPF_CORE_READ((struct io_kiocb *)req, opcode)) {
    case IORING_OP_OPENAT:
    case IORING_OP_OPENAT2:
        return open__submitted(req);
    case IORING_OP_MKDIRAT:
        return mkdirat__submitted(req);
    case IORING_OP_SYMLINKAT:
        return symlinkat__submitted(req);
    case IORING_OP_LINKAT:
        return linkat__submitted(req);
    case IORING_OP_UNLINKAT:
        return unlinkat__submitted(req);
    case IORING_OP_RENAMEAT:
        return renameat__submitted(req);
    case IORING_OP_FSETXATTR:
    case IORING_OP_SETXATTR:
        count__unreadable(EBPF_EVENT_FILE_MODIFY);
        return 0;
    case IORING_OP_BIND: /* perhaps a socket with a path */
        count__unreadable(EBPF_EVENT_FILE_CREATE);
        return 0;
    }
    return quiet__submitted(req);
}

SEC("ebpf.tp_btf/io_uring_submit_req")
int BPF_PROG(tp_btf__io_uring_submit_req)
{
    return request__submitted(ctx__address(ctx));
}

SEC("ebpf.tp_btf/io_uring_submit_sqe")
int BPF_PROG(tp_btf__io_uring_submit_sqe)
{
    return request__submitted(compat__submitted_request(ctx));
}

SEC("ebpf.tp_btf/io_uring_cqe_overflow")
int BPF_PROG(tp_btf__io_uring_cqe_overflow, void *ring, u64 user_data, s32 res)
{
    if (res < 0 || !emit_runtime.live)
        return 0;
    count__unreadable(EBPF_EVENT_FILE_CREATE);
    count__unreadable(EBPF_EVENT_FILE_MODIFY);
    count__unreadable(EBPF_EVENT_NETWORK_DATAGRAM_FLOW);
    return 0;
}
