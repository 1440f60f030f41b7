// SPDX-License-Identifier: BSD-2-Clause
/* TraceDirectories.c - see TraceDirectories.h. */
#include "TraceDirectories.h"

#include <stdlib.h>
#include <string.h>

#define HASH_FACTOR UINT64_C(0x9e3779b97f4a7c15) /* 2^64 divided by the golden ratio */

struct trace_directory {
    uint64_t dentry, inode;
    uint16_t flags; /* enum ebpf_varlen_flag */
    uint32_t len;
    char path[]; /* components from the leaf up; of the root, none */
};

static uint32_t dentry__place(uint64_t dentry)
{
    return (uint32_t)(dentry * HASH_FACTOR >> 32) % TRACE_DIRECTORIES_MAX;
}

void trace_directories__learn(struct trace_directories *dirs, uint64_t dentry, uint64_t inode, struct slice path,
                              uint16_t flags)
{
    struct trace_directory **place = &dirs->of[dentry__place(dentry)], *d = *place;
    bool is_it = d && d->dentry == dentry && d->inode == inode;

    if (!dentry || (is_it && d->len == path.len && d->flags == flags && !memcmp(d->path, path.data, path.len)))
        return;
    if (is_it && flags & EBPF_VARLEN_TRUNCATED && d->len >= path.len && !memcmp(d->path, path.data, path.len))
        return;
    d = realloc(d, sizeof(*d) + path.len);
    if (!d)
        return;
    *place = d;
    *d = (struct trace_directory){.dentry = dentry, .inode = inode, .flags = flags, .len = (uint32_t)path.len};
    memcpy(d->path, path.data, path.len);
}

bool trace_directories__find(const struct trace_directories *dirs, uint64_t dentry, uint64_t inode, struct slice name,
                             struct slice *ret_path, uint16_t *ret_flags)
{
    const struct trace_directory *d = dirs->of[dentry__place(dentry)];

    if (!d || d->dentry != dentry || d->inode != inode)
        return false;
    if (d->len ? d->len <= name.len || memcmp(d->path, name.data, name.len) || d->path[name.len]
               : name.len != 1 || *name.data != '/')
        return false;
    *ret_path = (struct slice){d->path, d->len};
    *ret_flags = d->flags;
    return true;
}

void trace_directories__remove(struct trace_directories *dirs, uint64_t dentry, uint64_t inode)
{
    struct trace_directory **place = &dirs->of[dentry__place(dentry)];

    dirs->removed[dentry__place(dentry)].dentry = dentry;
    dirs->removed[dentry__place(dentry)].inode = inode;
    if (*place && (*place)->dentry == dentry) {
        free(*place);
        *place = NULL;
    }
}

bool trace_directories__has_removed(const struct trace_directories *dirs, uint64_t dentry, uint64_t inode)
{
    uint32_t place = dentry__place(dentry);

    return dirs->removed[place].dentry == dentry && dirs->removed[place].inode == inode;
}

void trace_directories__forget_all(struct trace_directories *dirs)
{
    for (int i = 0; i < TRACE_DIRECTORIES_MAX; i++) {
        free(dirs->of[i]);
        dirs->of[i] = NULL;
    }
}

void trace_directories__fini(struct trace_directories *dirs)
{
    trace_directories__forget_all(dirs);
}
