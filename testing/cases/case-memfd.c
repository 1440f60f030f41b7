/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Anonymous files: each flag, names of every byte, a name on a page that is not resident, a 32-bit call, a call by
 * nobody, and refused calls.
 */
#include "case.h"

#include <sys/mman.h>

#define INT80_MEMFD_CREATE 356
#define NAME_MAX_LEN 249
#define NR_MEMFD_SECRET 447

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#define MFD_EXEC 0x10U
#endif

static void fact__call(const char *name, unsigned int flags, long fd)
{
    fact__object(NULL);
    fact__bool("made", fd >= 0);
    fact__bytes("name", name, strlen(name));
    fact__int("flags", flags);
    fact__object_end();
}

static void create(const char *name, unsigned int flags)
{
    int fd = syscall(SYS_memfd_create, name, flags);

    fact__call(name, flags, fd);
    if (fd >= 0)
        CHECK(!close(fd));
}

/* On a page of a file that has just been mapped: the kernel's first access is a page fault. */
static void create_not_resident(void)
{
    static const char name[] = "on a page that is not there";

    file__write("name", name, sizeof(name), 0600);
    int file = open("name", O_RDONLY | O_CLOEXEC);

    CHECK(file >= 0);
    const char *mapped = mmap(NULL, sizeof(name), PROT_READ, MAP_PRIVATE, file, 0);

    CHECK(mapped != MAP_FAILED);
    int fd = syscall(SYS_memfd_create, mapped, 0);

    fact__call(name, 0, fd);
    CHECK(fd >= 0 && !close(fd));
}

static void create_int80(void)
{
    static const char name[] = "by a 32-bit call";
    long fd = int80(INT80_MEMFD_CREATE, (long)name, MFD_CLOEXEC, 0, 0);

    CHECK(fd >= 0);
    fact__call(name, MFD_CLOEXEC, fd);
}

static void create_all_bytes(void)
{
    char name[129];

    for (int first = 1; first < 256; first += 128) {
        int len = 0;

        for (int byte = first; byte < first + 128 && byte < 256; byte++)
            name[len++] = byte;
        name[len] = '\0';
        create(name, 0);
    }
}

static void create_long(int len)
{
    char name[NAME_MAX_LEN + 2];

    memset(name, 'n', len);
    name[len] = '\0';
    create(name, 0);
}

static void *create_in_thread(void *unused)
{
    int fd = syscall(SYS_memfd_create, "in a thread", 0);

    fact__call("in a thread", 0, fd);
    CHECK(fd >= 0 && !close(fd));
    return unused;
}

static void create_as_nobody(void *unused)
{
    (void)unused;
    become_nobody();
    CHECK(syscall(SYS_memfd_create, "nobody's", 0) >= 0);
}

/* Files of these kinds that are not memfds: shared memory, secret memory, and a name of this form. */
static void create_others(void)
{
    void *shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int secret = syscall(NR_MEMFD_SECRET, 0), named = open("memfd:x", O_CREAT | O_RDWR | O_CLOEXEC, 0600);

    CHECK(shared != MAP_FAILED && !munmap(shared, 4096) && named >= 0 && !close(named));
    if (secret >= 0)
        close(secret);
}

int main(void)
{
    static const unsigned int flags[] = {
        0,           MFD_CLOEXEC,     MFD_ALLOW_SEALING, MFD_CLOEXEC | MFD_ALLOW_SEALING,
        MFD_HUGETLB, MFD_NOEXEC_SEAL, MFD_EXEC,          0x8000};

    case__dir();
    fact__int("pid", getpid());
    bool with_int80 = int80__available();

    fact__array("calls");
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        create("flags", flags[i]);
    create("", 0);
    create("memfd:a/b", 0);
    create_all_bytes();
    create_long(NAME_MAX_LEN);
    create_long(NAME_MAX_LEN + 1);
    CHECK(syscall(SYS_memfd_create, (char *)8, 0) == -1 && errno == EFAULT);
    create_not_resident();
    if (with_int80)
        create_int80();
    create_others();
    thread__run(create_in_thread, NULL);
    fact__array_end();
    fact__int("nobody", child__run(create_as_nobody, NULL));
    return facts__print();
}
