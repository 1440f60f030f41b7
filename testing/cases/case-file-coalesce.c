/* SPDX-License-Identifier: BSD-2-Clause */
/* case-file-coalesce: write a lot to two files, in several processes, then delete one. */
#include "file-ops.h"

#define WRITES 2000

static void write_much(void *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    CHECK(fd >= 0);
    for (int i = 0; i < WRITES; i++)
        CHECK(write(fd, "0123456789", 1 + i % 10) == 1 + i % 10);
    CHECK(!close(fd));
}

int main(int argc, char **argv)
{
    fact__int("pid", getpid());
    place__make(argc, argv);
    place__end();
    fact__int("writes", WRITES);
    fact__int("bytes", WRITES / 10 * 55);
    fact__int("child", child__run(write_much, (void *)"child"));
    write_much((void *)"own");
    CHECK(!unlink("own"));
    return facts__print();
}
