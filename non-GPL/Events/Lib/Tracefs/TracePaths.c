// SPDX-License-Identifier: BSD-2-Clause
/* TracePaths.c - see TracePaths.h. */
#include "TracePaths.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DELETED " (deleted)"
#define MEMFD "memfd:"

void trace_path__add(struct trace_path *path, const char *name, size_t len)
{
    if (path->flags & EBPF_VARLEN_TRUNCATED || len + 1 > sizeof(path->data) - path->len) {
        path->flags |= EBPF_VARLEN_TRUNCATED;
        return;
    }
    memcpy(path->data + path->len, name, len);
    path->len += (uint32_t)len;
    path->data[path->len++] = '\0';
}

/* Cut a path above a number of components, and where it is too long. */
static void path__cut(struct trace_path *path, uint32_t len_max)
{
    uint32_t len = 0, count = 0;

    for (uint32_t i = 0; i < path->len && count < TRACE_COMPONENTS_MAX && i < len_max; i++) {
        if (!path->data[i]) {
            len = i + 1;
            count++;
        }
    }
    if (len < path->len)
        path->flags |= EBPF_VARLEN_TRUNCATED;
    path->len = len;
}

void trace_path__prepend(struct trace_path *path, const char *name, size_t len)
{
    path__cut(path, (uint32_t)(sizeof(path->data) - len - 1));
    memmove(path->data + len + 1, path->data, path->len);
    memcpy(path->data, name, len);
    path->data[len] = '\0';
    path->len += (uint32_t)len + 1;
    path__cut(path, sizeof(path->data));
}

/* Append the components of a text, the last one first. */
static void path__append_text(struct trace_path *path, const char *text, size_t len)
{
    while (len) {
        size_t start = len;

        while (start && text[start - 1] != '/')
            start--;
        if (start < len)
            trace_path__add(path, text + start, len - start);
        len = start ? start - 1 : 0;
    }
}

void trace_path__from_text(struct trace_path *path, const char *text, size_t len)
{
    path->len = path->flags = 0;
    path__append_text(path, text, len);
}

void trace_path__to_text(const struct trace_path *path, char *ret_text)
{
    struct slice rest = {path->data, path->len}, component;
    char *at = ret_text;

    while (slice__last_component(&rest, &component)) {
        *at++ = '/';
        memcpy(at, component.data, component.len);
        at += component.len;
    }
    *at = '\0';
}

static bool name__is(struct slice name, const char *text)
{
    return name.len == strlen(text) && !memcmp(name.data, text, name.len);
}

bool trace_names__are_whole(const struct trace_names *names)
{
    for (int i = 0; i < TRACE_NAMES_MAX && names->of[i].len; i++) {
        if (name__is(names->of[i], "/"))
            return true;
    }
    return false;
}

/* Append the names below the root of the file system. False if that is not among them. */
static bool path__append_names(struct trace_path *path, const struct trace_names *names)
{
    for (int i = 0; i < TRACE_NAMES_MAX && names->of[i].len; i++) {
        if (name__is(names->of[i], "/"))
            return true;
        trace_path__add(path, names->of[i].data, names->of[i].len);
    }
    return false;
}

bool trace_path__cut_root(struct trace_path *path, const struct trace_path *root)
{
    if (root->len > path->len || memcmp(path->data + path->len - root->len, root->data, root->len))
        return false;
    uint32_t rest = path->len - root->len;

    if (rest && path->data[rest - 1])
        return false;
    path->len = rest;
    return true;
}

/* Replace the part above the mount's root by the place of the mount. */
static void path__place(struct trace_path *path, const struct trace_mount *mount)
{
    struct trace_path root;

    if (!mount) {
        path->flags |= EBPF_VARLEN_UNREACHABLE;
        return;
    }
    trace_path__from_text(&root, mount->root, strlen(mount->root));
    if (!trace_path__cut_root(path, &root))
        path->flags |= EBPF_VARLEN_UNREACHABLE;
    path__append_text(path, mount->point, strlen(mount->point));
}

/*
 * Take the whole path from /proc, if it ends in the names; in the last one, if the mount shows only a part of its file
 * system. False if it does not, or the process is gone.
 */
static bool path__read_link(struct trace_path *path, const struct trace_names *names, const struct trace_mount *mount)
{
    char link[64], text[PATH_MAX];
    const size_t known = mount && strcmp(mount->root, "/") && names->of[0].len ? names->of[0].len + 1 : path->len;
    struct trace_path whole = {0};

    snprintf(link, sizeof(link), "/proc/%u/%s", names->tgid, names->link);
    ssize_t len = readlink(link, text, sizeof(text));

    if (!names->of[0].len || len <= 0 || len == sizeof(text) || *text != '/')
        return false;
    if ((size_t)len > strlen(DELETED) && !memcmp(text + (size_t)len - strlen(DELETED), DELETED, strlen(DELETED))) {
        len -= (ssize_t)strlen(DELETED);
        whole.flags = EBPF_VARLEN_DELETED;
    }
    path__append_text(&whole, text, (size_t)len);
    if (whole.len < known || memcmp(whole.data, path->data, known))
        return false;
    *path = whole;
    return true;
}

void trace_path__place(struct trace_path *path, struct trace_mounts *mounts, int mount, uint32_t tgid)
{
    path__place(path, trace_mounts__find(mounts, mount, tgid));
    path__cut(path, sizeof(path->data));
}

void trace_path__build(struct trace_path *path, struct trace_mounts *mounts, const struct trace_names *names)
{
    path->len = path->flags = 0;
    const struct trace_mount *mount = trace_mounts__find(mounts, names->mount, names->tgid);

    if (!mount && names->of[0].len >= strlen(MEMFD) && !memcmp(names->of[0].data, MEMFD, strlen(MEMFD))) {
        trace_path__add(path, names->of[0].data, names->of[0].len);
        path->flags = EBPF_VARLEN_NAME_ONLY;
        return;
    }
    if (path__append_names(path, names))
        path__place(path, mount);
    else if (!path__read_link(path, names, mount))
        path->flags |= EBPF_VARLEN_TRUNCATED;
}
