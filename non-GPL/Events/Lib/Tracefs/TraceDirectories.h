/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceDirectories.h - a cache of directories, by the addresses of their dentries: the path of each in its file system.
 *
 * A probe fetches few names. What is above them is known if an earlier record had it: of a file in the same directory,
 * or of the directory's own creation. An address may be used again for another dentry, so an entry is taken only for an
 * inode of the same number, and a dentry of the same name. A directory that is moved takes those below it along; then
 * everything is forgotten.
 */
#ifndef EBPF_TRACE_DIRECTORIES_H
#define EBPF_TRACE_DIRECTORIES_H

#include "TracePaths.h"

#define TRACE_DIRECTORIES_MAX 4096

struct trace_directory;

struct trace_directories {
    struct trace_directory *of[TRACE_DIRECTORIES_MAX]; /* by address */
    struct {
        uint64_t dentry, inode;
    } removed[TRACE_DIRECTORIES_MAX]; /* also files, whose name was removed */
};

void trace_directories__fini(struct trace_directories *dirs);

/* Keep the path of a directory; one that is cut does not replace a longer one. */
void trace_directories__learn(struct trace_directories *dirs, uint64_t dentry, uint64_t inode, struct slice path,
                              uint16_t flags);

/* Find the path of a directory with a name; its flags are those that were kept with it. False: it is not known. */
bool trace_directories__find(const struct trace_directories *dirs, uint64_t dentry, uint64_t inode, struct slice name,
                             struct slice *ret_path, uint16_t *ret_flags);

/* A dentry was removed from its directory. */
void trace_directories__remove(struct trace_directories *dirs, uint64_t dentry, uint64_t inode);

/* Return whether a dentry that is in no table of names was removed from its directory. */
bool trace_directories__has_removed(const struct trace_directories *dirs, uint64_t dentry, uint64_t inode);

void trace_directories__forget_all(struct trace_directories *dirs);

#endif
