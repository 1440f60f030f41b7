/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file-life.h - the life of a file, for cases about where it is or which process acts: created, written, renamed,
 * linked and deleted, and a directory and a symbolic link beside it. To be included in place of file-ops.h.
 *
 * The list of file-ops.h has paths below a directory; this one has complete paths, of any bytes. The expected events
 * (file_life.py) are all that the process causes between two files that it creates, `begin` and `end`; everything else
 * that is needed is done by other processes.
 */
#ifndef FILE_LIFE_H
#define FILE_LIFE_H

#include "file-ops.h"

#define WHOLE_MAX 20000
#define PATH_LIMIT 4096
#define COMPONENTS_LIMIT 192

struct life {
    const char *what;
    const char *dir;  /* as given to the system calls */
    const char *seen; /* as expected in the events: resolved, without a slash at its end */
    const char *leaf;
    const char *root; /* root_path; NULL if there is to be none */
    bool unreachable;
};

static const struct life *life;

/* Begin and end the list; the facts are between the two. */
static void life__begin(void)
{
    CHECK(!close(open("begin", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600)));
    fact__array("expected");
}

static void life__end(void)
{
    fact__array_end();
    CHECK(!close(open("end", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600)));
}

static void life__event(const char *how, const char *event_type)
{
    char what[200];

    snprintf(what, sizeof(what), "%s, %s", life->what, how);
    expected__begin(what, event_type);
    if (life->root)
        fact__str("root_path", life->root);
    fact__bool("unreachable", life->unreachable);
}

/* Return the path of the file whose name is the leaf and a suffix. */
static void life__path(const char *key, const char *suffix)
{
    static char whole[WHOLE_MAX];
    size_t len = snprintf(whole, sizeof(whole), "%s/%s%s", life->seen, life->leaf, suffix), components = 0;

    CHECK(len < sizeof(whole));
    for (size_t i = 0; i < len; i++)
        components += whole[i] == '/';
    fact__object(key);
    fact__bytes("whole", whole, len);
    fact__bool("cut", len > PATH_LIMIT || components > COMPONENTS_LIMIT);
    fact__object_end();
}

static const char *life__call(const char *suffix)
{
    static char calls[4][PATH_LIMIT];
    static unsigned int next;
    char *call = calls[next++ % ARRAY_LEN(calls)];

    CHECK(snprintf(call, PATH_LIMIT, "%s/%s%s", life->dir, life->leaf, suffix) < PATH_LIMIT);
    return call;
}

/* Expect an event about one path, of the file as it is now. */
static void life__one(const char *how, const char *event_type, const char *suffix)
{
    life__event(how, event_type);
    life__path("path", suffix);
    expected__file(life__call(suffix));
}

static void life__two(const char *how, const char *event_type, const char *from, const char *to)
{
    life__event(how, event_type);
    life__path("old_path", from);
    life__path("new_path", to);
    expected__file(life__call(to));
}

static void life__file(void)
{
    int fd = open(life__call(""), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0640);

    CHECK(fd >= 0);
    life__one("open", "FILE_CREATE", "");
    CHECK(write(fd, "abc", 3) == 3 && !close(fd));
    life__event("write", "FILE_MODIFY");
    fact__str("change_type", "CONTENT");
    fact__int("bytes", 3);
    life__path("path", "");
    expected__file(life__call(""));
    CHECK(!chmod(life__call(""), 0600));
    life__event("chmod", "FILE_MODIFY");
    fact__str("change_type", "PERMISSIONS");
    life__path("path", "");
    expected__file(life__call(""));
    CHECK(!rename(life__call(""), life__call("2")));
    life__two("rename", "FILE_RENAME", "", "2");
    CHECK(!link(life__call("2"), life__call("3")));
    life__two("link", "FILE_LINK", "2", "3");
}

static void life__beside(void)
{
    CHECK(!mkdir(life__call("4"), 0700));
    life__one("mkdir", "FILE_CREATE", "4");
    CHECK(!symlink(life->leaf, life__call("5")));
    life__event("symlink", "FILE_CREATE");
    fact__object("symlink_target_path");
    fact__bytes("whole", life->leaf, strlen(life->leaf));
    fact__bool("cut", false);
    fact__object_end();
    life__path("path", "5");
    expected__file(life__call("5"));
}

static void life__deletions(void)
{
    life__one("rmdir", "FILE_DELETE", "4");
    CHECK(!rmdir(life__call("4")));
    for (const char *const *suffix = (const char *const[]){"2", "3", "5", NULL}; *suffix; suffix++) {
        life__one("unlink", "FILE_DELETE", *suffix);
        CHECK(!unlink(life__call(*suffix)));
    }
}

/* All operations. */
UNUSED static void life__live(const struct life *l)
{
    life = l;
    life__file();
    life__beside();
    life__deletions();
}

/* Only the first ones. */
UNUSED static void life__create(const struct life *l)
{
    life = l;
    CHECK(!close(open(life__call(""), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0604)));
    life__one("open", "FILE_CREATE", "");
}

#endif
