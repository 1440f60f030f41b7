/* SPDX-License-Identifier: BSD-2-Clause */
/* case-file-delete: delete files in every way. The argument names the file system. */
#include "file-ops.h"

enum { INT80_UNLINK = 10, INT80_RMDIR = 40 };

/* The state of the file, read before it is deleted. */
static void deleting(const char *what, const char *name)
{
    expected__begin(what, "FILE_DELETE");
    expected__path("path", name);
    expected__file(name);
}

static void by_unlink(void)
{
    CHECK(!close(make_file("unlink")));
    CHECK(unlink("nothing") < 0 && errno == ENOENT);
    CHECK(unlink("unlink/nothing") < 0 && errno == ENOTDIR);
    deleting("unlink after failures", "unlink");
    CHECK(!unlink("unlink"));
    int fd = make_file("unlinkat");

    deleting("unlinkat of an open file", "unlinkat");
    CHECK(!unlinkat(AT_FDCWD, "unlinkat", 0) && !close(fd));
    CHECK(!symlink("target", "symlink"));
    created("symlink", "symlink");
    expected__begin("unlink of a symbolic link", "FILE_DELETE");
    expected__path("path", "symlink");
    fact__str("symlink_target_path", place_is_overlay ? "" : "target");
    expected__file("symlink");
    CHECK(!unlink("symlink"));
}

static void by_rmdir(void)
{
    CHECK(!mkdir("dir", 0700) && chdir("/") == 0 && chdir(case_dir) == 0);
    created("mkdir", "dir");
    CHECK(!close(make_file("dir/inside")));
    CHECK(rmdir("dir") < 0 && errno == ENOTEMPTY);
    CHECK(unlink("dir") < 0);
    deleting("unlink", "dir/inside");
    CHECK(!unlink("dir/inside"));
    deleting("rmdir after failures", "dir");
    CHECK(!rmdir("dir"));
    CHECK(!mkdir("dir", 0700));
    created("mkdir", "dir");
    deleting("unlinkat of a directory", "dir");
    CHECK(!unlinkat(AT_FDCWD, "dir", AT_REMOVEDIR));
}

static void by_int80(void)
{
    static char file[] = "int80-file", dir[] = "int80-dir";

    CHECK(!close(make_file(file)));
    deleting("int80 unlink", file);
    CHECK(!int80(INT80_UNLINK, (long)file, 0, 0, 0));
    CHECK(!mkdir(dir, 0700));
    created("mkdir", dir);
    deleting("int80 rmdir", dir);
    CHECK(!int80(INT80_RMDIR, (long)dir, 0, 0, 0));
}

static void by_ring(const struct ring_way *way)
{
    struct ring r;

    if (!ring__open(&r, way->setup_flags))
        return;
    struct io_uring_sqe sqe = {
        .opcode = IORING_OP_UNLINKAT, .flags = way->sqe_flags, .fd = AT_FDCWD, .addr = (uintptr_t) "nothing"};

    CHECK(ring__do(&r, &sqe) == -ENOENT);
    CHECK(!close(make_file(way->name)));
    deleting("io_uring unlinkat", way->name);
    sqe.addr = (uintptr_t)way->name;
    CHECK(ring__do(&r, &sqe) == 0);
    CHECK(!mkdir(way->name, 0700));
    created("mkdir", way->name);
    deleting("io_uring unlinkat of a directory", way->name);
    sqe.unlink_flags = AT_REMOVEDIR;
    CHECK(ring__do(&r, &sqe) == 0);
    CHECK(!close(r.fd));
}

/* A file that is only in the lower layer of an overlay is covered, not deleted; for users of the overlay it is gone. */
static void of_below(void)
{
    deleting("unlink of a file of the lower layer", "below");
    CHECK(!unlink("below"));
}

int main(int argc, char **argv)
{
    fact__int("pid", getpid());
    place__make(argc, argv);
    by_unlink();
    by_rmdir();
    if (child__wait(child__start(int80__getpid, NULL)) == 0)
        by_int80();
    for (size_t i = 0; i < ARRAY_LEN(ring_ways); i++)
        by_ring(&ring_ways[i]);
    if (place_is_overlay)
        of_below();
    place__end();
    return facts__print();
}
