// SPDX-License-Identifier: BSD-2-Clause
/* TraceInstance.c - see TraceInstance.h. */
#include "TraceInstance.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATH_LEN 320
#define READ_STEP 65536
#define CPUS_MAX 8192 /* as many as a kernel can be configured for */
#define BUSY_TRIES 100
#define BUSY_NS 10000000    /* between two */
#define STAT_START_FIELD 22 /* of /proc/PID/stat, from 1 */

/* ---------------------------------------------------------------------- files */

static int file__write(int dir, const char *file, const char *text, int flags)
{
    int fd = openat(dir, file, O_WRONLY | O_CLOEXEC | flags);

    if (fd < 0)
        return -errno;
    ssize_t written = write(fd, text, strlen(text));
    int err = written < 0 ? -errno : 0;

    close(fd);
    return err;
}

/* Read the rest of a file, and end it with a NUL. NULL with errno if that fails. */
static char *file__read(int fd, size_t most, size_t *ret_size)
{
    size_t size = 0, room = 0;
    char *text = NULL;
    ssize_t got = 1;

    while (got > 0 && size < most) {
        if (room - size < 2) {
            char *more = realloc(text, room + READ_STEP);

            if (!more) {
                free(text);
                errno = ENOMEM;
                return NULL;
            }
            text = more;
            room += READ_STEP;
        }
        got = read(fd, text + size, room - size - 1);
        size += got > 0 ? (size_t)got : 0;
    }
    if (got < 0) {
        int err = errno;

        free(text);
        errno = err;
        return NULL;
    }
    text[size] = '\0';
    if (ret_size)
        *ret_size = size;
    return text;
}

char *trace_file__read(int dir, const char *file, size_t *ret_size)
{
    int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return NULL;
    char *text = file__read(fd, SIZE_MAX, ret_size);
    int err = errno;

    close(fd);
    errno = err;
    return text;
}

char *trace_file__read_some(int dir, const char *file, size_t most)
{
    int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
    char *text = fd < 0 ? NULL : file__read(fd, most, NULL);

    if (fd >= 0)
        close(fd);
    return text;
}

/* ------------------------------------------------------------- those that ended */

uint64_t trace_process__start(unsigned long pid)
{
    char path[PATH_LEN];
    uint64_t start = 0;

    snprintf(path, sizeof(path), "/proc/%lu/stat", pid);
    char *stat = trace_file__read(AT_FDCWD, path, NULL);
    char *field = stat ? strrchr(stat, ')') : NULL; /* the name may have blanks and parentheses */

    for (int n = 2; field && n < STAT_START_FIELD; n++) {
        field = strchr(field, ' ');
        field = field ? field + 1 : NULL;
    }
    if (field)
        start = strtoull(field, NULL, 10);
    free(stat);
    return start;
}

/* Return whether a name is that of an instance whose process is not there any more. */
static bool name__is_dead(const char *name)
{
    unsigned long pid;
    unsigned long long start;

    if (sscanf(name, TRACE_NAME_PREFIX "%lu_%llu_", &pid, &start) != 2)
        return false;
    return trace_process__start(pid) != start;
}

static bool instance__is_there(int root, const char *name)
{
    char path[PATH_LEN];

    snprintf(path, sizeof(path), "instances/%s", name);
    return !faccessat(root, path, F_OK, 0);
}

/* Remove an instance, unless it is in use: then try again, so often. */
static void instance__remove(int root, const char *name, unsigned int tries)
{
    char path[PATH_LEN];

    snprintf(path, sizeof(path), "instances/%s", name);
    while (unlinkat(root, path, AT_REMOVEDIR) && errno == EBUSY && tries--)
        nanosleep(&(struct timespec){.tv_nsec = BUSY_NS}, NULL);
}

/*
 * Parse a line of kprobe_events: "p:GROUP/EVENT ...", "r:GROUP/EVENT", "r64:GROUP/EVENT". False if it has no group. The
 * line is changed.
 */
static bool probe__parse(char *line, const char **ret_group, const char **ret_event)
{
    char *group = strchr(line, ':'), *end = strchr(line, ' ');

    if (!group || (end && end < group))
        return false;
    if (end)
        *end = '\0';
    char *event = strchr(group, '/');

    if (!event)
        return false;
    *event = '\0';
    *ret_group = group + 1;
    *ret_event = event + 1;
    return true;
}

