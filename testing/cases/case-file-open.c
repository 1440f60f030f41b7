/* SPDX-License-Identifier: BSD-2-Clause */
/* case-file-open: open memfds and files in /dev/shm again, and other files. */
#include "file-ops.h"

static void opened(const char *what, const char *event_type, const char *path, int fd)
{
    struct stat st;

    CHECK(fd >= 0 && !fstat(fd, &st));
    expected__begin(what, event_type);
    fact__str("path", path);
    place_is_overlay = false;
    expected__stat(&st);
    CHECK(!close(fd));
}

/* Done by another process, so that it is no event of this one. */
static void clean_up(void *unused)
{
    (void)unused;
    unlink("/dev/shm/case-open");
    unlink("/dev/shm/case-dir/below");
    rmdir("/dev/shm/case-dir");
}

static void make_places(void *unused)
{
    (void)unused;
    CHECK(!mkdir("dev", 0755) && !mkdir("dev/shm", 0755) && !mkdir("elsewhere", 0755));
}

static void make_file_elsewhere(void *unused)
{
    (void)unused;
    CHECK(!close(open("elsewhere/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
}

static void open_again(const char *name)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0 && !close(fd));
}

/* A mount becomes /dev/shm after it was cached as another one, and then ceases to be. */
static void mount_moves(void)
{
    char path[300];

    child__run(make_places, NULL);
    CHECK(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)); /* a shared one cannot move */
    CHECK(!mount("one", "elsewhere", "tmpfs", 0, NULL));
    child__run(make_file_elsewhere, NULL);
    open_again("elsewhere/file");
    open_again("elsewhere/file");
    CHECK(!mount("elsewhere", "dev/shm", NULL, MS_MOVE, NULL));
    snprintf(path, sizeof(path), "%s/dev/shm/file", case_dir);
    opened("a file in a mount that was moved to dev/shm", "FILE_SHMEM_OPEN", path, open(path, O_RDONLY | O_CLOEXEC));
    CHECK(!mount("dev/shm", "elsewhere", NULL, MS_MOVE, NULL));
    open_again("elsewhere/file");
}

int main(void)
{
    char proc[64];

    case__dir();
    fact__int("pid", getpid());
    fact__array("expected");
    int memfd = syscall(SYS_memfd_create, "case-open", 0);

    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", memfd);
    opened("a memfd by /proc/self/fd", "FILE_MEMFD_OPEN", "memfd:case-open", open(proc, O_RDONLY | O_CLOEXEC));
    opened("a memfd for writing", "FILE_MEMFD_OPEN", "memfd:case-open", open(proc, O_RDWR | O_CLOEXEC));
    int shm = open("/dev/shm/case-open", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    expected__begin("a new file in /dev/shm", "FILE_CREATE");
    fact__str("path", "/dev/shm/case-open");
    fact__object_end();
    CHECK(shm >= 0 && !close(shm));
    opened("an existing file in /dev/shm", "FILE_SHMEM_OPEN", "/dev/shm/case-open",
           open("/dev/shm/case-open", O_RDWR | O_CLOEXEC));
    CHECK(!mkdir("/dev/shm/case-dir", 0700));
    expected__begin("a directory in /dev/shm", "FILE_CREATE");
    fact__str("path", "/dev/shm/case-dir");
    fact__object_end();
    CHECK(!close(open("/dev/shm/case-dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC))); /* no file */
    shm = open("/dev/shm/case-dir/below", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    expected__begin("a new file below /dev/shm", "FILE_CREATE");
    fact__str("path", "/dev/shm/case-dir/below");
    fact__object_end();
    CHECK(shm >= 0 && !close(shm));
    opened("a file below /dev/shm", "FILE_SHMEM_OPEN", "/dev/shm/case-dir/below",
           open("/dev/shm/case-dir/below", O_RDONLY | O_CLOEXEC));
    CHECK(open("/dev/shm/case-nothing", O_RDONLY) < 0);
    CHECK(!close(open("/tmp", O_RDONLY | O_CLOEXEC)) && !close(open("/etc/passwd", O_RDONLY | O_CLOEXEC)));
    mount_moves();
    fact__array_end();
    child__run(clean_up, NULL);
    return facts__print();
}
