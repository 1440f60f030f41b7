/* SPDX-License-Identifier: BSD-2-Clause */
/* case-file-create: create files in every way. The argument names the file system. */
#include "file-ops.h"

#include <linux/openat2.h>
#include <sys/socket.h>
#include <sys/un.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
enum { OTHER_USER = 1002 };
enum { INT80_CREAT = 8, INT80_LINK = 9, INT80_MKNOD = 14, INT80_OPEN = 5, INT80_MKDIR = 39, INT80_SYMLINK = 83 };

static void by_open(void)
{
    struct open_how how = {.flags = O_CREAT | O_WRONLY, .mode = 0640};

    CHECK(!close(make_file("open")));
    CHECK(!close(creat("creat", 0600)));
    created("creat", "creat");
    CHECK(!close(openat(AT_FDCWD, "openat", O_CREAT | O_RDONLY, 0444)));
    created("openat", "openat");
    int fd = syscall(SYS_openat2, AT_FDCWD, "openat2", &how, sizeof(how));

    CHECK(fd >= 0 && !close(fd));
    created("openat2", "openat2");
    /* not created: it exists */
    CHECK(!close(open("open", O_CREAT | O_RDWR, 0600)));
    CHECK(open("open", O_CREAT | O_EXCL | O_RDWR, 0600) < 0 && errno == EEXIST);
    CHECK(open("nowhere/open", O_CREAT | O_RDWR, 0600) < 0 && errno == ENOENT);
    CHECK(!close(make_file("open after a failure")));
}

static void by_nodes(void)
{
    CHECK(!mkdir("mkdir", 0750));
    created("mkdir", "mkdir");
    CHECK(mkdir("mkdir", 0750) < 0 && errno == EEXIST);
    CHECK(mkdir("nowhere/mkdir", 0750) < 0);
    CHECK(!mkdirat(AT_FDCWD, "mkdir/mkdirat", 0711));
    created("mkdirat", "mkdir/mkdirat");
    CHECK(!mknod("mknod-fifo", S_IFIFO | 0600, 0));
    created("mknod a pipe", "mknod-fifo");
    CHECK(!mknod("mknod-chr", S_IFCHR | 0600, makedev(1, 3)));
    created("mknod a character device", "mknod-chr");
    CHECK(!mknod("mknod-blk", S_IFBLK | 0600, makedev(7, 200)));
    created("mknod a block device", "mknod-blk");
    CHECK(!mknod("mknod-reg", S_IFREG | 0600, 0));
    created("mknod a regular file", "mknod-reg");
    CHECK(mknod("mknod-reg", S_IFREG | 0600, 0) < 0);
    CHECK(!mkfifo("mkfifo", 0622));
    created("mkfifo", "mkfifo");
}

static void symlinked(const char *what, const char *name, const char *target)
{
    expected__begin(what, "FILE_CREATE");
    expected__path("path", name);
    fact__str("symlink_target_path", target);
    expected__file(name);
}

static void by_symlink(void)
{
    char target[301];

    memset(target, 'x', 300);
    target[300] = '\0';
    CHECK(!symlink("to/nothing", "symlink"));
    symlinked("symlink", "symlink", "to/nothing");
    CHECK(symlink("to/nothing", "symlink") < 0);
    CHECK(!symlinkat(target, AT_FDCWD, "symlinkat"));
    symlinked("symlinkat, a long target", "symlinkat", target);
}

static void linked(const char *what, const char *from, const char *to)
{
    expected__begin(what, "FILE_LINK");
    expected__path("old_path", from);
    expected__path("new_path", to);
    expected__file(to);
}

static void by_link(void)
{
    CHECK(!link("open", "link"));
    linked("link", "open", "link");
    CHECK(link("open", "link") < 0);
    CHECK(!linkat(AT_FDCWD, "symlink", AT_FDCWD, "mkdir/linkat", 0));
    expected__begin("linkat of a symbolic link", "FILE_LINK");
    expected__path("old_path", "symlink");
    expected__path("new_path", "mkdir/linkat");
    fact__str("symlink_target_path", place_is_overlay ? "" : "to/nothing"); /* an overlay's inode does not have it */
    expected__file("mkdir/linkat");
}

