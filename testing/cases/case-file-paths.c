/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case-file-paths: files in unusual places: deep down, with names of any bytes, under another root directory, below
 * bind mounts, reached through other directories and links, in directories that are gone or were moved.
 */
#include "file-life.h"

#include <sys/xattr.h>

#include "bytes.h"

/* As in linux/mount.h, which conflicts with the header of some C libraries. */
enum { SYS_OPEN_TREE = 428, OPEN_TREE_CLONED = 1 };

/* Return a path in the directory of this run. */
static char *here(const char *name)
{
    static char paths[8][300];
    static unsigned int next;
    char *path = paths[next++ % ARRAY_LEN(paths)];

    snprintf(path, 300, "%s%s%s", case_dir, *name ? "/" : "", name);
    return path;
}

static void make_dir(void *path)
{
    CHECK(!mkdir(path, 0755));
}

/* Directories are created by other processes, so that they are no events of this one. */
static void dir__made(const char *name)
{
    child__run(make_dir, here(name));
}

/* -------------------------------------------------------------------- deep */

struct descent {
    const char *name;
    int count, len;
};

static void component(char *name, int i, int len)
{
    memset(name, 'a' + i % 26, len);
    name[len] = '\0';
}

static void make_descent(void *arg)
{
    struct descent *d = arg;
    char name[256];

    CHECK(!mkdir(d->name, 0755) && !chdir(d->name));
    for (int i = 0; i < d->count; i++) {
        component(name, i, d->len);
        CHECK(!mkdir(name, 0755) && !chdir(name));
    }
}

/*
 * Descend step by step, and run file_life there; `leaf` is the name, or long enough to make the path that many bytes.
 */
static void deep(struct descent *d, size_t path_len)
{
    static char whole[WHOLE_MAX], name[256], leaf[256];

    child__run(make_descent, d);
    snprintf(whole, sizeof(whole), "%s", here(d->name));
    CHECK(!chdir(d->name));
    for (int i = 0; i < d->count; i++) {
        component(name, i, d->len);
        CHECK(!chdir(name));
        strcat(strcat(whole, "/"), name);
    }
    component(leaf, 11, path_len ? path_len - strlen(whole) - 1 : 4);
    life__live(&(struct life){.what = d->name, .dir = ".", .seen = whole, .leaf = leaf});
    CHECK(!chdir(case_dir));
}

static void deep_places(void)
{
    deep(&(struct descent){"150-components", 150, 1}, 0);
    deep(&(struct descent){"192-components", 188, 2}, 0); /* with the separators around them */
    deep(&(struct descent){"193-components", 189, 2}, 0);
    deep(&(struct descent){"300-components", 300, 2}, 0);
    deep(&(struct descent){"5000-bytes", 25, 200}, 0);
    deep(&(struct descent){"7000-bytes", 28, 250}, 0);
    deep(&(struct descent){"just-4096-bytes", 20, 200}, 4096); /* and one more with a suffix */
}

/* ------------------------------------------------------------------- bytes */

static void named(const char *text)
{
    char name[256];

    snprintf(name, sizeof(name), "%s", text);
    for (char *slash; (slash = strchr(name, '/'));)
        *slash = '|';
    life__live(&(struct life){.what = "name of bytes", .dir = ".", .seen = here(""), .leaf = name});
}

/* Two of the longest names of attributes contain all bytes. */
static void attributed(const char *bytes)
{
    char attribute[256] = "trusted.";

    strcat(attribute, bytes);
    if (setxattr("named", attribute, "x", 1, 0)) {
        CHECK(errno == EOPNOTSUPP);
        return;
    }
    life = &(struct life){.what = "attribute of bytes", .dir = ".", .seen = here(""), .leaf = "named"};
    life__event("setxattr", "FILE_MODIFY");
    fact__str("change_type", "XATTRS");
    fact__object("xattr_name");
    fact__bytes("whole", attribute, strlen(attribute));
    fact__bool("cut", false);
    fact__object_end();
    life__path("path", "");
    expected__file("named");
}

