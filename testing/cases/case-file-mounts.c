/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case-file-mounts: paths through mounts that come, go and move, and through directories above them that are renamed,
 * each time after the previous path was reported.
 */
#include "file-ops.h"

/* Create a file by a path, several times in a row: the later ones use what was cached for the first. */
static void create_in(const char *directory)
{
    char name[256];

    for (int i = 0; i < 3; i++) {
        static int number;

        snprintf(name, sizeof(name), "%s/file%d", directory, number++);
        CHECK(!close(make_file(name)));
    }
}

/* Create a directory in another process, so that it is no event of this one. */
static void make_directory(void *name)
{
    CHECK(!mkdir(name, 0755));
}

static void directory(const char *name)
{
    child__run(make_directory, (void *)name);
}

static void rename_it(const char *from, const char *to)
{
    CHECK(!rename(from, to));
    expected__begin("directory", "FILE_RENAME");
    expected__path("old_path", from);
    expected__path("new_path", to);
    fact__object_end();
}

/*
 * A root directory that is reached through another mount as well, where it is a directory like any other: a path does
 * not end there, whatever was cached before.
 */
static void root_by_another_mount(void)
{
    char root[300], inside[600], host[700];

    directory("f");
    CHECK(!mount("six", "f", "tmpfs", 0, NULL));
    directory("f/other");
    directory("f/srv");
    directory("f/srv/j");
    directory("f/srv/j/tmp");
    snprintf(root, sizeof(root), "%s/f/srv/j", case_dir);
    snprintf(inside, sizeof(inside), "%s%s", root, case_dir);
    snprintf(host, sizeof(host), "%s/host", inside);
    directory(inside);
    directory(host);
    CHECK(!mount("f", host, NULL, MS_BIND, NULL) && !chroot(root) && !chdir(case_dir));
    create_in("host/other");
    create_in("host/srv/j");
    create_in("host/other");
    create_in("host/srv");
}

int main(void)
{
    CHECK(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)); /* a shared one cannot move */
    CHECK(!umount2("/tmp", MNT_DETACH)); /* paths more than one mount below the root are not cached */
    case__dir();
    fact__int("pid", getpid());
    fact__array("expected");
    directory("a");
    directory("a/m");
    directory("a/n");
    CHECK(!mount("one", "a/m", "tmpfs", 0, NULL));
    create_in("a/m");
    directory("a/m/d");
    create_in("a/m/d");

    /* the directory above the mount is renamed */
    rename_it("a", "b");
    create_in("b/m");
    create_in("b/m/d");
    rename_it("b", "a");
    create_in("a/m");

    /* the mount moves, after it has stayed for long enough to count as settled (MountCache.h) */
    usleep(1100000);
    create_in("a/m");
    CHECK(!mount("a/m", "a/n", NULL, MS_MOVE, NULL));
    create_in("a/n");

    /* another one in its place, and one on top of it */
    CHECK(!mount("two", "a/m", "tmpfs", 0, NULL));
    create_in("a/m");
    CHECK(!umount2("a/m", 0) && !mount("three", "a/m", "tmpfs", 0, NULL));
    create_in("a/m");
    CHECK(!mount("four", "a/m", "tmpfs", 0, NULL));
    create_in("a/m");

    /* one file system at two places, and a mount in a mount */
    directory("a/b");
    CHECK(!mount("a/n", "a/b", NULL, MS_BIND, NULL));
    create_in("a/b");
    create_in("a/n");
    CHECK(!mount("five", "a/n/d", "tmpfs", 0, NULL));
    create_in("a/n/d");
    create_in("a/b/d");
    root_by_another_mount();
    fact__array_end();
    return facts__print();
}