static void by_bind(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof(address)) && !close(fd));
    created("bind", "socket");
}

/* A file without a name is no event; giving it a name is. */
static void by_tmpfile(void)
{
    char proc[64];
    int fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0604);

    if (fd < 0) { /* overlayfs before 6.2 */
        CHECK(errno == EOPNOTSUPP || errno == EISDIR);
        return;
    }
    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
    CHECK(!linkat(AT_FDCWD, proc, AT_FDCWD, "tmpfile", AT_SYMLINK_FOLLOW));
    created("O_TMPFILE and linkat", "tmpfile");
    CHECK(!linkat(AT_FDCWD, "tmpfile", AT_FDCWD, "tmpfile2", 0));
    linked("its second name", "tmpfile", "tmpfile2");
    CHECK(!close(fd));
    fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0604); /* never gets a name */
    CHECK(fd >= 0 && !close(fd));
}

/* It fails, and on some kernels leaves a file behind. */
static void by_open_of_directory(void)
{
    CHECK(open("file-or-directory", O_CREAT | O_DIRECTORY | O_RDONLY | O_CLOEXEC, 0640) < 0);
    if (!access("file-or-directory", F_OK))
        created("open with O_DIRECTORY", "file-or-directory");
    CHECK(open("file-or-directory", O_DIRECTORY | O_RDONLY | O_CLOEXEC) < 0);
    CHECK(open("open", O_CREAT | O_DIRECTORY | O_RDONLY | O_CLOEXEC, 0640) < 0);
}

/* A security module by which a thread can restrict itself. */
#define LANDLOCK_CREATE_RULESET 444
#define LANDLOCK_RESTRICT_SELF 446
#define LANDLOCK_VERSION 1
#define LANDLOCK_WRITE_FILE (UINT64_C(1) << 1)

static bool has_landlock(void)
{
    return syscall(LANDLOCK_CREATE_RULESET, NULL, 0, LANDLOCK_VERSION) >= 1;
}

/* The refusal comes after the file system has created the file, which remains. */
static void *by_refused_open(void *unused)
{
    uint64_t handled = LANDLOCK_WRITE_FILE;
    long ruleset = syscall(LANDLOCK_CREATE_RULESET, &handled, sizeof(handled), 0);

    CHECK(ruleset >= 0 && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0));
    CHECK(open("refused", O_CREAT | O_WRONLY | O_CLOEXEC, 0600) < 0 && errno == EACCES);
    created("open that is refused", "refused");
    CHECK(!close((int)ruleset));
    return unused;
}

/* By a thread of another user: an overlay acts with the credentials of the process that mounted it. */
static void *by_another_user(void *unused)
{
    CHECK(!syscall(SYS_setresuid, OTHER_USER, -1, -1)); /* of this thread alone; the effective id is not changed */
    actor_ruid = OTHER_USER;
    CHECK(!mkdir("user-mkdir", 0700));
    created("mkdir by another user", "user-mkdir");
    CHECK(!mknod("user-fifo", S_IFIFO | 0600, 0));
    created("mknod by another user", "user-fifo");
    CHECK(!symlink("to/nothing", "user-symlink"));
    symlinked("symlink by another user", "user-symlink", "to/nothing");
    CHECK(!close(make_file("user-open")));
    CHECK(!link("user-open", "user-link"));
    linked("link by another user", "user-open", "user-link");
    actor_ruid = 0;
    return unused;
}