static void names(void)
{
    char name[256] = "x?", all[256];

    for (int byte = 1; byte < 256; byte++) {
        name[1] = byte;
        if (byte != '/')
            life__create(&(struct life){.what = "name of a byte", .dir = ".", .seen = here(""), .leaf = name});
    }
    named(bytes_but(all, 1, '/'));
    for (size_t i = 0; i < ARRAY_LEN(sequences); i++)
        named(sequences[i]);
    named("two\nlines \x1b[2J \xff \xc3\xa9");
    life__create(&(struct life){.what = "for attributes", .dir = ".", .seen = here(""), .leaf = "named"});
    attributed(bytes_but(all, 128, -1));
    bytes_but(all, 1, -1)[127] = '\0';
    attributed(all);
}

/* -------------------------------------------------------------------- root */

static void under_root(void)
{
    int outside = open("/", O_PATH | O_CLOEXEC);
    const char *root = here("root");

    CHECK(outside >= 0 && !chroot(root));
    life__live(&(struct life){
        .what = "from outside of the root",
        .dir = ".",
        .seen = case_dir,
        .leaf = "a",
        .root = root,
        .unreachable = true,
    });
    life__live(&(struct life){.what = "root directory", .dir = "/", .seen = "", .leaf = "a", .root = root});
    CHECK(!chdir("/in"));
    life__live(&(struct life){.what = "below the root", .dir = ".", .seen = "/in", .leaf = "a", .root = root});
    life__live(&(struct life){.what = "above the root", .dir = "../../in", .seen = "/in", .leaf = "a", .root = root});
    CHECK(!fchdir(outside) && !chroot(".") && !close(outside) && !chdir(case_dir));
    life__live(&(struct life){.what = "root as before", .dir = "root/in", .seen = here("root/in"), .leaf = "a"});
}

static void roots(void)
{
    dir__made("root");
    dir__made("root/in");
    under_root();
}

/* ------------------------------------------------------------------ mounts */

static void bound(const char *what, const char *dir)
{
    life__live(&(struct life){.what = what, .dir = dir, .seen = here(dir), .leaf = "a"});
}

/* Keep a mount for so long that tracefs, which reads the list of mounts afterwards, finds it there. */
static void settle(void)
{
    usleep(300000);
}

/* Directories that several mounts show: the path is by the mount that was used. */
static void mounts(void)
{
    dir__made("source");
    dir__made("source/sub");
    dir__made("target");
    dir__made("nested");
    CHECK(!mount("source", "target", NULL, MS_BIND, NULL) && !mount("target/sub", "nested", NULL, MS_BIND, NULL));
    for (int i = 0; i < 2; i++) {
        bound("bind mount", "target");
        bound("what is bound", "source");
        bound("below a bind mount", "target/sub");
        bound("bind mount of a directory below one", "nested");
        bound("below what is bound", "source/sub");
    }
    CHECK(!chdir("nested"));
    life__live(&(struct life){
        .what = "working directory is a bind mount", .dir = ".", .seen = here("nested"), .leaf = "a"});
    CHECK(!chdir(case_dir));
    settle();
    CHECK(!umount("nested") && !umount("target"));
}

/* In a mount that is nowhere: unmounted while in use, or never mounted. */
static void detached(const char *what, int fd)
{
    CHECK(fd >= 0 && !fchdir(fd) && !close(fd));
    life__live(&(struct life){.what = what, .dir = ".", .seen = "", .leaf = "a", .unreachable = true});
    CHECK(!chdir(case_dir));
}

static void nowhere(void)
{
    dir__made("detached");
    CHECK(!mount("detached", "detached", "tmpfs", 0, NULL));
    int fd = open("detached", O_PATH | O_CLOEXEC);

    CHECK(!umount2("detached", MNT_DETACH));
    settle();
    detached("unmounted while in use", fd);
    detached("never mounted", syscall(SYS_OPEN_TREE, AT_FDCWD, "detached", OPEN_TREE_CLONED | O_CLOEXEC));
}

static void bound_file(void)
{
    const char *leaf = "bound-file", *source = "bound-source";

    life__create(&(struct life){.what = "to be bound", .dir = ".", .seen = case_dir, .leaf = source});
    life__create(&(struct life){.what = "to be bound on", .dir = ".", .seen = case_dir, .leaf = leaf});
    CHECK(!mount(source, leaf, NULL, MS_BIND, NULL));
    int fd = open(leaf, O_WRONLY | O_CLOEXEC);

    CHECK(fd >= 0 && write(fd, "ab", 2) == 2 && !close(fd));
    life = &(struct life){.what = "bind mount of a file", .dir = ".", .seen = case_dir, .leaf = leaf};
    life__event("write", "FILE_MODIFY");
    fact__int("bytes", 2);
    life__path("path", "");
    expected__file(leaf);
    settle();
    CHECK(!umount(leaf));
}

