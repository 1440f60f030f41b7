/* SPDX-License-Identifier: BSD-2-Clause */
/* ring.h - io_uring for the case programs: one operation at a time, in each way in which the kernel can perform it. */
#ifndef RING_H
#define RING_H

#include "case.h"

#include <linux/io_uring.h>
#include <sys/mman.h>

struct ring {
    int fd;
    unsigned int setup_flags;
    unsigned int *sq_head, *sq_tail, *sq_mask, *sq_flags, *sq_array;
    unsigned int *cq_head, *cq_tail, *cq_mask;
    struct io_uring_sqe *sqes;
    struct io_uring_cqe *cqes;
};

UNUSED static bool ring__open(struct ring *r, unsigned int setup_flags)
{
    struct io_uring_params p = {.flags = setup_flags, .sq_thread_idle = 1000};

    r->fd = syscall(SYS_io_uring_setup, 8, &p);
    r->setup_flags = setup_flags;
    if (r->fd < 0)
        return false;
    size_t sq_size = p.sq_off.array + p.sq_entries * sizeof(unsigned int);
    size_t cq_size = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
    char *sq = mmap(NULL, sq_size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQ_RING);
    char *cq = mmap(NULL, cq_size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_CQ_RING);

    r->sqes = mmap(NULL, p.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
                   IORING_OFF_SQES);
    CHECK(sq != MAP_FAILED && cq != MAP_FAILED && r->sqes != MAP_FAILED);
    r->sq_head = (void *)(sq + p.sq_off.head);
    r->sq_tail = (void *)(sq + p.sq_off.tail);
    r->sq_mask = (void *)(sq + p.sq_off.ring_mask);
    r->sq_flags = (void *)(sq + p.sq_off.flags);
    r->sq_array = (void *)(sq + p.sq_off.array);
    r->cq_head = (void *)(cq + p.cq_off.head);
    r->cq_tail = (void *)(cq + p.cq_off.tail);
    r->cq_mask = (void *)(cq + p.cq_off.ring_mask);
    r->cqes = (void *)(cq + p.cq_off.cqes);
    return true;
}

/* Perform one operation and return its value, a negative errno if it failed. */
UNUSED static int ring__do(struct ring *r, const struct io_uring_sqe *sqe)
{
    unsigned int tail = *r->sq_tail, i = tail & *r->sq_mask, enter = IORING_ENTER_GETEVENTS;

    r->sqes[i] = *sqe;
    r->sq_array[i] = i;
    __atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_SEQ_CST);
    if (r->setup_flags & IORING_SETUP_SQPOLL &&
        __atomic_load_n(r->sq_flags, __ATOMIC_SEQ_CST) & IORING_SQ_NEED_WAKEUP)
        enter |= IORING_ENTER_SQ_WAKEUP;
    do {
        if (syscall(SYS_io_uring_enter, r->fd, 1, 1, enter, NULL, 0) < 0)
            CHECK(errno == EINTR);
    } while (__atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) == *r->cq_head);
    int res = r->cqes[*r->cq_head & *r->cq_mask].res;

    __atomic_store_n(r->cq_head, *r->cq_head + 1, __ATOMIC_RELEASE);
    return res;
}

/* The ways in which the kernel serves a ring: in the caller, in a worker, in the thread that polls. */
struct ring_way {
    const char *name;
    unsigned int setup_flags;
    unsigned char sqe_flags;
};

static const struct ring_way ring_ways[] = {
    {"inline", 0, 0},
    {"worker", 0, IOSQE_ASYNC},
    {"sqpoll", IORING_SETUP_SQPOLL, 0},
};

UNUSED static bool ring__lacks(int res)
{
    return res == -EINVAL || res == -EOPNOTSUPP || res == -ENOSYS;
}

#endif
