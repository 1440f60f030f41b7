/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Queue.h - message queues, which calls of their own create and delete. */
#ifndef EBPF_FILE_QUEUE_H
#define EBPF_FILE_QUEUE_H

#include "File.h"

/* Emit the deletion of the dentry at an address, a message queue, if mq_unlink deletes it. */
extern int queue__deleted(u64 dentry);

#endif