/* --------------------------------------------------------------- resolving */

static void resolved(const char *what, const char *dir)
{
    life__live(&(struct life){.what = what, .dir = dir, .seen = here("other/below"), .leaf = "a"});
}

static void make_links(void *unused)
{
    (void)unused;
    CHECK(!symlink("../other", "sub/link") && !symlink(here("other/below"), "sub/absolute"));
    CHECK(!symlink("link/below", "sub/link-to-link") && !symlink("../other/below/made", "sub/dangling"));
}

static void resolving(void)
{
    char proc[64];

    dir__made("sub");
    dir__made("other");
    dir__made("other/below");
    child__run(make_links, NULL);
    CHECK(!chdir("sub"));
    resolved("..", "../other/below");
    resolved("dots and slashes", ".././/other/../other/./below/.");
    resolved("relative link", "link/below");
    resolved("absolute link", "absolute");
    resolved("link to a link", "link-to-link");
    resolved(".. behind a link", "absolute/../below");
    int fd = open("absolute", O_PATH | O_CLOEXEC);

    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
    CHECK(fd >= 0);
    resolved("link in proc", proc);
    CHECK(!close(fd) && !close(open("dangling", O_CREAT | O_WRONLY | O_CLOEXEC, 0600)));
    life = &(struct life){.what = "link to nothing", .dir = "absolute", .seen = here("other/below"), .leaf = "made"};
    life__one("open", "FILE_CREATE", "");
    CHECK(!chdir(case_dir));
}

/* ---------------------------------------------------------- gone and moved */

static void remove_dir(void *path)
{
    CHECK(!rmdir(path));
}

static void in_deleted_directory(void)
{
    dir__made("gone");
    CHECK(!chdir("gone"));
    child__run(remove_dir, here("gone"));
    CHECK(open("a", O_CREAT | O_WRONLY, 0600) < 0 && errno == ENOENT);
    CHECK(mkdir("a", 0700) < 0 && errno == ENOENT);
    CHECK(symlink("a", "a") < 0 && errno == ENOENT);
    CHECK(rename("../named", "a") < 0 && errno == ENOENT);
    CHECK(!chdir(case_dir));
}

static void move(void *unused)
{
    (void)unused;
    CHECK(!rename(here("before"), here("other/after")));
}

/* The working directory has been moved. */
static void in_moved_directory(void)
{
    struct life before = {.what = "before it was moved", .dir = ".", .seen = here("before/sub"), .leaf = "a"};
    struct life after = {.what = "after it was moved", .dir = ".", .seen = here("other/after/sub"), .leaf = "a"};

    dir__made("before");
    dir__made("before/sub");
    CHECK(!chdir("before/sub"));
    life = &before;
    life__file();
    child__run(move, NULL);
    life = &after;
    life__beside();
    life__deletions();
    CHECK(!chdir(case_dir));
}

/* The file that is written to has no name any more. */
static void deleted_file(void)
{
    struct life l = {.what = "deleted", .dir = ".", .seen = here("sub"), .leaf = "a"};
    struct stat st;

    CHECK(!chdir("sub"));
    life__create(&l);
    int fd = open("a", O_WRONLY | O_CLOEXEC);

    CHECK(fd >= 0);
    life__one("unlink of an open file", "FILE_DELETE", "");
    CHECK(!unlink("a") && write(fd, "abcd", 4) == 4 && !fstat(fd, &st) && !close(fd));
    life__event("write to a deleted file", "FILE_MODIFY");
    fact__int("bytes", 4);
    fact__bool("path_deleted", true);
    life__path("path", "");
    expected__stat(&st);
    CHECK(!chdir(case_dir));
}

int main(void)
{
    fact__int("pid", getpid());
    case__dir();
    life__begin();
    deep_places();
    names();
    roots();
    mounts();
    bound_file();
    nowhere();
    resolving();
    in_deleted_directory();
    in_moved_directory();
    deleted_file();
    life__end();
    return facts__print();
}