static void probe__remove(int root, const char *group, const char *event)
{
    char line[PATH_LEN];

    snprintf(line, sizeof(line), "-:%s/%s\n", group, event);
    file__write(root, "kprobe_events", line, O_APPEND);
}

/* Remove the probes of one group, or those of all instances that are not there any more and whose process is not. */
static void probes__remove(int root, const char *only)
{
    char *lines = trace_file__read(root, "kprobe_events", NULL), *rest = lines, *line;
    const char *group, *event;

    while ((line = strsep(&rest, "\n"))) {
        if (!probe__parse(line, &group, &event))
            continue;
        if (only ? !strcmp(group, only) : name__is_dead(group) && !instance__is_there(root, group))
            probe__remove(root, group, event);
    }
    free(lines);
}

static void dead__remove(int root)
{
    int fd = openat(root, "instances", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        if (name__is_dead(entry->d_name))
            instance__remove(root, entry->d_name, 0);
    }
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    probes__remove(root, NULL);
}

/* ---------------------------------------------------------------------- tracefs */

/* In a process of its own, mount tracefs where only that process sees it, and wait to be killed. */
static void mounter__run(int ready)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bool ok = !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
              !mount("nodev", "/sys/kernel", "tracefs", 0, NULL);
    char status = (char)(ok ? 0 : errno);

    if (write(ready, &status, 1) == 1)
        pause();
    _exit(0);
}

/*
 * Open tracefs although it is not mounted: it stays mounted for as long as the descriptor is open, and no other process
 * sees it. A descriptor or -errno.
 */
static int tracefs__open_hidden(void)
{
    char path[PATH_LEN], status = EIO;
    int ready[2], fd = -1;

    if (pipe2(ready, O_CLOEXEC))
        return -errno;
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = (pid_t)syscall(SYS_clone, 0L, NULL, NULL, NULL, NULL); /* no signal when it ends */

    if (!pid)
        mounter__run(ready[1]);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ready[1]);
    if (pid > 0 && read(ready[0], &status, 1) == 1 && !status) {
        snprintf(path, sizeof(path), "/proc/%d/root/sys/kernel", (int)pid);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        status = (char)(fd < 0 ? errno : 0);
    }
    close(ready[0]);
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, __WALL);
    }
    return fd < 0 ? -status : fd;
}

/* That below debugfs is not looked for: looking would mount it. */
static int tracefs__open(void)
{
    int fd = open("/sys/kernel/tracing", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 && !faccessat(fd, "instances", F_OK, 0))
        return fd;
    if (fd >= 0)
        close(fd);
    return tracefs__open_hidden();
}

/* --------------------------------------------------------------------- instance */

static int instance__configure(const struct trace_instance *in, unsigned int kib)
{
    char size[16];

    snprintf(size, sizeof(size), "%u", kib);
    int err = trace_instance__write(in, "trace_clock", "boot");

    if (!err)
        err = trace_instance__write(in, "options/overwrite", "1");
    if (!err)
        err = trace_instance__write(in, "buffer_size_kb", size);
    return err;
}

