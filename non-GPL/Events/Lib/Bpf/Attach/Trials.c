/* SPDX-License-Identifier: BSD-2-Clause */
#include "Trials.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../Kernel/Preflight.h"

#define XATTR_NAME "trusted.ebpf-events"

/* What trials work on: the root of a file system, and two files that they create. */
struct trial_files {
    int root, file, other;
    size_t page;
    void *mapping;
};

/* ---------------------------------------------------------------- trials */

static bool trial__mkdir(struct trial_files *p)
{
    return !mkdirat(p->root, "directory", 0700);
}

static bool trial__mknod(struct trial_files *p)
{
    return !mknodat(p->root, "pipe", S_IFIFO | 0600, 0);
}

static bool trial__create(struct trial_files *p)
{
    return !mknodat(p->root, "other", S_IFREG | 0600, 0);
}

static bool trial__symlink(struct trial_files *p)
{
    return !symlinkat("file", p->root, "symlink");
}

static bool trial__open(struct trial_files *p)
{
    p->file = openat(p->root, "file", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    p->other = openat(p->root, "other", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    return p->file >= 0;
}

static bool trial__link(struct trial_files *p)
{
    return !linkat(p->root, "file", p->root, "link", 0);
}

static bool trial__write(struct trial_files *p)
{
    return write(p->file, "x", 1) == 1;
}

static bool trial__writev(struct trial_files *p)
{
    char byte = 'x';

    return writev(p->file, &(struct iovec){&byte, 1}, 1) == 1;
}

static bool trial__truncate(struct trial_files *p)
{
    return !ftruncate(p->file, 1);
}

static bool trial__fallocate(struct trial_files *p)
{
    return !fallocate(p->file, 0, 0, 1);
}

static bool trial__chmod(struct trial_files *p)
{
    return !fchmod(p->file, 0400);
}

static bool trial__chown(struct trial_files *p)
{
    return !fchown(p->file, (uid_t)-1, (gid_t)-1);
}

static bool trial__utimes(struct trial_files *p)
{
    return !futimens(p->file, NULL);
}

static bool trial__setxattr(struct trial_files *p)
{
    return !fsetxattr(p->file, XATTR_NAME, "", 0, 0);
}

static bool trial__removexattr(struct trial_files *p)
{
    return !fremovexattr(p->file, XATTR_NAME);
}

static bool trial__map(struct trial_files *p)
{
    p->mapping = mmap(NULL, p->page, PROT_READ | PROT_WRITE, MAP_SHARED, p->file, 0);
    return p->mapping != MAP_FAILED;
}

static bool trial__mprotect(struct trial_files *p)
{
    return p->mapping != MAP_FAILED && !mprotect(p->mapping, p->page, PROT_READ);
}

static bool trial__copy(struct trial_files *p)
{
    off64_t from = 0;

    return copy_file_range(p->file, &from, p->other, NULL, 1, 0) == 1;
}

static bool trial__sendfile(struct trial_files *p)
{
    off_t from = 0;

    return sendfile(p->other, p->file, &from, 1) == 1;
}

static bool trial__splice(struct trial_files *p)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC))
        return false;
    bool done = write(ends[1], "x", 1) == 1 && splice(ends[0], NULL, p->other, NULL, 1, 0) == 1;

    close(ends[0]);
    close(ends[1]);
    return done;
}

static bool trial__rename(struct trial_files *p)
{
    return !renameat(p->root, "file", p->root, "renamed");
}

static bool trial__exchange(struct trial_files *p)
{
    return !renameat2(p->root, "renamed", p->root, "other", RENAME_EXCHANGE);
}

static bool trial__unlink(struct trial_files *p)
{
    return !unlinkat(p->root, "renamed", 0);
}

static bool trial__rmdir(struct trial_files *p)
{
    return !unlinkat(p->root, "directory", AT_REMOVEDIR);
}

