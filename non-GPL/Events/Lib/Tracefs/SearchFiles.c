// SPDX-License-Identifier: BSD-2-Clause
/* SearchFiles.c - memory, the file of a program, inodes; see TraceSearch.h. */
#include "TraceSearch.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MM_WORDS (2 * PEEK_WORDS)
#define MM_BYTES_MIN 512 /* that a struct mm_struct has at least */
#define INODE_FILES 3
#define INODE_WORDS 32  /* that may have its number */
#define DENTRY_WORDS 16 /* that may point to the inode */

static int mm__arg_start(struct search *s, const struct specimen *child, uint64_t mm)
{
    uint64_t target[PEEK_WORDS];

    if (!child->arg_start || !trace_peek__read(&s->peek, mm, target))
        return TRACE_OFFSET_UNKNOWN;
    for (int i = 0; i < PEEK_WORDS; i++) {
        if (target[i] == child->arg_start)
            return i * 8;
    }
    return TRACE_OFFSET_UNKNOWN;
}

/*
 * A process has mm twice: the second one is active_mm. Other words may point into it, or to something that lies before
 * a struct like it; that is not at the same distance in both children.
 */
static bool has_mm(struct search *s, const struct specimen *child, const uint64_t *words, size_t byte)
{
    int at = words[byte / 8] == words[byte / 8 + 1] ? mm__arg_start(s, child, words[byte / 8]) : TRACE_OFFSET_UNKNOWN;

    return at >= 0 && (child == s->children || at == mm__arg_start(s, s->children, s->children[0].words[byte / 8]));
}

void search__memory(struct search *s)
{
    int at = s->offsets->of[TRACE_MEMBER_task_mm] = search__task(s, has_mm, 8, 1);

    if (at >= 0)
        s->offsets->of[TRACE_MEMBER_mm_arg_start] = mm__arg_start(s, s->children, s->children[0].words[at / 8]);
}

/* Return whether a dentry has a name. */
static bool dentry__is_named(struct search *s, uint64_t dentry, const char *name)
{
    uint64_t words[PEEK_WORDS];

    return trace_peek__read(&s->peek, dentry, words) &&
           !strcmp(search__text(s, words[s->offsets->of[TRACE_MEMBER_dentry_name] / 8]), name);
}

/* Return where a struct file has the path of this program: a mount and its dentry. TRACE_OFFSET_UNKNOWN: nowhere. */
static int file__path(struct search *s, uint64_t file, const char *name, int mount)
{
    uint64_t words[PEEK_WORDS], mnt[PEEK_WORDS];

    if (!trace_peek__read(&s->peek, file, words))
        return TRACE_OFFSET_UNKNOWN;
    for (int i = 0; i < 48; i++) {
        if ((int64_t)words[i] < 0 && (int64_t)words[i + 1] < 0 && trace_peek__read(&s->peek, words[i], mnt) &&
            words__u32(mnt, (size_t)s->offsets->of[TRACE_MEMBER_mount_id]) == (uint32_t)mount &&
            dentry__is_named(s, words[i + 1], name))
            return i * 8;
    }
    return TRACE_OFFSET_UNKNOWN;
}

