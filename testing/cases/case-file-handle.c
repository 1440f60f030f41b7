/* SPDX-License-Identifier: BSD-2-Clause */
/* case-file-handle: write to a file that is opened by its handle, when the kernel has the inode but no name of it. */
#include "file-ops.h"

#define HANDLE_SIZE 128
#define TRIES 10

struct handle {
    struct file_handle head;
    char room[HANDLE_SIZE];
};

/* Return whether the kernel has its name cached. */
static bool fd__has_name(int fd)
{
    char proc[64], link[4096], path[256];

    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
    snprintf(path, sizeof(path), "%s/file", case_dir);
    ssize_t len = readlink(proc, link, sizeof(link) - 1);

    CHECK(len > 0);
    link[len] = 0;
    return !strcmp(link, path);
}

/* Open the file, once the kernel has forgotten its name. */
static int open_without_name(const struct handle *handle)
{
    int directory = open(".", O_DIRECTORY | O_CLOEXEC);

    CHECK(directory >= 0);
    for (int i = 0; i < TRIES; i++) {
        sync();
        file__puts("/proc/sys/vm/drop_caches", "3");
        int fd = open_by_handle_at(directory, (struct file_handle *)&handle->head, O_RDWR | O_CLOEXEC);

        CHECK(fd >= 0);
        if (!fd__has_name(fd))
            return fd;
        CHECK(!close(fd));
    }
    case__skip("the kernel keeps the names of files");
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
    struct stat st;

    fd = open_without_name(&handle);
    CHECK(write(fd, "abc", 3) == 3 && !fstat(fd, &st) && !close(fd));
    fact__int("inode", st.st_ino);
    return facts__print();
}
