/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case-file-btrfs: create and delete btrfs subvolumes and snapshots, by ioctls, and files in them, whose device numbers
 * are not that of their file system.
 */
#include "file-ops.h"

#include <linux/btrfs.h>
#include <sys/ioctl.h>

enum { INT80_IOCTL = 54, SUBVOLUME_INODE = 256, OTHER_USER = 1002 };

static struct btrfs_ioctl_vol_args args;
static struct btrfs_ioctl_vol_args_v2 args_v2;

static void mount_btrfs(void *place)
{
    CHECK(!setenv("PLACE", place, 1) && !setenv("PATH", "/opt/bin:/bin:/sbin:/usr/bin:/usr/sbin", 1));
    if (system("dd if=/dev/zero of=$PLACE.image bs=1M count=0 seek=128 2>/dev/null && "
               "mkfs.btrfs -q -M $PLACE.image >/dev/null 2>&1 && "
               "mount -t btrfs -o loop $PLACE.image $PLACE 2>/dev/null"))
        _exit(1);
}

static void make_directory(void *name)
{
    CHECK(!mkdir(name, 0755));
}

/* The device of a subvolume that is about to be deleted. */
static dev_t doomed;

static const char *doom(const char *name)
{
    struct stat st;

    CHECK(!stat(name, &st));
    doomed = st.st_dev;
    return name;
}

static void deleted(const char *what, const char *name)
{
    expected__begin(what, "FILE_DELETE");
    expected__path("path", name);
    fact__int("inode", SUBVOLUME_INODE);
    expected__device(doomed);
    fact__object_end();
}

/* A file in a subvolume and the one in its snapshot differ by their devices only. */
static void in_subvolume(const char *subvolume)
{
    char name[80];

    snprintf(name, sizeof(name), "%s/f", subvolume);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    CHECK(fd >= 0);
    created("a file in it", name);
    CHECK(!close(fd) && !truncate(name, 0));
    changed("truncate", name, "CONTENT");
    CHECK(!chmod(name, 0600));
    changed("chmod", name, "PERMISSIONS");
    expected__begin("unlink", "FILE_DELETE");
    expected__path("path", name);
    expected__file(name);
    CHECK(!unlink(name));
}

static int by_name(int dir, unsigned long command, const char *name, int source)
{
    snprintf(args.name, sizeof(args.name), "%s", name);
    args.fd = source;
    return ioctl(dir, command, &args);
}

static int by_name_v2(int dir, unsigned long command, const char *name, int source)
{
    memset(&args_v2, 0, sizeof(args_v2));
    snprintf(args_v2.name, sizeof(args_v2.name), "%s", name);
    args_v2.fd = source;
    return ioctl(dir, command, &args_v2);
}

static void in_directory(int dir, const char *prefix)
{
    char a[64], b[64], v[64];
    struct stat st;

    snprintf(a, sizeof(a), "%sa", prefix);
    snprintf(b, sizeof(b), "%sb", prefix);
    snprintf(v, sizeof(v), "%sv", prefix);
    CHECK(!by_name(dir, BTRFS_IOC_SUBVOL_CREATE, "a", 0));
    created("subvolume", a);
    int source = open(a, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    CHECK(source >= 0 && stat(b, &st) < 0); /* a name that the kernel has cached as missing */
    CHECK(!by_name(dir, BTRFS_IOC_SNAP_CREATE, "b", source));
    created("snapshot", b);
    in_subvolume(a);
    in_subvolume(b);
    CHECK(by_name(dir, BTRFS_IOC_SUBVOL_CREATE, "a", 0) < 0 && errno == EEXIST);
    CHECK(!by_name_v2(dir, BTRFS_IOC_SUBVOL_CREATE_V2, "v", 0));
    created("subvolume, version 2", v);
    doom(v);
    CHECK(!by_name(dir, BTRFS_IOC_SNAP_DESTROY, "v", 0));
    deleted("subvolume deleted", v);
    CHECK(!by_name_v2(dir, BTRFS_IOC_SNAP_CREATE_V2, "v", source));
    created("snapshot, version 2", v);
    CHECK(!close(source));
    doom(v);
    CHECK(!by_name_v2(dir, BTRFS_IOC_SNAP_DESTROY_V2, "v", 0));
    deleted("snapshot deleted, version 2", v);
    CHECK(by_name(dir, BTRFS_IOC_SNAP_DESTROY, "v", 0) < 0 && errno == ENOENT);
    doom(b);
    CHECK(!by_name(dir, BTRFS_IOC_SNAP_DESTROY, "b", 0));
    deleted("snapshot deleted", b);
    CHECK(!rmdir(doom(a))); /* like any directory */
    deleted("rmdir", a);
}

/* A directory that is refused, whose name the kernel caches, and then a subvolume of that name. */
static void after_refusal(int dir)
{
    CHECK(!syscall(SYS_setresuid, -1, OTHER_USER, -1));
    CHECK(mkdir("refused", 0755) < 0 && errno == EACCES);
    CHECK(!syscall(SYS_setresuid, -1, 0, -1));
    CHECK(!by_name(dir, BTRFS_IOC_SUBVOL_CREATE, "refused", 0));
    created("subvolume, after a refused directory", "refused");
    doom("refused");
    CHECK(!by_name(dir, BTRFS_IOC_SNAP_DESTROY, "refused", 0));
    deleted("that subvolume, deleted", "refused");
}

static void by_int80(int dir)
{
    static struct btrfs_ioctl_vol_args below_4gib;

    strcpy(below_4gib.name, "int80");
    CHECK(!int80(INT80_IOCTL, dir, BTRFS_IOC_SUBVOL_CREATE, (long)&below_4gib, 0));
    created("int80 subvolume", "int80");
    doom("int80");
    CHECK(!int80(INT80_IOCTL, dir, BTRFS_IOC_SNAP_DESTROY, (long)&below_4gib, 0));
    deleted("int80 subvolume deleted", "int80");
}

int main(void)
{
    fact__int("pid", getpid());
    case__dir();
    if (child__wait(child__start(mount_btrfs, case_dir)) || chdir(case_dir))
        case__skip("no btrfs here: the kernel lacks it, or mkfs.btrfs is not installed on the host (btrfs-progs)");
    child__run(make_directory, (void *)"d");
    place_has_other_devices = access("/sys/kernel/btf/btrfs", R_OK) < 0;
    fact__array("expected");
    int root = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), below = open("d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    CHECK(root >= 0 && below >= 0);
    in_directory(root, "");
    in_directory(below, "d/");
    after_refusal(root);
    if (child__wait(child__start(int80__getpid, NULL)) == 0)
        by_int80(root);
    fact__array_end();
    if (place_has_other_devices)
        fact__str("skipped_devices", "device numbers: the modules of this kernel have no BTF");
    return facts__print();
}
