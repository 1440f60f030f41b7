/* SPDX-License-Identifier: BSD-2-Clause */
/* Resolve.c - see Resolve.h. */
#include "Resolve.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../Kernel/Cgroups.h"

#define WILDCARDS "*?["

static const char too_long[] = "the path is too long";
static const char no_wildcards[] = "nothing has that name, and wildcards are not expanded; name the directory above";

/* A path that is built component by component. */
struct walk {
    char *path; /* PATH_MAX bytes; "" is the root */
    size_t len;
    int levels;
};

static bool walk__descend(struct walk *walk, const char *name, size_t len)
{
    if (walk->len + 1 + len >= PATH_MAX)
        return false;
    walk->path[walk->len++] = '/';
    memcpy(walk->path + walk->len, name, len);
    walk->len += len;
    walk->path[walk->len] = '\0';
    walk->levels++;
    return true;
}

static void walk__ascend(struct walk *walk)
{
    char *slash = strrchr(walk->path, '/');

    if (!slash)
        return;
    *slash = '\0';
    walk->len = (size_t)(slash - walk->path);
    walk->levels--;
}

/* Move to the next component of a text, skipping "." and empty ones. Returns its length, 0 at the end. */
static size_t component__next(const char **text)
{
    size_t len;

    do {
        *text += strspn(*text, "/");
        len = strcspn(*text, "/");
    } while (len == 1 && **text == '.' && (*text)++);
    return len;
}

static bool component__is_parent(const char *text, size_t len)
{
    return len == 2 && !strncmp(text, "..", 2);
}

static bool path__is_link(const char *path)
{
    struct stat st;

    return !lstat(path, &st) && S_ISLNK(st.st_mode);
}

static bool path__is_there(const char *path)
{
    struct stat st;

    return !lstat(*path ? path : "/", &st);
}

static bool text__has_wildcards(const char *text)
{
    return strpbrk(text, WILDCARDS);
}

/* Replace a path that is a link by its target. */
static bool walk__follow(struct walk *walk)
{
    char target[PATH_MAX];

    if (!realpath(walk->path, target))
        return false;
    walk->len = strcmp(target, "/") ? strlen(target) : 0;
    memcpy(walk->path, target, walk->len);
    walk->path[walk->len] = '\0';
    return true;
}

int path__resolve(const char *text, char ret_path[PATH_MAX], char ret_target[PATH_MAX], const char **ret_why)
{
    struct walk walk = {.path = ret_path};
    const char *at = text;
    int links = 0;
    size_t len;

    *ret_path = *ret_target = '\0';
    *ret_why = "a path begins with / and has a name in it";
    if (*text != '/')
        return -1;
    for (; (len = component__next(&at)); at += len) {
        if (path__is_link(ret_path)) {
            *ret_why = "it is below a link that leads nowhere";
            if (!walk__follow(&walk))
                return -1;
            links++;
        }
        if (component__is_parent(at, len)) {
            *ret_why = "'..' is above what is not there; leave it out";
            if (!path__is_there(ret_path))
                return -1;
            walk__ascend(&walk);
        } else if (!walk__descend(&walk, at, len)) {
            *ret_why = too_long;
            return -1;
        }
    }
    *ret_why = "a path has a name in it; leave it out to select all";
    if (!walk.len)
        return -1;
    *ret_why = no_wildcards;
    if (text__has_wildcards(text) && !path__is_there(ret_path))
        return -1;
    if (!path__is_link(ret_path))
        return links;
    if (!realpath(ret_path, ret_target) || !strcmp(ret_target, "/"))
        *ret_target = '\0';
    return links + 1;
}

/* Return the part of a path below a mount; NULL if it is not below. */
static const char *mount__skip(const char *mount, const char *path)
{
    size_t len = strlen(mount);

    return !strncmp(path, mount, len) && (path[len] == '/' || !path[len]) ? path + len : NULL;
}

/* Write the directory of a cgroup. False if it has no room. */
static bool cgroup__directory(const char *mount, const char *path, char ret_directory[PATH_MAX])
{
    return snprintf(ret_directory, PATH_MAX, "%s%s%s", mount, *path == '/' ? "" : "/", path) < PATH_MAX;
}

/*
 * Return the part of a text that is below the root of the hierarchy, perhaps in `buffer`. NULL, with the reason, if it
 * names something that is no cgroup.
 */
static const char *cgroup__from_root(const char *mount, const char *text, char buffer[PATH_MAX], const char **ret_why)
{
    const char *behind = mount__skip(mount, text);
    bool is_relative = *text == '.';

    if (behind)
        return behind;
    *ret_why = too_long;
    if (!cgroup__directory(mount, text, buffer))
        return NULL;
    if (!is_relative && (path__is_there(buffer) || !path__is_there(text)))
        return text;
    *ret_why = "it is no cgroup (v2); write its path as in pids_ss_cgroup_path, or below /sys/fs/cgroup";
    behind = path__is_of_cgroups(text) && realpath(text, buffer) ? mount__skip(mount, buffer) : NULL;
    return behind;
}

int cgroup__resolve(const char *text, char ret_path[CGROUP_PATH_MAX], const char **ret_why)
{
    struct walk walk = {.path = ret_path};
    const char *mount = cgroups__mount(), *at;
    char buffer[PATH_MAX];
    struct stat st;
    size_t len;

    *ret_path = '\0';
    *ret_why = "no cgroup v2 is mounted at /sys/fs/cgroup";
    at = mount ? cgroup__from_root(mount, text, buffer, ret_why) : NULL;
    if (!at)
        return -1;
    for (; (len = component__next(&at)); at += len) {
        *ret_why = "'..' leads out of the hierarchy";
        if (component__is_parent(at, len) && !walk.len)
            return -1;
        *ret_why = too_long;
        if (component__is_parent(at, len))
            walk__ascend(&walk);
        else if (!walk__descend(&walk, at, len))
            return -1;
    }
    if (!cgroup__directory(mount, ret_path, buffer))
        return -1;
    bool is_there = !stat(buffer, &st);

    *ret_why = "it is a file of a cgroup; name its directory";
    if (is_there && !S_ISDIR(st.st_mode))
        return -1;
    *ret_why = no_wildcards;
    if (!is_there && text__has_wildcards(text))
        return -1;
    return walk.levels;
}

uint64_t cgroup__id(const char *path)
{
    const char *mount = cgroups__mount();
    char directory[PATH_MAX];
    struct stat st;

    if (!mount || !cgroup__directory(mount, path, directory))
        return 0;
    return !stat(directory, &st) && S_ISDIR(st.st_mode) ? st.st_ino : 0;
}
