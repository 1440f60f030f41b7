/* SPDX-License-Identifier: BSD-2-Clause */
/* case-file-rename: rename files in every way. The argument names the file system. */
#include "file-ops.h"

#ifndef RENAME_WHITEOUT
#define RENAME_WHITEOUT (1 << 2)
#endif
enum { INT80_RENAME = 38 };

struct renamed {
    const char *what, *from, *to;
    unsigned int flags;
    ino_t replaced, exchanged;
    int replaced_nlink;
};

static void renamed(const struct renamed *r)
{
    expected__begin(r->what, "FILE_RENAME");
    expected__path("old_path", r->from);
    expected__path("new_path", r->to);
    fact__bool("is_noreplace", r->flags & RENAME_NOREPLACE);
    fact__bool("is_exchange", r->flags & RENAME_EXCHANGE);
    fact__bool("is_whiteout", r->flags & RENAME_WHITEOUT);
    fact__bool("is_replaced", r->replaced);
    if (r->replaced && !place_is_overlay) {
        fact__int("replaced_inode", r->replaced);
        fact__int("replaced_nlink", r->replaced_nlink);
    }
    if (r->exchanged && !place_is_overlay)
        fact__int("exchanged_inode", r->exchanged);
    expected__file(r->to);
}

static ino_t inode_of(const char *name)
{
    struct stat st;

    CHECK(!lstat(name, &st));
    return st.st_ino;
}

static int rename_by(const char *from, const char *to, unsigned int flags)
{
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void plain(void)
{
    CHECK(!close(make_file("a")));
    CHECK(unlink("nothing") < 0 && rename("nothing", "b") < 0 && errno == ENOENT);
    CHECK(!rename("a", "b"));
    renamed(&(struct renamed){.what = "rename after failures", .from = "a", .to = "b"});
    CHECK(!renameat(AT_FDCWD, "b", AT_FDCWD, "c"));
    renamed(&(struct renamed){.what = "renameat", .from = "b", .to = "c"});
    CHECK(!mkdir("dir", 0700));
    created("mkdir", "dir");
    CHECK(!rename("c", "dir/d"));
    renamed(&(struct renamed){.what = "rename into a directory", .from = "c", .to = "dir/d"});
    if (!place_is_overlay || !rename("dir", "dir2")) {
        if (!place_is_overlay)
            CHECK(!rename("dir", "dir2"));
        renamed(&(struct renamed){.what = "rename of a directory", .from = "dir", .to = "dir2"});
    }
    CHECK(!rename("dir2/d", "e"));
    renamed(&(struct renamed){.what = "rename out of a directory", .from = "dir2/d", .to = "e"});
}

static void replacing(void)
{
    CHECK(!close(make_file("new")));
    ino_t replaced = inode_of("e");

    CHECK(!rename("new", "e"));
    renamed(&(struct renamed){.what = "rename over a file", .from = "new", .to = "e", .replaced = replaced});
    CHECK(!close(make_file("new")));
    CHECK(!link("e", "e2"));
    expected__begin("link", "FILE_LINK");
    expected__path("old_path", "e");
    expected__path("new_path", "e2");
    expected__file("e2");
    replaced = inode_of("e");
    CHECK(!rename("e", "e2")); /* two names of one file: nothing happens */
    CHECK(!rename("new", "e"));
    renamed(&(struct renamed){
        .what = "rename over a file with another name",
        .from = "new",
        .to = "e",
        .replaced = replaced,
        .replaced_nlink = 1,
    });
}

static void with_flags(void)
{
    CHECK(!close(make_file("x")));
    CHECK(rename_by("x", "e", RENAME_NOREPLACE) < 0 && errno == EEXIST);
    CHECK(!rename_by("x", "y", RENAME_NOREPLACE));
    renamed(&(struct renamed){.what = "RENAME_NOREPLACE", .from = "x", .to = "y", .flags = RENAME_NOREPLACE});
    ino_t exchanged = inode_of("e");

    CHECK(!rename_by("y", "e", RENAME_EXCHANGE));
    renamed(&(struct renamed){
        .what = "RENAME_EXCHANGE", .from = "y", .to = "e", .flags = RENAME_EXCHANGE, .exchanged = exchanged});
    if (!rename_by("e", "z", RENAME_WHITEOUT))
        renamed(&(struct renamed){.what = "RENAME_WHITEOUT", .from = "e", .to = "z", .flags = RENAME_WHITEOUT});
    else
        CHECK(errno == EINVAL && place_is_overlay);
}

static void by_int80(void)
{
    static char from[] = "int80-a", to[] = "int80-b";

    CHECK(!close(make_file(from)));
    CHECK(!int80(INT80_RENAME, (long)from, (long)to, 0, 0));
    renamed(&(struct renamed){.what = "int80 rename", .from = from, .to = to});
}

static void by_ring(const struct ring_way *way)
{
    struct ring r;
    char to[64];

    if (!ring__open(&r, way->setup_flags))
        return;
    CHECK(!close(make_file(way->name)));
    snprintf(to, sizeof(to), "%s-renamed", way->name);
    struct io_uring_sqe sqe = {.opcode = IORING_OP_RENAMEAT, .flags = way->sqe_flags, .fd = AT_FDCWD,
                               .addr = (uintptr_t) "nothing", .len = AT_FDCWD, .addr2 = (uintptr_t)to};

    CHECK(ring__do(&r, &sqe) == -ENOENT);
    sqe.addr = (uintptr_t)way->name;
    CHECK(ring__do(&r, &sqe) == 0);
    renamed(&(struct renamed){.what = "io_uring renameat", .from = way->name, .to = to});
    CHECK(!close(r.fd));
}

int main(int argc, char **argv)
{
    fact__int("pid", getpid());
    place__make(argc, argv);
    plain();
    replacing();
    with_flags();
    if (child__wait(child__start(int80__getpid, NULL)) == 0)
        by_int80();
    for (size_t i = 0; i < ARRAY_LEN(ring_ways); i++)
        by_ring(&ring_ways[i]);
    place__end();
    return facts__print();
}
