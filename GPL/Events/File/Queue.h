/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Queue.h - message queues, which calls of their own create and delete. */
#ifndef EBPF_FILE_QUEUE_H
#define EBPF_FILE_QUEUE_H

#include "File.h"

static __always_inline bool syscall__has_number(u32 number, u32 number_32)
{
    struct syscall_begin call = {};

    syscall__read(&call);
    return call.nr == (call.is_32 ? number_32 : number);
}

/* Return whether a dentry is a message queue, or where one is created. */
static __always_inline bool dentry__is_queue(struct dentry *dentry)
{
    return dentry->d_sb->s_magic == MQUEUE_MAGIC;
}

static __always_inline bool queue__is_opened(struct dentry *dentry)
{
    return dentry__is_queue(dentry) && syscall__has_number(NR_mq_open, NR_32_mq_open);
}

static __always_inline bool queue__is_unlinked(struct dentry *dentry)
{
    return dentry__is_queue(dentry) && syscall__has_number(NR_mq_unlink, NR_32_mq_unlink);
}

/*
 * Emit the creation, by mq_open, of the dentry at an address, to which the kernel is about to give the inode at another
 * one. Only where a program that is not preempted finds it.
 */
extern int queue__created(u64 dentry, u64 inode);

/* Emit the deletion, by mq_unlink, of the dentry at an address. `preemption` is an enum preemption. */
extern int queue__deleted(u64 dentry, u32 preemption);

#endif
