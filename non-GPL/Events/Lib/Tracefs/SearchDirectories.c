// SPDX-License-Identifier: BSD-2-Clause
/* SearchDirectories.c - directories of a process, dentries and mounts; see TraceSearch.h. */
#include "TraceSearch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Return where two pairs of pointers are, root and pwd, which are equal if `equal`; their second ones differ if not. */
static int fs__root(struct search *s, uint64_t fs, bool equal)
{
    uint64_t target[PEEK_WORDS];

    if (!trace_peek__read(&s->peek, fs, target))
        return TRACE_OFFSET_UNKNOWN;
    for (int i = 0; i < 12; i++) { /* it is a small structure */
        const uint64_t *w = target + i;

        if ((int64_t)w[0] < 0 && (int64_t)w[1] < 0 && (int64_t)w[2] < 0 && (int64_t)w[3] < 0 &&
            (equal ? w[0] == w[2] && w[1] == w[3] : w[0] != w[2] && w[1] != w[3]) && w[0] != w[1])
            return i * 8;
    }
    return TRACE_OFFSET_UNKNOWN;
}

/* The first child is in the root directory, the second one on another mount. */
static bool has_fs(struct search *s, const struct specimen *child, const uint64_t *words, size_t byte)
{
    int root = fs__root(s, words[byte / 8], child == s->children);

    if (root < 0 || child == s->children)
        return root >= 0;
    return root == fs__root(s, s->children[0].words[byte / 8], true);
}

static void search__fs(struct search *s)
{
    int at = s->offsets->of[TRACE_MEMBER_task_fs] = search__task(s, has_fs, 8, 1);

    if (at < 0)
        return;
    s->offsets->of[TRACE_MEMBER_fs_root] = fs__root(s, s->children[0].words[at / 8], true);
    s->offsets->of[TRACE_MEMBER_fs_pwd] = s->offsets->of[TRACE_MEMBER_fs_root] + 16;
}

const char *search__text(struct search *s, uint64_t address)
{
    static _Thread_local uint64_t target[PEEK_WORDS + 1];

    if (!trace_peek__read(&s->peek, address & ~UINT64_C(7), target))
        return "";
    target[PEEK_WORDS] = 0;
    return (const char *)target + address % 8;
}

/* The second child is in SPECIMEN_DIR: its dentry has a name and a parent, whose name is the id of the child. */
static void search__dentry(struct search *s)
{
    int *of = s->offsets->of;
    const struct specimen *child = &s->children[1];
    uint64_t pwd[PEEK_WORDS], dentry[PEEK_WORDS], parent[PEEK_WORDS];
    char pid[16];

    snprintf(pid, sizeof(pid), "%d", (int)child->pid);
    if (of[TRACE_MEMBER_fs_pwd] < 0 ||
        !trace_peek__read(&s->peek, child->words[of[TRACE_MEMBER_task_fs] / 8] + (uint64_t)of[TRACE_MEMBER_fs_pwd],
                          pwd) ||
        !trace_peek__read(&s->peek, pwd[1], dentry))
        return;
    int name = TRACE_OFFSET_UNKNOWN;

    for (int i = 0; i < 16 && name < 0; i++)
        name = !strcmp(search__text(s, dentry[i]), SPECIMEN_DIR_NAME) ? i : TRACE_OFFSET_UNKNOWN;
    for (int i = 0; i < 16 && name >= 0; i++) {
        if (dentry[i] != pwd[1] && trace_peek__read(&s->peek, dentry[i], parent) &&
            !strcmp(search__text(s, parent[name]), pid)) {
            of[TRACE_MEMBER_dentry_name] = name * 8;
            of[TRACE_MEMBER_dentry_parent] = i * 8;
            return;
        }
    }
}

int mount__id(const char *path)
{
    int fd = open(path, O_PATH | O_CLOEXEC), id = fd < 0 ? -1 : fd__mount_id(fd);

    if (fd >= 0)
        close(fd);
    return id;
}

/* The mounts of the root and of /proc have their ids at the same place behind what struct path points to. */
static void search__mount_id(struct search *s)
{
    static const char *const paths[SPECIMENS] = {"/", "/proc"};
    const int *of = s->offsets->of;
    uint64_t mounts[SPECIMENS][PEEK_WORDS];
    int found = TRACE_OFFSET_UNKNOWN, count = 0;

    if (of[TRACE_MEMBER_fs_pwd] < 0)
        return;
    for (int i = 0; i < SPECIMENS; i++) {
        uint64_t pwd[PEEK_WORDS];

        if (!trace_peek__read(&s->peek,
                              s->children[i].words[of[TRACE_MEMBER_task_fs] / 8] + (uint64_t)of[TRACE_MEMBER_fs_pwd],
                              pwd) ||
            !trace_peek__read(&s->peek, pwd[0], mounts[i]))
            return;
    }
    for (size_t byte = 0; byte < PEEK_WORDS * 8; byte += 4) {
        if (words__u32(mounts[0], byte) == (uint32_t)mount__id(paths[0]) &&
            words__u32(mounts[1], byte) == (uint32_t)mount__id(paths[1])) {
            found = (int)byte;
            count++;
        }
    }
    s->offsets->of[TRACE_MEMBER_mount_id] = count == 1 ? found : TRACE_OFFSET_UNKNOWN;
}

static void search__root(struct search *s)
{
    uint64_t words[PEEK_WORDS];

    if (s->offsets->of[TRACE_MEMBER_fs_root] >= 0 &&
        trace_peek__read(&s->peek,
                         s->children[0].words[s->offsets->of[TRACE_MEMBER_task_fs] / 8] +
                             (uint64_t)s->offsets->of[TRACE_MEMBER_fs_root],
                         words))
        memcpy(s->offsets->root, words, sizeof(s->offsets->root));
}

void search__directories(struct search *s)
{
    search__fs(s);
    search__root(s);
    search__dentry(s);
    search__mount_id(s);
}
