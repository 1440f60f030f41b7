// SPDX-License-Identifier: BSD-2-Clause
/*
 * PointsNow.c - see Points.h: what /proc has of a process when its event is read.
 *
 * Only files that no other process can block: none that takes the lock of its memory, such as cmdline, and none that
 * asks a file system.
 */
#include "Points.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_LEN 16384
#define DELETED " (deleted)"
#define MEMFD "/memfd:"

/* Read a file of a thread, cut at TEXT_LEN. False if there is none. */
static bool file__read(uint32_t tid, const char *file, char ret_text[TEXT_LEN])
{
    char path[64];
    size_t len = 0;
    ssize_t got;

    snprintf(path, sizeof(path), "/proc/%u/%s", tid, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    while (len < TEXT_LEN - 1 && (got = read(fd, ret_text + len, TEXT_LEN - 1 - len)) > 0)
        len += (size_t)got;
    close(fd);
    ret_text[len] = '\0';
    return len;
}

/* Read parent, group, session and terminal: fields 4 to 7 of proc(5). */
static bool stat__read(uint32_t tgid, struct points_now *now)
{
    char text[TEXT_LEN], *at;
    int tty;

    if (!file__read(tgid, "stat", text) || !(at = strrchr(text, ')')) ||
        sscanf(at + 1, " %*c %u %u %u %d", &now->ppid, &now->pgid, &now->sid, &tty) != 4)
        return false;
    now->ctty.major = (uint32_t)tty >> 8 & 0xfff;
    now->ctty.minor = ((uint32_t)tty & 0xff) | ((uint32_t)tty >> 12 & 0xfff00);
    return true;
}

/* Read `count` numbers of a line of /proc/TID/status. False if it does not have them. */
static bool status__numbers(const char *text, const char *key, int base, int count, unsigned long long *ret)
{
    const char *line = strstr(text, key); /* a newline in the name of a thread is written as an escape */
    char *end;

    if (!line)
        return false;
    line += strlen(key);
    for (int i = 0; i < count; i++) {
        ret[i] = strtoull(line, &end, base);
        if (end == line)
            return false;
        line = end;
    }
    return true;
}

static bool status__read(uint32_t tid, uint32_t tgid, struct points_now *now)
{
    unsigned long long leader, uid[4], gid[4], permitted, effective;
    char text[TEXT_LEN];

    if (!file__read(tid, "status", text) || !status__numbers(text, "\nTgid:", 10, 1, &leader) || leader != tgid ||
        !status__numbers(text, "\nUid:", 10, 4, uid) || !status__numbers(text, "\nGid:", 10, 4, gid) ||
        !status__numbers(text, "\nCapPrm:", 16, 1, &permitted) ||
        !status__numbers(text, "\nCapEff:", 16, 1, &effective))
        return false;
    now->creds = (struct ebpf_cred_info){.ruid = (uint32_t)uid[0],
                                         .rgid = (uint32_t)gid[0],
                                         .euid = (uint32_t)uid[1],
                                         .egid = (uint32_t)gid[1],
                                         .suid = (uint32_t)uid[2],
                                         .sgid = (uint32_t)gid[2],
                                         .cap_permitted = permitted,
                                         .cap_effective = effective};
    now->fsuid = (uint32_t)uid[3];
    now->fsgid = (uint32_t)gid[3];
    return true;
}

bool points_now__read(struct points *points, uint32_t tid, uint32_t tgid, uint64_t time_ns, uint32_t kinds,
                      struct points_now *ret_now)
{
    *ret_now = (struct points_now){0};
    if (!status__read(tid, tgid, ret_now) || !stat__read(tgid, ret_now))
        return false;
    namespaces__read(&ret_now->ns, tid);
    return ret_now->ns.mnt && trace_connector__is_latest(&points->connector, tgid, time_ns, kinds);
}

bool points_link__read(uint32_t tgid, const char *link, struct trace_path *ret_path)
{
    char path[64], text[PATH_MAX];
    const char *name = text;
    uint16_t flags = 0;

    snprintf(path, sizeof(path), "/proc/%u/%s", tgid, link);
    ssize_t len = readlink(path, text, sizeof(text));

    ret_path->len = 0;
    ret_path->flags = EBPF_VARLEN_TRUNCATED;
    if (len <= 0 || len == sizeof(text) || *text != '/')
        return false;
    if ((size_t)len > strlen(DELETED) && !memcmp(text + (size_t)len - strlen(DELETED), DELETED, strlen(DELETED))) {
        len -= (ssize_t)strlen(DELETED);
        flags = EBPF_VARLEN_DELETED;
    }
    if (flags && (size_t)len >= strlen(MEMFD) && !memcmp(text, MEMFD, strlen(MEMFD))) {
        name++; /* the name may have slashes, and is one component */
        memcpy(ret_path->data, name, (size_t)len - 1);
        ret_path->data[len - 1] = '\0';
        ret_path->len = (uint32_t)len;
        ret_path->flags = EBPF_VARLEN_NAME_ONLY;
        return true;
    }
    trace_path__from_text(ret_path, text, (size_t)len);
    ret_path->flags |= flags;
    return true;
}
