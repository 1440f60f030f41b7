/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file-ops.h - what the cases of file events share: a directory on a file system of choice, and the list of expected
 * events. To be included in place of case.h.
 *
 * The program writes down each event that it causes; the expectation (file_events.py) compares the events of the
 * process in its directory with that list: they must be these, in this order, and no others.
 */
#ifndef FILE_OPS_H
#define FILE_OPS_H

#include "case.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "ring.h"

/* --------------------------------------------------------------- directory */

UNUSED static bool place_is_overlay;
UNUSED static bool place_has_other_devices; /* stat returns other numbers than the kernel shows to the probes */

/* An ext2 file system, which the ext4 driver mounts. */
static void ext4__mount(void *place)
{
    CHECK(!setenv("PLACE", place, 1));
    CHECK(!system("dd if=/dev/zero of=$PLACE.image bs=1M count=8 2>/dev/null"));
    CHECK(!system("mke2fs -F $PLACE.image >/dev/null 2>&1"));
    CHECK(!system("mount -t ext4 -o loop $PLACE.image $PLACE"));
}

static void overlay__mount(void *place)
{
    char options[600], lower[280];

    /* an upper layer on a tmpfs of its own: overlayfs does not accept the initial root */
    snprintf(options, sizeof(options), "%s.layers", (char *)place);
    CHECK(!mkdir(options, 0755) && !mount("layers", options, "tmpfs", 0, NULL));
    snprintf(lower, sizeof(lower), "%s.layers/lower", (char *)place);
    CHECK(!mkdir(lower, 0755));
    snprintf(options, sizeof(options), "%s.layers/upper", (char *)place);
    CHECK(!mkdir(options, 0755));
    snprintf(options, sizeof(options), "%s.layers/work", (char *)place);
    CHECK(!mkdir(options, 0755));
    strcat(lower, "/below");
    file__write(lower, "below\n", 6, 0644);
    snprintf(options, sizeof(options), "lowerdir=%s.layers/lower,upperdir=%s.layers/upper,workdir=%s.layers/work",
             (char *)place, (char *)place, (char *)place);
    CHECK(!mount("overlay", place, "overlay", 0, options));
}

/*
 * Create an empty directory, on the file system that the first argument names (tmpfs, ext4 or overlay), and enter it.
 * Other processes do what that takes, so that it is no event of this one.
 */
UNUSED static void place__make(int argc, char **argv)
{
    const char *kind = argc > 1 ? argv[1] : "tmpfs";

    case__dir();
    fact__str("file_system", kind);
    if (!strcmp(kind, "ext4")) {
        child__run(ext4__mount, case_dir);
    } else if (!strcmp(kind, "overlay")) {
        child__run(overlay__mount, case_dir);
        place_is_overlay = true;
    } else {
        CHECK(!mount("place", case_dir, "tmpfs", 0, NULL));
    }
    CHECK(!chdir(case_dir));
    fact__array("expected");
}

/* End the list of expected events; further facts may follow. */
UNUSED static void place__end(void)
{
    fact__array_end();
}

/* ----------------------------------------------------------- expectations */

UNUSED static uid_t actor_ruid; /* the real user id of the actor; 0: not compared */

static void expected__begin(const char *what, const char *event_type)
{
    fact__object(NULL);
    fact__str("what", what);
    fact__str("event_type", event_type);
    if (actor_ruid)
        fact__int("ruid", actor_ruid);
}

static void expected__path(const char *key, const char *name)
{
    char path[5000];

    snprintf(path, sizeof(path), "%s/%s", case_dir, name);
    fact__str(key, name[0] == '/' ? name : path);
}

static void expected__device(dev_t device)
{
    if (place_is_overlay || place_has_other_devices)
        return;
    fact__int("dev_major", major(device));
    fact__int("dev_minor", minor(device));
}

/* Add the current state of the file. On overlayfs some numbers are not those that the kernel's inode has. */
static void expected__stat(const struct stat *st)
{
    fact__int("size", S_ISREG(st->st_mode) ? st->st_size : -1);
    fact__int("mode", st->st_mode);
    fact__int("uid", st->st_uid);
    expected__device(st->st_dev);
    if (!place_is_overlay)
        fact__int("inode", st->st_ino);
    fact__object_end();
}

static void expected__file(const char *name)
{
    struct stat st;

    CHECK(!lstat(name, &st));
    expected__stat(&st);
}

static void created(const char *what, const char *name)
{
    expected__begin(what, "FILE_CREATE");
    expected__path("path", name);
    expected__file(name);
}

/* Expect a content change of `bytes`, or of an unknown number of them (-1). */
UNUSED static void written(const char *what, const char *name, long long bytes)
{
    expected__begin(what, "FILE_MODIFY");
    expected__path("path", name);
    fact__str("change_type", "CONTENT");
    if (bytes >= 0)
        fact__int("bytes", bytes);
    else
        fact__bool("no_bytes", true);
    expected__file(name);
}

UNUSED static void changed(const char *what, const char *name, const char *change_type)
{
    expected__begin(what, "FILE_MODIFY");
    expected__path("path", name);
    fact__str("change_type", change_type);
    expected__file(name);
}

/* Create a regular file; it is an event like any other. */
UNUSED static int make_file(const char *name)
{
    int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    CHECK(fd >= 0);
    created("open", name);
    return fd;
}

#endif
