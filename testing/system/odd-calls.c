// SPDX-License-Identifier: BSD-2-Clause
/*
 * odd-calls - calls that a program makes in an odd way, but whose effects are those of any other: with bits that the
 * kernel ignores in registers, with results that cannot be stored, and with arguments that the call itself overwrites.
 * Prints whether the kernel takes 32-bit calls.
 */
#include "../cases/case.h"

#include <arpa/inet.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#define UPPER (1ULL << 32)

#if defined(__x86_64__)
static long call3(unsigned long number, unsigned long first, unsigned long second, unsigned long third)
{
    long ret;

    asm volatile("syscall" : "=a"(ret) : "a"(number), "D"(first), "S"(second), "d"(third) : "rcx", "r11", "memory");
    return ret;
}

static long call32(unsigned long number, unsigned long first, unsigned long second)
{
    long ret;

    asm volatile("int $0x80" : "=a"(ret) : "a"(number), "b"(first), "c"(second) : "r8", "r9", "r10", "r11", "memory");
    return ret;
}

#define NR_32_SOCKETCALL 102
#define SOCKETCALL_LISTEN 4
#define SOCKETCALL_RECV 10
#define HAS_32 (call32(20, 0, 0) == getpid())
#endif

static int create(const char *name)
{
    int fd = open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

    CHECK(fd >= 0);
    return fd;
}

/* A file is written, but the offset of what was read cannot be stored. */
static void without_room(void)
{
    int from = create("from"), to = create("no-offset");
    off_t *offset = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(write(from, "text", 4) == 4 && offset != MAP_FAILED && *offset == 0);
    CHECK(sendfile(to, from, offset, 4) == -1 && errno == EFAULT);
    CHECK(lseek(to, 0, SEEK_END) == 4);
}

#if defined(__x86_64__)
static void with_upper_halves(void)
{
    int fd = create("upper");

    CHECK(call3(SYS_write | UPPER, (unsigned long)fd | UPPER, (unsigned long)"x", 1) == 1);
    CHECK(call3(SYS_unlink | UPPER, (unsigned long)"upper", 0, 0) == 0);
    CHECK(call3(SYS_memfd_create | UPPER, (unsigned long)"upper", UPPER, 0) >= 0);
}

/* Arguments of socketcall have to be below 4 GiB. */
static void by_socketcall(void)
{
    uint32_t *args = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(to);
    uint32_t decoy[4] = {0};
    int server = socket(AF_INET, SOCK_STREAM, 0), receiver = socket(AF_INET, SOCK_DGRAM, 0);

    CHECK(args != MAP_FAILED && server >= 0 && !bind(server, (struct sockaddr *)&to, sizeof(to)));
    args[0] = (uint32_t)server;
    args[1] = 1;
    CHECK(call32(NR_32_SOCKETCALL, SOCKETCALL_LISTEN | UPPER, (unsigned long)args) == 0);
    CHECK(!bind(receiver, (struct sockaddr *)&to, sizeof(to)) && !getsockname(receiver, (struct sockaddr *)&to, &len));
    CHECK(sendto(socket(AF_INET, SOCK_DGRAM, 0), decoy, sizeof(decoy), 0, (struct sockaddr *)&to, sizeof(to)) ==
          (ssize_t)sizeof(decoy));
    args[0] = (uint32_t)receiver;
    args[1] = (uint32_t)(uintptr_t)args; /* what is received replaces them */
    args[2] = sizeof(decoy);
    args[3] = 0;
    CHECK(call32(NR_32_SOCKETCALL, SOCKETCALL_RECV, (unsigned long)args) == (long)sizeof(decoy) && !args[0]);
}
#endif

int main(void)
{
    without_room();
#if defined(__x86_64__)
    with_upper_halves();
    puts(HAS_32 ? "32" : "64");
    if (HAS_32)
        by_socketcall();
#endif
    return 0;
}
