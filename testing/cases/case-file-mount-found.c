/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case-file-mount-found: attributes of files to which several mounts lead, and of files on an overlay, for whose layers
 * the kernel sets attributes of its own.
 */
#include "file-ops.h"

#include <sys/xattr.h>

#define ROUNDS 40

static void make_directory(void *name)
{
    CHECK(!mkdir(name, 0755));
}

static void make_empty(void *name)
{
    file__write(name, "", 0, 0644);
}

static void directory(const char *name)
{
    child__run(make_directory, (void *)name);
}

static void file(const char *name)
{
    child__run(make_empty, (void *)name);
}

static void expect(const char *what, const char *name, const char *attribute, bool ambiguous)
{
    expected__begin(what, "FILE_MODIFY");
    expected__path("path", name);
    fact__str("change_type", "XATTRS");
    fact__str("xattr_name", attribute);
    fact__bool("ambiguous", ambiguous);
    expected__file(name);
}

static void set(const char *what, const char *name, const char *attribute, bool ambiguous)
{
    CHECK(!setxattr(name, attribute, "v", 1, 0));
    expect(what, name, attribute, ambiguous);
}

static void by_descriptor(const char *name)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0 && !fsetxattr(fd, "trusted.fd", "v", 1, 0));
    expect("by descriptor", name, "trusted.fd", false);
    CHECK(!fremovexattr(fd, "trusted.fd") && !close(fd));
    expect("removed by descriptor", name, "trusted.fd", false);
}

static void of_several_mounts(void)
{
    char original[300], bound[300];

    snprintf(original, sizeof(original), "%s/t/sub/file", case_dir);
    snprintf(bound, sizeof(bound), "%s/b/file", case_dir);
    directory("t");
    directory("b");
    directory("r");
    CHECK(!mount("t", "t", "tmpfs", 0, NULL));
    directory("t/sub");
    file("t/sub/file");
    file("t/other");
    CHECK(!mount("t/sub", "b", NULL, MS_BIND, NULL) && !mount("t/sub", "r", NULL, MS_BIND, NULL));
    CHECK(!mount(NULL, "r", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));

    set("only one of them leads there", "t/other", "trusted.a", false);
    by_descriptor("t/sub/file");
    by_descriptor("b/file");
    CHECK(!chdir("b") && !setxattr("file", "trusted.b", "v", 1, 0));
    expect("in the working directory", bound, "trusted.b", true);
    CHECK(!chdir("../t") && !setxattr("sub/file", "trusted.c", "v", 1, 0));
    expect("in the working directory", original, "trusted.c", true);
    CHECK(!chdir(case_dir) && !umount2("b", MNT_DETACH));
    set("the other one is read-only", "t/sub/file", "trusted.d", false);
    CHECK(!mount("t/sub", "b", NULL, MS_BIND, NULL));
}

static void *descriptor_rounds(void *name)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0);
    for (int i = 0; i < ROUNDS; i++)
        CHECK(!fsetxattr(fd, "trusted.round", "v", 1, 0));
    CHECK(!close(fd));
    return NULL;
}

/* Two threads at once, each through a mount of its own: not in the list, because their order is not defined. */
static void at_once(void)
{
    pthread_t thread;

    errno = pthread_create(&thread, NULL, descriptor_rounds, (void *)"b/file");
    CHECK(!errno);
    descriptor_rounds((void *)"t/sub/file");
    errno = pthread_join(thread, NULL);
    CHECK(!errno);
}

/* The layers are on a file system that processes use as well: attributes there may be set by them. */
static void of_overlay(void)
{
    directory("l");
    CHECK(!mount("l", "l", "tmpfs", 0, NULL) && !chdir("l"));
    directory("lower");
    directory("lower/a");
    directory("lower/a/b");
    directory("lower/a/b/c");
    file("lower/a/b/c/file");
    file("lower/a/b/file");
    directory("upper");
    directory("upper/own");
    directory("work");
    directory("o");
    CHECK(!mount("overlay", "o", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work"));
    CHECK(!chdir(case_dir) && !chmod("l/o/a/b/c/file", 0600));
    changed("copied up", "l/o/a/b/c/file", "PERMISSIONS");
    set("copied up for it", "l/o/a/b/file", "trusted.a", false);
    set("by hand", "l/upper/own", "trusted.overlay.opaque", false);
}

int main(void)
{
    CHECK(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    case__dir();
    fact__int("pid", getpid());
    fact__int("rounds", ROUNDS);
    fact__array("expected");
    of_several_mounts();
    of_overlay();
    fact__array_end();
    at_once();
    return facts__print();
}
