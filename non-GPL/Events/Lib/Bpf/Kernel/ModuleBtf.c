// SPDX-License-Identifier: BSD-2-Clause
/* ModuleBtf.c - finds the BTF of a module among those that the kernel has loaded; see KernelBtf.h. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "KernelBtf.h"

/* Return whether the BTF that the kernel has under a descriptor is that of a module. */
static bool btf_object__is(int fd, const char *module)
{
    char name[MODULE_NAME_MAX] = "";
    struct bpf_btf_info info = {.name = (uintptr_t)name, .name_len = sizeof(name)};
    uint32_t size = sizeof(info);

    return !bpf_obj_get_info_by_fd(fd, &info, &size) && info.kernel_btf && !strcmp(name, module);
}

int kernel_btf__open_module(const char *module)
{
    uint32_t id = 0;

    while (!bpf_btf_get_next_id(id, &id)) {
        int fd = bpf_btf_get_fd_by_id(id);

        if (fd >= 0 && btf_object__is(fd, module))
            return fd;
        if (fd >= 0)
            close(fd);
        else if (errno != ENOENT)
            return -errno;
    }
    return -errno;
}
