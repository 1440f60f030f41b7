// SPDX-License-Identifier: BSD-2-Clause
/*
 * in-cgroup.c - in-cgroup DIRECTORY COMMAND...: run COMMAND in a cgroup, and in a cgroup namespace that begins there.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char path[4096];

    if (argc < 3)
        return 2;
    snprintf(path, sizeof(path), "%s/cgroup.procs", argv[1]);
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, "0", 1) != 1 || unshare(CLONE_NEWCGROUP)) {
        perror(argv[1]);
        return 1;
    }
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 127;
}