/* The children run the program of this process: the mm of both has its file. */
static void search__exe_file(struct search *s)
{
    int *of = s->offsets->of, mount = mount__id("/proc/self/exe"), found = TRACE_OFFSET_UNKNOWN;
    uint64_t mm[MM_WORDS], other[MM_WORDS];
    char exe[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

    if (len <= 0 || of[TRACE_MEMBER_task_mm] < 0 || of[TRACE_MEMBER_dentry_name] < 0 || of[TRACE_MEMBER_mount_id] < 0)
        return;
    exe[len] = '\0';
    if (!search__read(s, s->children[0].words[of[TRACE_MEMBER_task_mm] / 8], mm, MM_WORDS) ||
        !search__read(s, s->children[1].words[of[TRACE_MEMBER_task_mm] / 8], other, MM_WORDS))
        return;
    for (int i = 0; i < MM_WORDS; i++) {
        int path = word__is_pointer(mm[i]) && mm[i] == other[i] ? file__path(s, mm[i], strrchr(exe, '/') + 1, mount)
                                                                : TRACE_OFFSET_UNKNOWN;

        if (path < 0)
            continue;
        if (found >= 0 && i * 8 - found >= MM_BYTES_MIN) /* that of the mm_struct behind it, of another process */
            return;
        if (found >= 0) { /* another file of this program, or two words that lead to it */
            of[TRACE_MEMBER_mm_exe_file] = TRACE_OFFSET_UNKNOWN;
            return;
        }
        found = of[TRACE_MEMBER_mm_exe_file] = i * 8;
        of[TRACE_MEMBER_file_mnt] = path;
        of[TRACE_MEMBER_file_dentry] = path + 8;
    }
}

/* Read the dentries of the files that are searched by their inodes, and what the files are. */
static bool inode_files__read(struct search *s, uint64_t ret_words[INODE_FILES][PEEK_WORDS], struct stat *ret_st)
{
    const int *of = s->offsets->of;
    char directory[64];

    if (of[TRACE_MEMBER_file_dentry] < 0 || of[TRACE_MEMBER_fs_pwd] < 0)
        return false;
    snprintf(directory, sizeof(directory), "/proc/%d/fdinfo", (int)s->children[1].pid);
    const char *const paths[INODE_FILES] = {"/proc/self/exe", "/", directory};
    uint64_t words[PEEK_WORDS], dentries[INODE_FILES];

    for (int i = 0; i < SPECIMENS; i++) {
        uint64_t fs = s->children[i].words[of[TRACE_MEMBER_task_fs] / 8];

        if (!trace_peek__read(&s->peek, fs + (uint64_t)of[TRACE_MEMBER_fs_pwd], words))
            return false;
        dentries[1 + i] = words[1]; /* of struct path */
    }
    if (!trace_peek__read(&s->peek,
                          s->children[0].words[of[TRACE_MEMBER_task_mm] / 8] + (uint64_t)of[TRACE_MEMBER_mm_exe_file],
                          words) ||
        !trace_peek__read(&s->peek, words[0] + (uint64_t)of[TRACE_MEMBER_file_dentry], words))
        return false;
    dentries[0] = words[0];
    for (int f = 0; f < INODE_FILES; f++) {
        if (stat(paths[f], &ret_st[f]) || !trace_peek__read(&s->peek, dentries[f], ret_words[f]))
            return false;
    }
    return true;
}

/*
 * Return where an inode has its number, if it is that of a file: the mode is at its beginning, the number of links
 * behind the number. 0 if it is not.
 */
static int inode__number(struct search *s, uint64_t address, const struct stat *st)
{
    uint64_t inode[PEEK_WORDS];

    if (!word__is_pointer(address) || !trace_peek__read(&s->peek, address, inode) ||
        (words__u32(inode, 0) & 0xffff) != st->st_mode)
        return 0;
    for (int i = 1; i < INODE_WORDS; i++) {
        if (inode[i] == st->st_ino && words__u32(inode, (size_t)i * 8 + 8) == st->st_nlink)
            return i * 8;
    }
    return 0;
}

/* Three files, each by its dentry: this program, the root directory and that of the second child. */
static void search__inode(struct search *s)
{
    int *of = s->offsets->of;
    uint64_t words[INODE_FILES][PEEK_WORDS];
    struct stat st[INODE_FILES];

    if (!inode_files__read(s, words, st))
        return;
    for (int at = 0; at < DENTRY_WORDS; at++) {
        int number = inode__number(s, words[0][at], &st[0]);
        bool is_same = number;

        for (int f = 1; f < INODE_FILES && is_same; f++)
            is_same = inode__number(s, words[f][at], &st[f]) == number;
        if (!is_same)
            continue;
        of[TRACE_MEMBER_dentry_inode] = at * 8;
        of[TRACE_MEMBER_inode_mode] = 0;
        of[TRACE_MEMBER_inode_ino] = number;
        of[TRACE_MEMBER_inode_nlink] = number + 8;
        return;
    }
}

void search__files(struct search *s)
{
    search__exe_file(s);
    search__inode(s);
}
