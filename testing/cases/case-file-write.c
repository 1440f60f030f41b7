/* SPDX-License-Identifier: BSD-2-Clause */
/* case-file-write: change the content of files in every way. The argument names the file system. */
#include "file-ops.h"

#include <linux/aio_abi.h>
#include <linux/falloc.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#ifndef SYS_mseal
#define INT80_MMAP 90
#define SYS_mseal 462
#endif
#ifndef FICLONE
#define FICLONE _IOW(0x94, 9, int)
#endif
enum { INT80_WRITE = 4, INT80_TRUNCATE = 92, INT80_FTRUNCATE = 93 };

#define TEXT "0123456789"
#define TEXT_LEN 10

static void by_write(int fd)
{
    struct iovec two[] = {{(void *)TEXT, 4}, {(void *)TEXT, 3}};

    CHECK(write(-1, TEXT, 1) < 0);
    CHECK(syscall(SYS_write, fd, 8, 10) < 0 && errno == EFAULT);
    CHECK(write(fd, TEXT, TEXT_LEN) == TEXT_LEN);
    written("write after failures", "file", TEXT_LEN);
    CHECK(pwrite(fd, TEXT, 5, 100) == 5);
    written("pwrite", "file", 5);
    CHECK(pwrite(fd, TEXT, 5, 100) == 5);
    written("pwrite once more", "file", 5);
    CHECK(writev(fd, two, 2) == 7);
    written("writev", "file", 7);
    CHECK(pwritev(fd, two, 2, 0) == 7);
    written("pwritev", "file", 7);
    CHECK(pwritev2(fd, two, 2, 50, 0) == 7);
    written("pwritev2", "file", 7);
    CHECK(write(fd, TEXT, 0) == 0); /* nothing is written */
}

/* Into a pipe of this process, whose file is not reported. */
static void pipe__fill(int pipe[2], size_t len)
{
    CHECK(!pipe2(pipe, O_CLOEXEC) && write(pipe[1], TEXT, len) == (ssize_t)len);
}

static void by_splice(int fd)
{
    int source = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), ends[2];
    loff_t from = 0, to = 200;

    CHECK(source >= 0 && sendfile(fd, source, NULL, 5000) == 5000);
    written("sendfile", "file", 5000);
    pipe__fill(ends, 6);
    CHECK(splice(ends[0], NULL, fd, NULL, 6, 0) == 6);
    written("splice", "file", 6);
    pipe__fill(ends, 6);
    CHECK(splice(ends[0], NULL, fd, &to, 6, 0) == 6);
    written("splice to an offset", "file", 6);
    ssize_t n = syscall(SYS_copy_file_range, fd, &from, fd, &to, 100, 0);

    CHECK(n == 100);
    written("copy_file_range", "file", 100);
    CHECK(!close(source));
}

static void by_size(int fd)
{
    static const struct {
        const char *what;
        int mode;
    } modes[] = {
        {"fallocate", 0},
        {"fallocate, keep the size", FALLOC_FL_KEEP_SIZE},
        {"fallocate, punch", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE},
        {"fallocate, zero", FALLOC_FL_ZERO_RANGE},
        {"fallocate, collapse", FALLOC_FL_COLLAPSE_RANGE},
    };

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        if (!fallocate(fd, modes[i].mode, 0, 4096))
            written(modes[i].what, "file", -1);
        else
            CHECK(errno == EOPNOTSUPP || errno == EINVAL);
    }
    CHECK(!ftruncate(fd, 20000));
    written("ftruncate", "file", -1);
    CHECK(ftruncate(fd, -1) < 0 && truncate("nothing", 1) < 0);
    CHECK(!truncate("file", 10000));
    written("truncate", "file", -1);
    int again = open("file", O_WRONLY | O_TRUNC | O_CLOEXEC);

    CHECK(again >= 0);
    written("O_TRUNC", "file", -1);
    CHECK(write(again, TEXT, 3) == 3 && !close(again));
    written("write after O_TRUNC", "file", 3);
    CHECK(!lseek(fd, 0, SEEK_SET));
}

/* If the kernel makes copies that share their blocks. */
static void by_clone(int fd)
{
    int copy = make_file("clone");

    if (!ioctl(copy, FICLONE, fd))
        written("FICLONE", "clone", -1);
    CHECK(!close(copy));
}

