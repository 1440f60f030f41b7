// SPDX-License-Identifier: BSD-2-Clause
/* no-files PID: from now on that process can open nothing (EMFILE), but use what it has. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

/* Return how many entries a directory has. */
static rlim_t count_entries(const char *path)
{
    DIR *dir = opendir(path);
    rlim_t count = 0;

    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    char path[64];

    if (argc != 2)
        return 2;
    snprintf(path, sizeof(path), "/proc/%s/fd", argv[1]);
    const rlim_t count = count_entries(path);
    const struct rlimit limit = {.rlim_cur = count - 2, .rlim_max = count - 2}; /* without . and .. */

    if (count > 2 && !prlimit(atoi(argv[1]), RLIMIT_NOFILE, &limit, NULL))
        return 0;
    perror("no-files");
    return 1;
}
