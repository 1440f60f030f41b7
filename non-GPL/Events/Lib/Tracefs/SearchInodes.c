// SPDX-License-Identifier: BSD-2-Clause
/* SearchInodes.c - what inodes, dentries and open files have; see TraceSearch.h. */
#include "TraceSearch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* What no other file has. */
#define ODD_OWNER 2000003011u
#define ODD_GROUP 2000004099u
#define ODD_SIZE 0x1d2c3b4a5
#define ODD_POSITION 0x1a2b3c4d5
#define ODD_ATIME 1234567891
#define ODD_ATIME_NS 234567891
#define ODD_MTIME 1345678921
#define ODD_MTIME_NS 345678921
#define NS_MASK 0x7fffffff /* the highest bit of ctime says that it was read (6.13) */
#define TIMES_SPAN 64      /* bytes that the times of an inode take at most */
#define FILE_BYTES 256     /* of a struct file that are searched */
#define DENTRY_WORDS 24
#define SUPER_BYTES 64
#define SUPERS 3

static int words__find_u64(const uint64_t *words, uint64_t value)
{
    for (int i = 0; i < PEEK_WORDS; i++) {
        if (words[i] == value)
            return i * 8;
    }
    return TRACE_OFFSET_UNKNOWN;
}

static int words__find_u32(const uint64_t *words, size_t begin, size_t end, uint32_t value)
{
    for (size_t byte = begin; byte < end; byte += 4) {
        if ((words__u32(words, byte) & NS_MASK) == value)
            return (int)byte;
    }
    return TRACE_OFFSET_UNKNOWN;
}

static int odd_file__open(struct stat *ret_st)
{
    const struct timespec times[2] = {{ODD_ATIME, ODD_ATIME_NS}, {ODD_MTIME, ODD_MTIME_NS}};
    int fd = memfd_create("odd", MFD_CLOEXEC);

    if (fd < 0)
        return -1;
    if (fchown(fd, ODD_OWNER, ODD_GROUP) || ftruncate(fd, ODD_SIZE) || futimens(fd, times) || fstat(fd, ret_st) ||
        lseek(fd, ODD_POSITION, SEEK_SET) != ODD_POSITION) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The times are in any order, each a number of seconds; the nanoseconds may be beside them or behind all. */
static void search__times(struct search *s, const uint64_t *inode, const struct stat *st)
{
    int *of = s->offsets->of;
    int atime = words__find_u64(inode, ODD_ATIME), mtime = words__find_u64(inode, ODD_MTIME);

    if (atime < 0 || mtime < 0)
        return;
    size_t begin = (size_t)(atime < mtime ? atime : mtime), end = begin + TIMES_SPAN;

    of[TRACE_MEMBER_inode_atime] = atime;
    of[TRACE_MEMBER_inode_mtime] = mtime;
    of[TRACE_MEMBER_inode_atime_ns] = words__find_u32(inode, begin, end, ODD_ATIME_NS);
    of[TRACE_MEMBER_inode_mtime_ns] = words__find_u32(inode, begin, end, ODD_MTIME_NS);
    for (size_t byte = begin; byte < end; byte += 8) {
        if (words__u64(inode, byte) == (uint64_t)st->st_ctim.tv_sec) {
            of[TRACE_MEMBER_inode_ctime] = (int)byte;
            of[TRACE_MEMBER_inode_ctime_ns] = words__find_u32(inode, begin, end, (uint32_t)st->st_ctim.tv_nsec);
            return;
        }
    }
}

static void search__inode_of(struct search *s, uint64_t dentry, const struct stat *st)
{
    int *of = s->offsets->of;
    uint64_t words[PEEK_WORDS], inode[PEEK_WORDS];

    if (of[TRACE_MEMBER_dentry_inode] < 0 || !trace_peek__read(&s->peek, dentry, words) ||
        !trace_peek__read(&s->peek, words[of[TRACE_MEMBER_dentry_inode] / 8], inode))
        return;
    of[TRACE_MEMBER_inode_size] = words__find_u64(inode, ODD_SIZE);
    for (size_t byte = 0; byte + 8 <= sizeof(inode); byte += 4) {
        if (words__u32(inode, byte) == ODD_OWNER && words__u32(inode, byte + 4) == ODD_GROUP) {
            of[TRACE_MEMBER_inode_uid] = (int)byte;
            break;
        }
    }
    search__times(s, inode, st);
}

/* Two sets of flags, one after the other, and a position. */
static void search__open_file(struct search *s, int fd, uint64_t file)
{
    static const int flags[2] = {O_APPEND | O_NONBLOCK, O_NOATIME};
    int *of = s->offsets->of;
    uint64_t words[2][PEEK_WORDS];
    uint32_t known[2];

    for (int i = 0; i < 2; i++) {
        if (fcntl(fd, F_SETFL, flags[i]) || !trace_peek__read(&s->peek, file, words[i]))
            return;
        known[i] = (uint32_t)fcntl(fd, F_GETFL);
    }
    of[TRACE_MEMBER_file_pos] = words__find_u64(words[0], ODD_POSITION);
    for (size_t byte = 0; byte < FILE_BYTES; byte += 4) {
        if (words__u32(words[0], byte) == known[0] && words__u32(words[1], byte) == known[1]) {
            of[TRACE_MEMBER_file_flags] = (int)byte;
            return;
        }
    }
}

/* The super blocks of three file systems have their device numbers at the same place. */
static void search__super(struct search *s, uint64_t dentries[SUPERS][PEEK_WORDS], const uint32_t devices[SUPERS])
{
    int *of = s->offsets->of;
    uint64_t supers[SUPERS][PEEK_WORDS];

    for (int at = 0; at < DENTRY_WORDS; at++) {
        bool all = true;

        for (int i = 0; i < SUPERS && all; i++)
            all = word__is_pointer(dentries[i][at]) && trace_peek__read(&s->peek, dentries[i][at], supers[i]);
        for (size_t byte = 0; byte < SUPER_BYTES && all; byte += 4) {
            bool is_it = true;

            for (int i = 0; i < SUPERS && is_it; i++)
                is_it = words__u32(supers[i], byte) == devices[i];
            if (is_it) {
                of[TRACE_MEMBER_dentry_sb] = at * 8;
                of[TRACE_MEMBER_sb_dev] = (int)byte;
                return;
            }
        }
    }
}

/*
 * This file is in no directory, so its dentry is in no table of names; the directories of /proc and of the instance
 * are. The links of the table are before the parent.
 */
static void search__dentries(struct search *s, int odd)
{
    int *of = s->offsets->of, fds[SUPERS] = {odd, open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), s->peek.in->dir};
    uint64_t words[SUPERS][PEEK_WORDS], path, dentry;
    uint32_t devices[SUPERS];
    struct stat st;
    bool ok = true;

    for (int i = 0; i < SUPERS && ok; i++) {
        ok = fds[i] >= 0 && !fstat(fds[i], &st) && trace_peek__file(&s->peek, fds[i], &path, &dentry) &&
             trace_peek__read(&s->peek, dentry, words[i]);
        devices[i] = major(st.st_dev) << 20 | minor(st.st_dev);
    }
    if (fds[1] >= 0)
        close(fds[1]);
    if (!ok)
        return;
    search__super(s, words, devices);
    int hashed = of[TRACE_MEMBER_dentry_parent] - 8;

    if (hashed >= 0 && !words[0][hashed / 8] && word__is_pointer(words[2][hashed / 8]))
        of[TRACE_MEMBER_dentry_hashed] = hashed;
}

