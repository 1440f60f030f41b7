/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * KernelUring.h - the types of io_uring and its requests that the probes read; a part of Kernel.h, which includes it
 * among its types.
 */
#ifndef EBPF_CORE_KERNEL_URING_H
#define EBPF_CORE_KERNEL_URING_H

struct io_async_rw {
    u64 bytes_done;
};

struct io_cmd_data {
    struct file *file;
};

struct io_kiocb {
    struct file *file;
    struct io_cmd_data cmd; /* since 6.0 */
    void *async_data;
    unsigned int flags; /* 64 bits since 6.9 */
    u8 opcode;
    struct {
        int fd; /* until the file is looked up */
    } cqe;
};

struct filename {
    const char *name;
};

/* Since 7.0. */
struct delayed_filename {
    struct filename *__incomplete_filename;
};

/* What requests of io_uring have been given. Each is at the address of its request. */
struct io_open {
    int dfd;
    u32 file_slot; /* 0: a descriptor, not a slot of the ring's own table */
    struct filename *filename;
    struct {
        u64 flags;
    } how;
};

struct io_open___delayed {
    struct delayed_filename filename;
};

struct io_unlink {
    int dfd, flags;
    struct filename *filename;
};

struct io_unlink___delayed {
    struct delayed_filename filename;
};

struct io_mkdir {
    int dfd;
    struct filename *filename;
};

struct io_mkdir___delayed {
    struct delayed_filename filename;
};

struct io_rename {
    int old_dfd, new_dfd, flags;
    struct filename *oldpath, *newpath;
};

struct io_rename___delayed {
    struct delayed_filename oldpath, newpath;
};

/* A hard or a symbolic link, since 6.0 */
struct io_link {
    int old_dfd, new_dfd;
    struct filename *oldpath, *newpath;
};

struct io_link___delayed {
    struct delayed_filename oldpath, newpath;
};

/* Until 6.0 */
struct io_hardlink {
    int old_dfd, new_dfd;
    struct filename *oldpath, *newpath;
};

struct io_symlink {
    int new_dfd;
    struct filename *oldpath, *newpath;
};

/* The operands of send and receive, in the request. */
struct user_msghdr;

struct io_sr_msg {
    struct user_msghdr *umsg;
    int msg_flags;
    void *addr;
};

/* A completion of io_uring. */
struct io_uring_cqe {
    s32 res;
};

struct trace_event_raw_io_uring_submit_sqe {
    void *req;
    u32 __data_loc_op_str;
};

#endif
