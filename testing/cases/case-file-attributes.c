/* SPDX-License-Identifier: BSD-2-Clause */
/* case-file-attributes: change mode, owner, times and attributes of files. The argument names the file system. */
#include "file-ops.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/xattr.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_file_setattr
#define SYS_file_setattr 469
#endif
#define IOC32_SETFLAGS 0x40046602
enum { INT80_CHMOD = 15, INT80_IOCTL = 54, INT80_CHOWN32 = 212, INT80_SETXATTR = 226 };

/* Return whether the call failed because the kernel or the file system does not have it. */
static bool is_missing(void)
{
    return errno == ENOSYS || errno == ENOTTY || errno == EOPNOTSUPP;
}

static void of_mode(int fd)
{
    CHECK(chmod("nothing", 0600) < 0 && errno == ENOENT);
    CHECK(!chmod("file", 0604));
    changed("chmod after a failure", "file", "PERMISSIONS");
    CHECK(!fchmod(fd, 0640));
    changed("fchmod", "file", "PERMISSIONS");
    CHECK(!fchmodat(AT_FDCWD, "file", 04755, 0));
    changed("fchmodat", "file", "PERMISSIONS");
    if (!syscall(SYS_fchmodat2, AT_FDCWD, "file", 0600, AT_SYMLINK_NOFOLLOW))
        changed("fchmodat2", "file", "PERMISSIONS");
    else
        CHECK(errno == ENOSYS);
}

static void of_owner(int fd)
{
    CHECK(chown("nothing", 1, 2) < 0);
    CHECK(!chown("file", 10, 20));
    changed("chown after a failure", "file", "OWNER");
    CHECK(!fchown(fd, 11, -1));
    changed("fchown", "file", "OWNER");
    CHECK(!symlink("file", "link"));
    expected__begin("symlink", "FILE_CREATE");
    expected__path("path", "link");
    expected__file("link");
    CHECK(!lchown("link", 12, 22));
    changed("lchown", "link", "OWNER");
    CHECK(!fchownat(AT_FDCWD, "file", 13, 23, 0));
    changed("fchownat", "file", "OWNER");
}

static void of_times(int fd)
{
    struct timespec times[2] = {{1000000000, 5}, {1100000000, 6}};
    struct timeval old[2] = {{1000000001, 0}, {1100000001, 0}};

    CHECK(utimensat(AT_FDCWD, "nothing", times, 0) < 0);
    CHECK(!utimensat(AT_FDCWD, "file", times, 0));
    changed("utimensat after a failure", "file", "TIMES");
    CHECK(!futimens(fd, NULL));
    changed("futimens", "file", "TIMES");
    CHECK(!utimes("file", old));
    changed("utimes", "file", "TIMES");
}

static void of_attribute(const char *what, const char *name)
{
    expected__begin(what, "FILE_MODIFY");
    expected__path("path", "file");
    fact__str("change_type", "XATTRS");
    fact__str("xattr_name", name);
    expected__file("file");
}

/* As far as the file system supports them. */
static void of_attributes(int fd)
{
    CHECK(removexattr("file", "trusted.none") < 0);
    if (!setxattr("file", "trusted.a", "value", 5, 0)) {
        of_attribute("setxattr after a failure", "trusted.a");
        CHECK(!lsetxattr("file", "trusted.b", "value", 5, XATTR_CREATE));
        of_attribute("lsetxattr", "trusted.b");
        CHECK(lsetxattr("file", "trusted.b", "value", 5, XATTR_CREATE) < 0 && errno == EEXIST);
        CHECK(!fsetxattr(fd, "trusted.c", "value", 5, 0));
        of_attribute("fsetxattr", "trusted.c");
        CHECK(!removexattr("file", "trusted.a"));
        of_attribute("removexattr", "trusted.a");
        CHECK(!lremovexattr("file", "trusted.b"));
        of_attribute("lremovexattr", "trusted.b");
        CHECK(!fremovexattr(fd, "trusted.c"));
        of_attribute("fremovexattr", "trusted.c");
    }
}