static void by_mapping(int fd)
{
    CHECK(!ftruncate(fd, 8192));
    written("ftruncate", "file", -1);
    char *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    CHECK(shared != MAP_FAILED);
    expected__begin("a shared writable mapping", "FILE_MODIFY");
    expected__path("path", "file");
    fact__bool("is_mapping", true);
    expected__file("file");
    shared[0] = 'x';
    char *private = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

    CHECK(private != MAP_FAILED);
    private[0] = 'x';
    char *readable = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);

    CHECK(readable != MAP_FAILED && !mprotect(readable, 8192, PROT_READ | PROT_WRITE));
    expected__begin("a mapping made writable", "FILE_MODIFY");
    expected__path("path", "file");
    fact__bool("is_mapping", true);
    expected__file("file");
    CHECK(!mprotect(readable, 8192, PROT_READ | PROT_WRITE)); /* it is writable already */
    CHECK(!munmap(shared, 8192) && !munmap(private, 8192) && !munmap(readable, 8192));
}

/* A 32-bit caller gets an address that is negative as an int. */
static void by_mapping_of_32_bits(int fd)
{
    static uint32_t arguments[6];

    memcpy(arguments, (uint32_t[]){0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, (uint32_t)fd, 0}, sizeof(arguments));
    uint32_t address = (uint32_t)int80(INT80_MMAP, (uintptr_t)arguments, 0, 0, 0);

    CHECK(address > INT32_MAX && address < -4096u && !munmap((void *)(uintptr_t)address, 8192));
    expected__begin("a shared writable mapping of a 32-bit caller", "FILE_MODIFY");
    expected__path("path", "file");
    fact__bool("is_mapping", true);
    expected__file("file");
}

/* Mappings that are not made writable, and one that is by a call that fails after it. */
static void by_failing_mprotect(int fd)
{
    const size_t page = (size_t)getpagesize();
    char *two = mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, fd, 0);
    char *sealed = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);

    CHECK(two != MAP_FAILED && sealed != MAP_FAILED);
    CHECK(!munmap(two + page, page) && mprotect(two, 2 * page, PROT_READ | PROT_WRITE) < 0 && errno == ENOMEM);
    two[0] = 'y';
    expected__begin("a mapping made writable before a hole", "FILE_MODIFY");
    expected__path("path", "file");
    fact__bool("is_mapping", true);
    expected__file("file");
    if (!syscall(SYS_mseal, sealed, page, 0))
        CHECK(mprotect(sealed, page, PROT_READ | PROT_WRITE) < 0 && errno == EPERM);
    else
        CHECK(errno == ENOSYS);
    CHECK(!munmap(two, page));
}

static void by_aio(int fd)
{
    aio_context_t context = 0;
    struct io_event event;
    struct iocb iocb = {.aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = (unsigned int)fd,
                        .aio_buf = (uintptr_t)TEXT, .aio_nbytes = 8};
    struct iocb *list = &iocb;

    CHECK(!syscall(SYS_io_setup, 4, &context));
    CHECK(syscall(SYS_io_submit, context, 1, &list) == 1);
    CHECK(syscall(SYS_io_getevents, context, 1, 1, &event, NULL) == 1 && event.res == 8);
    written("aio", "file", 8);
    iocb.aio_lio_opcode = IOCB_CMD_PREAD;
    CHECK(syscall(SYS_io_submit, context, 1, &list) == 1);
    CHECK(syscall(SYS_io_getevents, context, 1, 1, &event, NULL) == 1);
    CHECK(!syscall(SYS_io_destroy, context));
}

/* Asynchronously, if the file system does that: then the number of bytes is not known when it is reported. */
static void by_direct(void)
{
    static _Alignas(4096) char block[4096];
    aio_context_t context = 0;
    struct io_event event;
    int fd = open("direct", O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);

    created("open with O_DIRECT", "direct"); /* even if it is then refused */
    if (fd < 0) {
        CHECK(errno == EINVAL);
        return;
    }
    struct iocb iocb = {.aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = (unsigned int)fd,
                        .aio_buf = (uintptr_t)block, .aio_nbytes = sizeof(block)};
    struct iocb *list = &iocb;

    CHECK(!syscall(SYS_io_setup, 4, &context));
    CHECK(syscall(SYS_io_submit, context, 1, &list) == 1);
    CHECK(syscall(SYS_io_getevents, context, 1, 1, &event, NULL) == 1 && event.res == sizeof(block));
    expected__begin("aio with O_DIRECT", "FILE_MODIFY");
    expected__path("path", "direct");
    fact__str("change_type", "CONTENT");
    fact__object_end();
    CHECK(!syscall(SYS_io_destroy, context) && !close(fd));
}