static bool trial__memfd(struct trial_files *p)
{
    int fd = memfd_create("ebpf-events-trial", MFD_CLOEXEC);

    (void)p;
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* A segment that is too small is refused no earlier than where it would be created. */
static bool trial__shmget(struct trial_files *p)
{
    (void)p;
    return shmget(IPC_PRIVATE, 0, 0600) < 0 && errno == EINVAL;
}

_Static_assert(TRIAL_COUNT <= 32, "a set of trials is a word of 32 bits");

/* Each builds upon those before. */
static bool (*const trials[TRIAL_COUNT])(struct trial_files *) = {
    [TRIAL_MKDIR] = trial__mkdir,
    [TRIAL_MKNOD] = trial__mknod,
    [TRIAL_CREATE] = trial__create,
    [TRIAL_SYMLINK] = trial__symlink,
    [TRIAL_OPEN] = trial__open,
    [TRIAL_LINK] = trial__link,
    [TRIAL_WRITE] = trial__write,
    [TRIAL_WRITEV] = trial__writev,
    [TRIAL_TRUNCATE] = trial__truncate,
    [TRIAL_FALLOCATE] = trial__fallocate,
    [TRIAL_CHMOD] = trial__chmod,
    [TRIAL_CHOWN] = trial__chown,
    [TRIAL_UTIMES] = trial__utimes,
    [TRIAL_SETXATTR] = trial__setxattr,
    [TRIAL_REMOVEXATTR] = trial__removexattr,
    [TRIAL_MAP] = trial__map,
    [TRIAL_MPROTECT] = trial__mprotect,
    [TRIAL_COPY] = trial__copy,
    [TRIAL_SENDFILE] = trial__sendfile,
    [TRIAL_SPLICE] = trial__splice,
    [TRIAL_RENAME] = trial__rename,
    [TRIAL_EXCHANGE] = trial__exchange,
    [TRIAL_UNLINK] = trial__unlink,
    [TRIAL_RMDIR] = trial__rmdir,
    [TRIAL_MEMFD] = trial__memfd,
    [TRIAL_SHMGET] = trial__shmget,
};

/* ------------------------------------------------------------------ runs */

/* Return which trials succeeded. None is tried if RLIMIT_FSIZE is so low that a write would raise a signal. */
static uint32_t trials__do(size_t page)
{
    struct trial_files files = {.file = -1, .other = -1, .page = page, .mapping = MAP_FAILED};
    struct rlimit size;
    uint32_t done = 0;

    if (getrlimit(RLIMIT_FSIZE, &size) || size.rlim_cur < page)
        return 0;
    files.root = preflight__mount_nowhere("tmpfs");
    if (files.root < 0)
        return 0;
    for (int i = TRIAL_NONE + 1; i < TRIAL_COUNT; i++)
        done |= (uint32_t)trials[i](&files) << i;
    if (files.mapping != MAP_FAILED)
        munmap(files.mapping, files.page);
    if (files.file >= 0)
        close(files.file);
    if (files.other >= 0)
        close(files.other);
    close(files.root);
    return done;
}

/* Return whether a program has run, or was skipped by its guard, which also shows the call; true if that is unknown. */
static bool program__was_run(const struct hooks_program *program)
{
    struct bpf_prog_info info = {0};
    __u32 len = sizeof(info);

    return bpf_obj_get_info_by_fd(program->fd, &info, &len) || info.run_cnt || info.recursion_misses;
}

/* Refuse the programs that have not run in what was done. Returns how many these are. */
static int probes__refuse_unrun(struct probes *p, uint32_t done)
{
    const struct hook_row *row;
    int refused = 0;

    for (size_t i = 0; (row = hooks__row(i)); i++) {
        struct hooks_program *program = done >> row->trial & 1 ? hooks__in_use(&p->hooks, i) : NULL;

        if (!program || program__was_run(program))
            continue;
        hooks__refuse(program, "the kernel never calls %s, which its compiler may have inlined",
                      target__name(bpf_object__find_program_by_name(p->object, program->name)));
        refused++;
    }
    return refused;
}

/* Return whether there is a trial for a program in use. */
static bool probes__has_trials(struct probes *p)
{
    const struct hook_row *row;

    for (size_t i = 0; (row = hooks__row(i)); i++) {
        if (row->trial != TRIAL_NONE && hooks__in_use(&p->hooks, i))
            return true;
    }
    return false;
}

int trials__run(struct probes *p)
{
    int stats = probes__has_trials(p) ? bpf_enable_stats(BPF_STATS_RUN_TIME) : -1;

    if (stats < 0)
        return 0;
    uint32_t done = trials__do((size_t)getpagesize());

    close(stats);
    return probes__refuse_unrun(p, done);
}
