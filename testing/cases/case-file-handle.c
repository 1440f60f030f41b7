/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case-file-handle: write to a file that is opened by its handle, when the kernel knows the file but not where it is:
 * it has forgotten all names.
 */
#include "file-ops.h"

#define HANDLE_SIZE 128

struct handle {
    struct file_handle head;
    char room[HANDLE_SIZE];
};

/* Its name, as the kernel has it. */
static void fact__link(int fd)
{
    char proc[64], link[4096];

    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(proc, link, sizeof(link) - 1);

    CHECK(len > 0);
    link[len] = 0;
    fact__str("link", link);
}

static void write_by_handle(const struct handle *handle, int directory)
{
    int fd = open_by_handle_at(directory, (struct file_handle *)&handle->head, O_RDWR | O_CLOEXEC);

    CHECK(fd >= 0 && write(fd, "abc", 3) == 3);
    fact__link(fd);
    struct stat st;

    CHECK(!fstat(fd, &st) && !close(fd));
    fact__int("inode", st.st_ino);
}

int main(int argc, char **argv)
{
    struct handle handle = {.head.handle_bytes = HANDLE_SIZE};
    int mount_id, fd;

    fact__int("pid", getpid());
    place__make(argc, argv);
    place__end();
    fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    CHECK(fd >= 0 && !close(fd) && !name_to_handle_at(AT_FDCWD, "file", &handle.head, &mount_id, 0));
    sync();
    file__puts("/proc/sys/vm/drop_caches", "3");
    int directory = open(".", O_DIRECTORY | O_CLOEXEC);

    CHECK(directory >= 0);
    write_by_handle(&handle, directory);
    return facts__print();
}
