// SPDX-License-Identifier: BSD-2-Clause
/*
 * quiet-requests - makes requests of io_uring whose completion a tracer may not see: without a report of success, into
 * the ring's own table, and when the ring is full. Prints how many of the writes found it full. Status 77 if the kernel
 * has no requests without a report (before 5.17).
 */
#include "../cases/ring.h"

#include <sys/stat.h>

#define WRITES 40
#define CQE_SKIP_SUCCESS (1u << 6)
#define FILE_INDEX_FIRST 1 /* of the ring's own table, plus one */

static void ring__submit(struct ring *r, const struct io_uring_sqe *sqe)
{
    unsigned int tail = *r->sq_tail, i = tail & *r->sq_mask;

    r->sqes[i] = *sqe;
    r->sq_array[i] = i;
    __atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_SEQ_CST);
    CHECK(syscall(SYS_io_uring_enter, r->fd, 1, 0, 0, NULL, 0) >= 0);
}

static bool ring__is_full(const struct ring *r)
{
    return __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) - *r->cq_head == *r->cq_mask + 1;
}

static int create(const char *name)
{
    int fd = open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

    CHECK(fd >= 0);
    return fd;
}

static struct io_uring_sqe write_to(int fd, unsigned char flags)
{
    return (struct io_uring_sqe){
        .opcode = IORING_OP_WRITE, .flags = flags, .fd = fd, .addr = (uintptr_t) "x", .len = 1};
}

static struct io_uring_sqe open_of(const char *name, unsigned char flags, unsigned int slot)
{
    struct io_uring_sqe sqe = {.opcode = IORING_OP_OPENAT, .flags = flags, .fd = AT_FDCWD, .len = 0600,
                               .addr = (uintptr_t)name, .open_flags = O_CREAT | O_RDWR};

    memcpy(&sqe.splice_fd_in, &slot, sizeof(slot));
    return sqe;
}

static void wait_for(const char *name, bool is_there)
{
    for (int i = 0; i < 1000 && !access(name, F_OK) != is_there; i++)
        usleep(10000);
    CHECK(!access(name, F_OK) == is_there);
}

static void without_report(struct ring *r)
{
    struct io_uring_sqe sqe = write_to(create("quiet"), CQE_SKIP_SUCCESS);
    int table[2] = {-1, -1};

    ring__submit(r, &sqe);
    sqe = open_of("quiet-open", CQE_SKIP_SUCCESS, 0);
    ring__submit(r, &sqe);
    wait_for("quiet-open", true);
    CHECK(!syscall(SYS_io_uring_register, r->fd, IORING_REGISTER_FILES, table, 2));
    sqe = open_of("slot-open", 0, FILE_INDEX_FIRST);
    CHECK(ring__do(r, &sqe) == 0);
    sqe = (struct io_uring_sqe){
        .opcode = IORING_OP_UNLINKAT, .flags = CQE_SKIP_SUCCESS, .fd = AT_FDCWD, .addr = (uintptr_t) "quiet"};
    ring__submit(r, &sqe);
    wait_for("quiet", false);
}

/* Return how many writes found no room. They may be done by workers. */
static int when_full(struct ring *r)
{
    int fd = create("full"), size = (int)*r->cq_mask + 1;
    struct io_uring_sqe sqe = write_to(fd, 0);
    struct stat st = {0};

    for (sqe.off = 0; sqe.off < WRITES; sqe.off++)
        ring__submit(r, &sqe);
    for (int i = 0; i < 1000 && (st.st_size < WRITES || !ring__is_full(r)); i++) {
        usleep(10000);
        CHECK(!fstat(fd, &st));
    }
    CHECK(st.st_size == WRITES && ring__is_full(r));
    usleep(300000); /* what has been written is being completed */
    return WRITES - size;
}

int main(void)
{
    struct ring r;
    struct io_uring_sqe nop = {.opcode = IORING_OP_NOP, .flags = CQE_SKIP_SUCCESS};

    CHECK(ring__open(&r, 0));
    ring__submit(&r, &nop);
    if (*r.cq_tail != *r.cq_head)
        return 77;
    without_report(&r);
    printf("%d\n", when_full(&r));
    return 0;
}