/* 32-bit numbers; strings below 4 GiB. */
static void by_int80(void)
{
    static char o[] = "int80-open", c[] = "int80-creat", m[] = "int80-mkdir", n[] = "int80-mknod";
    static char s[] = "int80-symlink", l[] = "int80-link", target[] = "target";

    long fd = int80(INT80_OPEN, (long)o, O_CREAT | O_WRONLY, 0600, 0);

    CHECK(fd >= 0 && !close(fd));
    created("int80 open", o);
    fd = int80(INT80_CREAT, (long)c, 0600, 0, 0);
    CHECK(fd >= 0 && !close(fd));
    created("int80 creat", c);
    CHECK(!int80(INT80_MKDIR, (long)m, 0700, 0, 0));
    created("int80 mkdir", m);
    CHECK(!int80(INT80_MKNOD, (long)n, S_IFIFO | 0600, 0, 0));
    created("int80 mknod", n);
    CHECK(!int80(INT80_SYMLINK, (long)target, (long)s, 0, 0));
    symlinked("int80 symlink", s, target);
    CHECK(!int80(INT80_LINK, (long)o, (long)l, 0, 0));
    linked("int80 link", o, l);
}

static void by_ring(const struct ring_way *way)
{
    char o[64], m[64], s[64], l[64];
    struct ring r;

    if (!ring__open(&r, way->setup_flags))
        return;
    snprintf(o, sizeof(o), "%s-open", way->name);
    snprintf(m, sizeof(m), "%s-mkdir", way->name);
    snprintf(s, sizeof(s), "%s-symlink", way->name);
    snprintf(l, sizeof(l), "%s-link", way->name);

    struct io_uring_sqe sqe = {.opcode = IORING_OP_OPENAT, .flags = way->sqe_flags, .fd = AT_FDCWD,
                               .addr = (uintptr_t)o, .len = 0600, .open_flags = O_CREAT | O_WRONLY};
    int res = ring__do(&r, &sqe);

    CHECK(res >= 0 && !close(res));
    created("io_uring openat", o);
    sqe = (struct io_uring_sqe){.opcode = IORING_OP_MKDIRAT, .flags = way->sqe_flags, .fd = AT_FDCWD,
                                .addr = (uintptr_t)m, .len = 0700};
    res = ring__do(&r, &sqe);
    CHECK(res == 0 || ring__lacks(res));
    if (!res)
        created("io_uring mkdirat", m);
    sqe = (struct io_uring_sqe){.opcode = IORING_OP_SYMLINKAT, .flags = way->sqe_flags, .fd = AT_FDCWD,
                                .addr = (uintptr_t) "target", .addr2 = (uintptr_t)s};
    res = ring__do(&r, &sqe);
    CHECK(res == 0 || ring__lacks(res));
    if (!res)
        symlinked("io_uring symlinkat", s, "target");
    sqe = (struct io_uring_sqe){.opcode = IORING_OP_LINKAT, .flags = way->sqe_flags, .fd = AT_FDCWD,
                                .addr = (uintptr_t)o, .len = AT_FDCWD, .addr2 = (uintptr_t)l};
    res = ring__do(&r, &sqe);
    CHECK(res == 0 || ring__lacks(res));
    if (!res)
        linked("io_uring linkat", o, l);
    CHECK(!close(r.fd));
}

int main(int argc, char **argv)
{
    fact__int("pid", getpid());
    place__make(argc, argv);
    by_open();
    by_nodes();
    by_symlink();
    by_link();
    by_bind();
    by_tmpfile();
    by_open_of_directory();
    bool int80_works = child__wait(child__start(int80__getpid, NULL)) == 0;

    if (int80_works)
        by_int80();
    thread__run(by_another_user, NULL);
    for (size_t i = 0; i < ARRAY_LEN(ring_ways); i++)
        by_ring(&ring_ways[i]);
    bool landlock_works = has_landlock();

    if (landlock_works)
        thread__run(by_refused_open, NULL);
    place__end();
    if (!landlock_works)
        fact__str("skipped_landlock", "a refused open: the kernel has no Landlock");
    return facts__print();
}