/* An access control list in the kernel's format: owner, a user, group, mask, others. */
static void of_acl(void)
{
    static const unsigned char acl[] = {
        2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 7, 0, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255,
        16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 4, 0, 255, 255, 255, 255};

    if (setxattr("file", "system.posix_acl_access", acl, sizeof(acl), 0)) {
        CHECK(errno == EOPNOTSUPP);
        return;
    }
    of_attribute("an access control list", "system.posix_acl_access");
    CHECK(!removexattr("file", "system.posix_acl_access"));
    of_attribute("an access control list removed", "system.posix_acl_access");
}

/* As far as the file system supports them. The call that fails has flags that no file can have. */
static bool of_flags(int fd)
{
    int flags = FS_IMMUTABLE_FL, none = 0, wrong = 0x800000;
    struct fsxattr fsx = {.fsx_xflags = FS_XFLAG_NODUMP};
    unsigned long long attributes[] = {FS_XFLAG_NODUMP, 0, 0};

    if (ioctl(fd, FS_IOC_SETFLAGS, &flags)) {
        CHECK(is_missing());
        return false;
    }
    changed("made immutable", "file", "FLAGS");
    CHECK(chmod("file", 0600) < 0);
    CHECK(!ioctl(fd, FS_IOC_SETFLAGS, &none));
    changed("made mutable", "file", "FLAGS");
    CHECK(ioctl(fd, FS_IOC_SETFLAGS, &wrong) < 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0);
    if (!ioctl(fd, FS_IOC_FSSETXATTR, &fsx))
        changed("FSSETXATTR", "file", "FLAGS");
    else
        CHECK(is_missing());
    if (!syscall(SYS_file_setattr, AT_FDCWD, "file", attributes, sizeof(attributes), 0))
        changed("file_setattr", "file", "FLAGS");
    else
        CHECK(is_missing());
    return true;
}

/* By a descriptor of a file that was copied up before, and of one that is copied up by the call. */
static void of_flags_below(void)
{
    int fd = open("below", O_RDONLY | O_CLOEXEC), flags = FS_NODUMP_FL;

    CHECK(fd >= 0);
    if (!ioctl(fd, FS_IOC_SETFLAGS, &flags))
        changed("flags of a file below", "below", "FLAGS");
    else
        CHECK(is_missing());
    CHECK(!close(fd));
}

static void flags_by_int80(int fd)
{
    static int flags = FS_NODUMP_FL;

    if (!int80(INT80_IOCTL, fd, IOC32_SETFLAGS, (long)&flags, 0))
        changed("int80 ioctl", "file", "FLAGS");
    else
        CHECK(is_missing());
}

static void by_int80(void)
{
    static char file[] = "file", name[] = "trusted.d", value[] = "v";

    CHECK(!int80(INT80_CHMOD, (long)file, 0611, 0, 0));
    changed("int80 chmod", "file", "PERMISSIONS");
    CHECK(!int80(INT80_CHOWN32, (long)file, 5, 6, 0));
    changed("int80 chown", "file", "OWNER");
    if (!int80(INT80_SETXATTR, (long)file, (long)name, (long)value, 1))
        of_attribute("int80 setxattr", name);
    else
        CHECK(is_missing());
}

int main(int argc, char **argv)
{
    fact__int("pid", getpid());
    place__make(argc, argv);
    int fd = make_file("file");

    of_mode(fd);
    of_owner(fd);
    of_times(fd);
    of_attributes(fd);
    of_acl();
    bool has_flags = of_flags(fd);

    if (place_is_overlay)
        of_flags_below();
    if (child__wait(child__start(int80__getpid, NULL)) == 0) {
        by_int80();
        if (has_flags)
            flags_by_int80(fd);
    }
    place__end();
    return facts__print();
}
