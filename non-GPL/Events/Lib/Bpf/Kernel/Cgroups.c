/* SPDX-License-Identifier: BSD-2-Clause */
#include "Cgroups.h"

#include <linux/magic.h>
#include <stddef.h>
#include <sys/vfs.h>

static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

bool path__is_of_cgroups(const char *path)
{
    struct statfs fs;

    return !statfs(path, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC;
}

const char *cgroups__mount(void)
{
    for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
        if (path__is_of_cgroups(mounts[i]))
            return mounts[i];
    }
    return NULL;
}
