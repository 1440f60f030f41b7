/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case-file-container: files in a container as runtimes create them: a mount namespace of its own, an overlay as root,
 * pivot_root, a volume and a tmpfs. Some files come from the image, and the overlay copies them when they are changed.
 */
#include "file-life.h"

static void make_root(void)
{
    const char *const dirs[] = {"lower", "upper", "work", "merged", "volume", "lower/srv", "lower/old", "lower/volume",
                                "lower/tmp", "lower/srv/dir"};

    for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
        CHECK(!mkdir(dirs[i], 0755));
    static const char *const names[] = {"write", "chmod", "rename", "link", "unlink", NULL};

    for (const char *const *name = names; *name; name++) {
        char path[64];

        snprintf(path, sizeof(path), "lower/srv/%s", *name);
        file__write(path, "image\n", 6, 0644);
    }
}

static void enter_root(void)
{
    CHECK(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    fact__namespaces("ns", getpid());
    CHECK(!mount("overlay", "merged", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work"));
    CHECK(!mount("volume", "merged/volume", NULL, MS_BIND, NULL) && !mount("tmp", "merged/tmp", "tmpfs", 0, NULL));
    CHECK(!syscall(SYS_pivot_root, "merged", "merged/old") && !chdir("/"));
    CHECK(!umount2("/old", MNT_DETACH));
}

static struct life of_image(const char *leaf)
{
    return (struct life){.what = "file of the image", .dir = "/srv", .seen = "/srv", .leaf = leaf, .root = "/"};
}

static void changes_of_image(void)
{
    struct life l = of_image("write");
    int fd;

    life = &l;
    fd = open("/srv/write", O_WRONLY | O_APPEND | O_CLOEXEC);
    CHECK(fd >= 0 && write(fd, "more\n", 5) == 5 && !close(fd));
    life__event("write", "FILE_MODIFY");
    fact__int("bytes", 5);
    life__path("path", "");
    expected__file("/srv/write");
    l = of_image("chmod");
    CHECK(!chmod("/srv/chmod", 0600));
    life__event("chmod", "FILE_MODIFY");
    fact__str("change_type", "PERMISSIONS");
    life__path("path", "");
    expected__file("/srv/chmod");
}

static void names_of_image(void)
{
    struct life l = of_image("rename");

    life = &l;
    CHECK(!rename("/srv/rename", "/srv/rename2"));
    life__two("rename", "FILE_RENAME", "", "2");
    l = of_image("link");
    CHECK(!link("/srv/link", "/srv/link2"));
    life__two("link", "FILE_LINK", "", "2");
    l = of_image("unlink");
    life__one("unlink", "FILE_DELETE", "");
    CHECK(!unlink("/srv/unlink"));
    CHECK(!close(open("/srv/unlink", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600)));
    life__one("create it anew", "FILE_CREATE", "");
    l = of_image("dir");
    life__one("rmdir", "FILE_DELETE", "");
    CHECK(!rmdir("/srv/dir") && !mkdir("/srv/dir", 0700));
    life__one("mkdir anew", "FILE_CREATE", "");
}

static void container(void *unused)
{
    (void)unused;
    fact__int("pid", getpid());
    enter_root();
    CHECK(!chdir("/srv"));
    life__begin();
    place_is_overlay = true;
    life__live(&(struct life){.what = "root directory", .dir = "/", .seen = "", .leaf = "a", .root = "/"});
    life__live(&(struct life){.what = "working directory", .dir = ".", .seen = "/srv", .leaf = "a", .root = "/"});
    changes_of_image();
    names_of_image();
    place_is_overlay = false;
    life__live(&(struct life){.what = "volume", .dir = "/volume", .seen = "/volume", .leaf = "a", .root = "/"});
    life__live(&(struct life){.what = "tmpfs", .dir = "../tmp", .seen = "/tmp", .leaf = "a", .root = "/"});
    life__end();
    CHECK(!facts__print());
}

int main(void)
{
    case__dir();
    fact__namespaces("host_ns", getpid());
    make_root();
    child__run(container, NULL);
    return 0;
}