/* The inode of a symbolic link has the address of its target, on most file systems. */
static void search__link(struct search *s)
{
    static const char *const links[] = {"/dev/fd", "/dev/stdin", "/bin", "/lib", "/bin/sh", "/etc/mtab", "/var/run"};
    int *of = s->offsets->of;
    uint64_t words[PEEK_WORDS], inode[PEEK_WORDS], dentry;
    char target[256];

    for (size_t i = 0; i < sizeof(links) / sizeof(*links) && of[TRACE_MEMBER_dentry_inode] >= 0; i++) {
        ssize_t len = readlink(links[i], target, sizeof(target) - 1);

        if (len < 1 || !trace_peek__link(&s->peek, links[i], &dentry) || !trace_peek__read(&s->peek, dentry, words) ||
            !trace_peek__read(&s->peek, words[of[TRACE_MEMBER_dentry_inode] / 8], inode))
            continue;
        target[len] = '\0';
        for (int at = 0; at < PEEK_WORDS; at++) {
            if (word__is_pointer(inode[at]) && !strcmp(search__text(s, inode[at]), target)) {
                of[TRACE_MEMBER_inode_link] = at * 8;
                return;
            }
        }
    }
}

/* Since 5.12 functions that change files have an argument before the dentry: how ids of the mount are mapped. */
static void search__arguments(struct search *s, int fd, uint64_t dentry)
{
    uint64_t arguments[2];

    if (!trace_peek__xattr(&s->peek, fd, arguments))
        return;
    if (arguments[0] == dentry)
        s->offsets->mapped = 0;
    else if (arguments[1] == dentry)
        s->offsets->mapped = 1;
}

void search__inodes(struct search *s)
{
    uint64_t path, dentry;
    struct stat st;
    int fd = odd_file__open(&st);

    if (fd < 0)
        return;
    if (trace_peek__file(&s->peek, fd, &path, &dentry)) {
        search__inode_of(s, dentry, &st);
        search__dentries(s, fd);
        search__arguments(s, fd, dentry);
        if (s->offsets->of[TRACE_MEMBER_file_mnt] >= 0)
            search__open_file(s, fd, path - (uint64_t)s->offsets->of[TRACE_MEMBER_file_mnt]);
    }
    close(fd);
    search__link(s);
}
