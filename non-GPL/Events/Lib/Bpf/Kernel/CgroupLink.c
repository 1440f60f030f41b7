/* SPDX-License-Identifier: BSD-2-Clause */
#include "CgroupLink.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include "Cgroups.h"

#define ROOT_INODE 1

/* A mount in a namespace of cgroups may have another root. */
static int root__open(void)
{
    const char *mount = cgroups__mount();
    int fd = mount ? open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    struct stat st;

    if (fd >= 0 && !fstat(fd, &st) && st.st_ino == ROOT_INODE)
        return fd;
    if (fd >= 0)
        close(fd);
    return -ENODEV;
}

int cgroup__attach(int program, uint32_t attach_type)
{
    int root = root__open();

    if (root < 0)
        return root;
    int link = bpf_link_create(program, root, attach_type, NULL), err = link < 0 ? -errno : 0;

    close(root);
    return err ?: link;
}
