// SPDX-License-Identifier: BSD-2-Clause
/* TraceMounts.c - see TraceMounts.h. */
#include "TraceMounts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "TraceInstance.h"

#define MOUNTS_STEP 64
#define TEXT_MAX (4u << 20) /* of another process' mountinfo */
#define MOUNTS_MAX 65536
#define MOUNTS_OTHERS 4096 /* with more than these, only those of other namespaces that are looked for are kept */
#define READS_MAX 64       /* of other processes' mountinfo in a round: anybody can have a namespace with many mounts */
#define OWN_MOUNTS "/proc/self/mountinfo"
#define NS_PER_S UINT64_C(1000000000)

/* Replace the kernel's escapes, "\040" for a blank and the like. */
static void text__unescape(char *text)
{
    char *to = text;

    for (const char *at = text; *at; to++) {
        if (at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] && at[3]) {
            *to = (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0'));
            at += 4;
        } else {
            *to = *at++;
        }
    }
    *to = '\0';
}

/* Return where the mount with an id is, or would be inserted. */
static size_t mounts__place(const struct trace_mounts *mounts, int id)
{
    size_t low = 0, high = mounts->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (mounts->all[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Keep a mount. Another process may see one of this namespace at another place, as behind chroot. */
static void mounts__put(struct trace_mounts *mounts, const struct trace_mount *line)
{
    size_t at = mounts__place(mounts, line->id);
    bool is_there = at < mounts->count && mounts->all[at].id == line->id;
    struct trace_mount mount = *line;

    if ((is_there && !line->is_own && mounts->all[at].is_own && !mounts->all[at].gone_ns) ||
        (!is_there && !line->is_own && mounts->count >= MOUNTS_MAX))
        return;
    mount.root = strdup(line->root);
    mount.point = strdup(line->point);
    if (!is_there && mounts->count == mounts->room) {
        struct trace_mount *more = realloc(mounts->all, (mounts->room + MOUNTS_STEP) * sizeof(*more));

        mounts->all = more ? more : mounts->all;
        mounts->room += more ? MOUNTS_STEP : 0;
    }
    if (!mount.root || !mount.point || (!is_there && mounts->count == mounts->room)) {
        free(mount.root);
        free(mount.point);
        return;
    }
    if (is_there) {
        free(mounts->all[at].root);
        free(mounts->all[at].point);
    } else {
        memmove(mounts->all + at + 1, mounts->all + at, (mounts->count - at) * sizeof(mount));
        mounts->count++;
    }
    mounts->all[at] = mount;
}

/* Return whether a mount is the one that is looked for, by its id, or else by its device. */
static bool mount__is(const struct trace_mount *mount, const struct trace_mount *wanted)
{
    return mount->id == wanted->id ||
           (wanted->id < 0 && mount->dev_major == wanted->dev_major && mount->dev_minor == wanted->dev_minor);
}

/*
 * Take the lines of a mountinfo: "36 35 98:0 /root /point ...", see proc(5). Of another namespace, where anybody can
 * have as many as they like, it may be that only those are kept that are looked for.
 */
static void mounts__take(struct trace_mounts *mounts, char *text, bool is_own, const struct trace_mount *wanted)
{
    char *rest = text, *line;

    while ((line = strsep(&rest, "\n"))) {
        int id = atoi(strsep(&line, " "));

        strsep(&line, " ");
        char *device = line ? strsep(&line, " ") : NULL;
        char *root = line ? strsep(&line, " ") : NULL, *point = line ? strsep(&line, " ") : NULL;

        if (!point)
            continue;
        text__unescape(root);
        text__unescape(point);
        struct trace_mount mount = {.id = id, .is_own = is_own, .ns = mounts->ns, .root = root, .point = point};

        sscanf(device, "%u:%u", &mount.dev_major, &mount.dev_minor);
        if (is_own || mount__is(&mount, wanted) || mounts->count < MOUNTS_OTHERS)
            mounts__put(mounts, &mount);
    }
}

static uint64_t clock__now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void mounts__read(struct trace_mounts *mounts, const char *path, bool is_own, const struct trace_mount *wanted)
{
    char *text = trace_file__read_some(AT_FDCWD, path, is_own ? SIZE_MAX : TEXT_MAX);

    if (text)
        mounts__take(mounts, text, is_own, wanted);
    free(text);
}

/* Read this process' mounts. Those that were there and no longer are have gone. */
static void mounts__read_own(struct trace_mounts *mounts)
{
    const uint64_t now = clock__now();

    for (size_t i = 0; i < mounts->count; i++) {
        if (mounts->all[i].is_own && !mounts->all[i].gone_ns)
            mounts->all[i].gone_ns = now;
    }
    mounts__read(mounts, OWN_MOUNTS, true, NULL);
}

int trace_mounts__init(struct trace_mounts *mounts)
{
    *mounts = (struct trace_mounts){.missing = -1, .fd = open(OWN_MOUNTS, O_RDONLY | O_CLOEXEC)};
    if (mounts->fd < 0)
        return -errno;
    mounts__read_own(mounts);
    return 0;
}

void trace_mounts__fini(struct trace_mounts *mounts)
{
    for (size_t i = 0; i < mounts->count; i++) {
        free(mounts->all[i].root);
        free(mounts->all[i].point);
    }
    free(mounts->all);
    if (mounts->fd >= 0)
        close(mounts->fd);
    *mounts = (struct trace_mounts){.fd = -1};
}

void trace_mounts__refresh(struct trace_mounts *mounts)
{
    struct pollfd change = {.fd = mounts->fd, .events = POLLPRI};

    mounts->missing = -1;
    mounts->reads = 0;
    if (poll(&change, 1, 0) > 0 && change.revents & (POLLPRI | POLLERR))
        mounts__read_own(mounts);
}

/* Return the mount with an id, if it was there, for the thread, when the record was made. */
static const struct trace_mount *mounts__find(const struct trace_mounts *mounts, int id)
{
    size_t at = mounts__place(mounts, id);
    const struct trace_mount *mount = at < mounts->count && mounts->all[at].id == id ? &mounts->all[at] : NULL;

    if (mount && !mount->is_own && mounts->ns && mount->ns != mounts->ns)
        return NULL; /* ids are used again, and another namespace shows when it is read alone */
    return mount && mount->gone_ns && mount->gone_ns <= mounts->time_ns ? NULL : mount;
}

const struct trace_mount *trace_mounts__find(struct trace_mounts *mounts, int id, uint32_t tgid)
{
    const struct trace_mount *mount;
    char path[64];

    if (id == mounts->missing) /* memfds are on such a mount: it is not looked for each time */
        return NULL;
    mount = mounts__find(mounts, id);
    if (mount)
        return mount;
    snprintf(path, sizeof(path), "/proc/%u/mountinfo", tgid);
    if (mounts->reads++ < READS_MAX)
        mounts__read(mounts, path, false, &(struct trace_mount){.id = id});
    mount = mounts__find(mounts, id);
    if (!mount)
        mounts->missing = id;
    return mount;
}

int trace_mounts__find_by_device(struct trace_mounts *mounts, uint32_t major, uint32_t minor, uint32_t tgid,
                                 bool *ret_is_ambiguous)
{
    int found = -1;

    for (int tries = 0; tries < 2 && found < 0; tries++) {
        char path[64];
        size_t count = 0;

        snprintf(path, sizeof(path), "/proc/%u/mountinfo", tgid);
        if (tries && mounts->reads++ < READS_MAX)
            mounts__read(mounts, path, false, &(struct trace_mount){.id = -1, .dev_major = major, .dev_minor = minor});
        for (size_t i = 0; i < mounts->count; i++) {
            if (mounts->all[i].dev_major != major || mounts->all[i].dev_minor != minor)
                continue;
            count++;
            if (found < 0 || !strcmp(mounts->all[i].root, "/"))
                found = mounts->all[i].id;
        }
        *ret_is_ambiguous = count > 1;
    }
    return found;
}

int fd__mount_id(int fd)
{
    char info[64];

    snprintf(info, sizeof(info), "/proc/self/fdinfo/%d", fd);
    char *text = trace_file__read(AT_FDCWD, info, NULL);
    const char *line = text ? strstr(text, "mnt_id:") : NULL;
    int id = line ? atoi(line + strlen("mnt_id:")) : -1;

    free(text);
    return id;
}
