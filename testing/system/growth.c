/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * growth - measures how much a file grows while nothing happens: waits until its size has not changed for a second,
 * prints by how many bytes it grows in the time after, and starts no process meanwhile.
 *
 *   growth FILE SECONDS
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTLE_TRIES 20

static long long size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) ? -1 : (long long)st.st_size;
}

int main(int argc, char **argv)
{
    if (argc != 3 || size_of(argv[1]) < 0) {
        fprintf(stderr, "usage: growth FILE SECONDS\n");
        return 2;
    }
    long long before = -1;

    for (int i = 0; i < SETTLE_TRIES && before != size_of(argv[1]); i++) {
        before = size_of(argv[1]);
        sleep(1);
    }
    sleep((unsigned int)atoi(argv[2]));
    printf("%lld\n", size_of(argv[1]) - before);
    return 0;
}