/* Make the directory of the instance. Its number distinguishes those of one process. */
static int instance__make(struct trace_instance *in)
{
    uint64_t start = trace_process__start((unsigned long)getpid());
    char path[PATH_LEN];

    for (unsigned int number = 0;; number++) {
        snprintf(in->name, sizeof(in->name), TRACE_NAME_PREFIX "%d_%llu_%u", (int)getpid(), (unsigned long long)start,
                 number);
        snprintf(path, sizeof(path), "instances/%s", in->name);
        if (!mkdirat(in->root, path, S_IRWXU))
            break;
        if (errno != EEXIST)
            return -errno;
    }
    in->dir = openat(in->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    in->enable = in->dir < 0 ? -1 : openat(in->dir, "events/enable", O_WRONLY | O_CLOEXEC);
    in->profile = in->enable < 0 ? -1 : openat(in->root, "kprobe_profile", O_RDONLY | O_CLOEXEC);
    if (in->profile >= 0 || (in->enable >= 0 && errno == ENOENT))
        return 0;
    int err = -errno;

    if (in->dir < 0)
        instance__remove(in->root, in->name, 0);
    return err;
}

int trace_instance__open(struct trace_instance *in, const struct ebpf_log *log, unsigned int kib)
{
    *in = TRACE_INSTANCE_NONE;
    in->log = *log;
    in->root = tracefs__open();
    if (in->root < 0) {
        int err = in->root;

        ebpf_log__write(log, EBPF_LOG_ERROR, "cannot open tracefs: %s; %s", strerror(-err),
                        err == -ENODEV ? "the kernel needs CONFIG_FTRACE"
                                       : "run as root, and mount it (mount -t tracefs nodev /sys/kernel/tracing)");
        return err;
    }
    dead__remove(in->root);
    int err = instance__make(in);

    if (!err)
        err = instance__configure(in, kib);
    if (!err)
        return 0;
    ebpf_log__write(log, EBPF_LOG_ERROR, "cannot create an instance of tracefs: %s; %s", strerror(-err),
                    err == -ENOMEM ? "free memory, or choose smaller rings" : "run as root, without kernel lockdown");
    trace_instance__close(in);
    return err;
}

void trace_instance__close(struct trace_instance *in)
{
    trace_instance__disable(in);
    if (in->enable >= 0)
        close(in->enable);
    if (in->profile >= 0)
        close(in->profile);
    if (in->dir >= 0) {
        close(in->dir);
        instance__remove(in->root, in->name, BUSY_TRIES);
    }
    if (in->root >= 0) {
        if (in->name[0])
            probes__remove(in->root, in->name);
        close(in->root);
    }
    *in = TRACE_INSTANCE_NONE;
}

int trace_instance__define(const struct trace_instance *in, const char *lines)
{
    return file__write(in->root, "kprobe_events", lines, O_APPEND);
}

void trace_instance__undefine(const struct trace_instance *in, const char *event)
{
    probe__remove(in->root, in->name, event);
}

int trace_instance__enable(const struct trace_instance *in, const char *event, bool enable)
{
    char path[PATH_LEN];

    snprintf(path, sizeof(path), "events/%s/%s/enable", in->name, event);
    return file__write(in->dir, path, enable ? "1" : "0", 0);
}

void trace_instance__disable(const struct trace_instance *in)
{
    if (in->enable >= 0 && write(in->enable, "0", 1) != 1)
        ebpf_log__write(&in->log, EBPF_LOG_WARNING, "cannot disable probes: %s; they go on until the source is closed",
                        strerror(errno));
}

char *trace_instance__profile(const struct trace_instance *in)
{
    return lseek(in->profile, 0, SEEK_SET) ? NULL : file__read(in->profile, SIZE_MAX, NULL);
}

int trace_instance__write(const struct trace_instance *in, const char *file, const char *text)
{
    return file__write(in->dir, file, text, O_TRUNC);
}

int trace_instance__open_cpu(const struct trace_instance *in, int cpu)
{
    char path[PATH_LEN];

    snprintf(path, sizeof(path), "per_cpu/cpu%d/trace_pipe_raw", cpu);
    int fd = openat(in->dir, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

/* Open the raw buffers that a directory has. Returns their number, or -errno. */
static int cpus__open(const struct trace_instance *in, DIR *dir, int *ret_fds, int room)
{
    struct dirent *entry;
    int count = 0, cpu;

    while ((entry = readdir(dir)) && count < room) {
        if (sscanf(entry->d_name, "cpu%d", &cpu) != 1)
            continue;
        int fd = trace_instance__open_cpu(in, cpu);

        if (fd >= 0) {
            ret_fds[count++] = fd;
            continue;
        }
        while (count--)
            close(ret_fds[count]);
        return fd;
    }
    return count;
}

int trace_instance__open_cpus(const struct trace_instance *in, int **ret_fds)
{
    int fd = openat(in->dir, "per_cpu", O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = -ENOMEM;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (!dir) {
        int err = -errno;

        if (fd >= 0)
            close(fd);
        return err;
    }
    *ret_fds = calloc(CPUS_MAX, sizeof(**ret_fds));
    if (*ret_fds)
        count = cpus__open(in, dir, *ret_fds, CPUS_MAX);
    closedir(dir);
    if (count < 0)
        free(*ret_fds);
    return count;
}
