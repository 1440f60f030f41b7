// SPDX-License-Identifier: BSD-2-Clause
/*
 * refuse.c - preloaded; makes the kernel seem to refuse programs, as some kernels do, and counts what is loaded.
 *
 * Environment variables name what is refused with EPERM: REFUSE_NAME, a program by the first 15 bytes of its name;
 * REFUSE_LOAD, loading of all programs of the given kinds (fentry, fexit, lsm, kprobe, session), or, if it is
 * "trampolines", of the first three; REFUSE_ATTACH, attaching them likewise; REFUSE_INFO, information about them (the
 * number of skipped runs); REFUSE_STORAGE, elements of maps of task and socket storage. REFUSE_COUNTS is the file to
 * which "programs N maps N opened N read N refused N empty N" is written at the end: the numbers loaded, created, and
 * opened by id, of elements of maps that were read, of the library's programs that the kernel itself has refused to
 * load or to attach, and the largest number of programs that do nothing and were loaded at the same time.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define FDS_MAX 1024
#define ARGS 6
#define EMPTY_INSNS 2 /* of a program that does nothing; no kernel has a reason to refuse it */

static unsigned int programs, maps, opened, elements, refused, empty, empty_max;
static bool is_of_kind[FDS_MAX]; /* programs of a kind that may be refused; by descriptor */
static bool is_empty[FDS_MAX];   /* programs that do nothing */
static bool is_storage[FDS_MAX]; /* maps of task and socket storage */

/* Return which kinds may not be loaded, or may not be attached; NULL if all may be. */
static const char *refused_kinds(void)
{
    const char *load = getenv("REFUSE_LOAD");

    return load ? load : getenv("REFUSE_ATTACH");
}

static bool program__is_of_kind(const union bpf_attr *attr)
{
    const char *kinds = refused_kinds();

    if (attr->expected_attach_type == BPF_TRACE_FENTRY || attr->expected_attach_type == BPF_TRACE_FEXIT ||
        attr->expected_attach_type == BPF_LSM_MAC)
        return true;
    return attr->prog_type == BPF_PROG_TYPE_KPROBE && !(kinds && !strcmp(kinds, "trampolines"));
}

static bool map__is_storage(const union bpf_attr *attr)
{
    return attr->map_type == BPF_MAP_TYPE_TASK_STORAGE || attr->map_type == BPF_MAP_TYPE_SK_STORAGE;
}

static bool program__is_refused(const union bpf_attr *attr)
{
    const char *name = getenv("REFUSE_NAME");

    return (getenv("REFUSE_LOAD") && program__is_of_kind(attr)) ||
           (name && attr->insn_cnt > EMPTY_INSNS && !strncmp(attr->prog_name, name, sizeof(attr->prog_name) - 1));
}

static bool call__is_refused(int command, const union bpf_attr *attr)
{
    if (command == BPF_PROG_LOAD) {
        programs++;
        return program__is_refused(attr);
    }
    maps += command == BPF_MAP_CREATE;
    if (command == BPF_MAP_UPDATE_ELEM)
        return getenv("REFUSE_STORAGE") && attr->map_fd < FDS_MAX && is_storage[attr->map_fd];
    opened += command == BPF_MAP_GET_FD_BY_ID;
    elements += command == BPF_MAP_LOOKUP_ELEM;
    unsigned int program = command == BPF_RAW_TRACEPOINT_OPEN ? attr->raw_tracepoint.prog_fd
                           : command == BPF_LINK_CREATE       ? attr->link_create.prog_fd
                                                              : FDS_MAX;

    if (command == BPF_OBJ_GET_INFO_BY_FD)
        return getenv("REFUSE_INFO") && attr->info.bpf_fd < FDS_MAX && is_of_kind[attr->info.bpf_fd];
    return getenv("REFUSE_ATTACH") && program < FDS_MAX && is_of_kind[program];
}

/* Tries of libbpf are left out: its programs have other names, and a link without a target fails with EBADF. */
static bool is_refused_by_kernel(int command, const union bpf_attr *attr)
{
    if (command == BPF_PROG_LOAD)
        return memmem(attr->prog_name, sizeof(attr->prog_name), "__", 2) != NULL;
    return (command == BPF_LINK_CREATE || command == BPF_RAW_TRACEPOINT_OPEN) && errno != EBADF;
}

static void program__note(int fd, const union bpf_attr *attr)
{
    is_of_kind[fd] = program__is_of_kind(attr);
    is_empty[fd] = attr->insn_cnt <= EMPTY_INSNS;
    empty += is_empty[fd];
    if (empty > empty_max)
        empty_max = empty;
}

int close(int fd)
{
    static int (*real)(int);

    if (!real)
        real = (int (*)(int))dlsym(RTLD_NEXT, "close");
    if (fd >= 0 && fd < FDS_MAX && is_empty[fd]) {
        is_empty[fd] = false;
        empty--;
    }
    return real(fd);
}

long syscall(long number, ...)
{
    static long (*real)(long, ...);
    long a[ARGS];
    va_list args;

    va_start(args, number);
    for (int i = 0; i < ARGS; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    if (!real)
        real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    bool attaches_kprobe = number == SYS_perf_event_open && refused_kinds() && strcmp(refused_kinds(), "trampolines");

    if (attaches_kprobe || (number == SYS_bpf && call__is_refused((int)a[0], (const union bpf_attr *)a[1]))) {
        errno = EPERM;
        return -1;
    }
    long ret = real(number, a[0], a[1], a[2], a[3], a[4], a[5]);

    if (number == SYS_bpf && ret < 0)
        refused += is_refused_by_kernel((int)a[0], (const union bpf_attr *)a[1]);
    if (number == SYS_bpf && a[0] == BPF_PROG_LOAD && ret >= 0 && ret < FDS_MAX)
        program__note((int)ret, (const union bpf_attr *)a[1]);
    if (number == SYS_bpf && a[0] == BPF_MAP_CREATE && ret >= 0 && ret < FDS_MAX)
        is_storage[ret] = map__is_storage((const union bpf_attr *)a[1]);
    return ret;
}

__attribute__((destructor)) static void write_counts(void)
{
    const char *path = getenv("REFUSE_COUNTS");
    FILE *file = path ? fopen(path, "w") : NULL;

    if (!file)
        return;
    fprintf(file, "programs %u maps %u opened %u read %u refused %u empty %u\n", programs, maps, opened, elements,
            refused, empty_max);
    fclose(file);
}