static void by_int80(int fd)
{
    static char name[] = "file", text[] = TEXT;

    CHECK(int80(INT80_WRITE, fd, (long)text, 2, 0) == 2);
    written("int80 write", "file", 2);
    CHECK(!int80(INT80_TRUNCATE, (long)name, 5000, 0, 0));
    written("int80 truncate", "file", -1);
    CHECK(!int80(INT80_FTRUNCATE, fd, 6000, 0, 0));
    written("int80 ftruncate", "file", -1);
}

/* Writes that stop half-way: at the limit of a file's size, and where the buffer ends. */
static void by_ring_in_parts(struct ring *r, int fd, unsigned char flags)
{
    struct rlimit old, limit;
    const size_t page = (size_t)getpagesize();
    struct io_uring_sqe sqe = {.opcode = IORING_OP_WRITE, .flags = flags, .fd = fd, .len = (uint32_t)(2 * page)};
    char *buffer = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct stat st;

    CHECK(buffer != MAP_FAILED && !fstat(fd, &st) && !getrlimit(RLIMIT_FSIZE, &old));
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    limit = (struct rlimit){st.st_size + 100, old.rlim_max};
    CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
    sqe.addr = (uintptr_t)buffer;
    sqe.off = st.st_size;
    int res = ring__do(r, &sqe);

    CHECK(!setrlimit(RLIMIT_FSIZE, &old));
    CHECK(res == 100);
    written("io_uring write up to a limit", "file", res);
    CHECK(!munmap(buffer + page, page));
    sqe.off = 0;
    res = ring__do(r, &sqe);
    CHECK(res == (int)page);
    written("io_uring write of half a buffer", "file", res);
    CHECK(!munmap(buffer, page));
}

static void by_ring(int fd, const struct ring_way *way)
{
    static char text[] = TEXT;
    struct iovec iov = {text, 6};
    struct ring r;
    int ends[2];

    if (!ring__open(&r, way->setup_flags))
        return;
    struct io_uring_sqe sqe = {
        .opcode = IORING_OP_WRITE, .flags = way->sqe_flags, .fd = fd, .addr = (uintptr_t)TEXT, .len = 9, .off = 30};

    CHECK(ring__do(&r, &sqe) == 9);
    written("io_uring write", "file", 9);
    sqe = (struct io_uring_sqe){
        .opcode = IORING_OP_WRITEV, .flags = way->sqe_flags, .fd = fd, .addr = (uintptr_t)&iov, .len = 1, .off = 30};
    CHECK(ring__do(&r, &sqe) == 6);
    written("io_uring writev", "file", 6);
    sqe.opcode = IORING_OP_READV;
    CHECK(ring__do(&r, &sqe) == 6);
    sqe = (struct io_uring_sqe){.opcode = IORING_OP_FALLOCATE, .flags = way->sqe_flags, .fd = fd, .addr = 9000};
    int res = ring__do(&r, &sqe);

    CHECK(res == 0 || ring__lacks(res));
    if (!res)
        written("io_uring fallocate", "file", -1);
    pipe__fill(ends, 4);
    sqe = (struct io_uring_sqe){.opcode = IORING_OP_SPLICE, .flags = way->sqe_flags, .fd = fd, .off = 40,
                                .splice_fd_in = ends[0], .splice_off_in = (__u64)-1, .len = 4};
    CHECK(ring__do(&r, &sqe) == 4);
    written("io_uring splice", "file", 4);
    by_ring_in_parts(&r, fd, way->sqe_flags);
    CHECK(!close(r.fd));
}

/* A file without a directory, and files that are not regular. */
static void elsewhere(void)
{
    int fd = syscall(SYS_memfd_create, "case-write", 0), ends[2];

    CHECK(fd >= 0 && write(fd, TEXT, 4) == 4);
    expected__begin("write to a memfd", "FILE_MODIFY");
    fact__str("path", "memfd:case-write");
    fact__int("bytes", 4);
    fact__object_end();
    pipe__fill(ends, 5);
    CHECK(!close(fd));
}

int main(int argc, char **argv)
{
    fact__int("pid", getpid());
    place__make(argc, argv);
    int fd = make_file("file");

    by_write(fd);
    by_splice(fd);
    by_size(fd);
    by_clone(fd);
    by_mapping(fd);
    by_failing_mprotect(fd);
    by_aio(fd);
    by_direct();
    if (child__wait(child__start(int80__getpid, NULL)) == 0) {
        by_int80(fd);
        by_mapping_of_32_bits(fd);
    }
    for (size_t i = 0; i < ARRAY_LEN(ring_ways); i++)
        by_ring(fd, &ring_ways[i]);
    elsewhere();
    place__end();
    return facts__print();
}
