// SPDX-License-Identifier: BSD-2-Clause
/*
 * fake-kernel.c - see fake-kernel.h.
 *
 * The linker redirects the calls that would reach the kernel to this file (--wrap, KERNEL_CALLS in the Makefile).
 * libbpf opens the real object of the probes, but nothing is loaded; memory stands in for the maps.
 */
#include "fake-kernel.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAPS_MAX 128
#define MAP_BYTES (1u << 26) /* more than any map but a ring has; what is not written takes no memory */

struct bpf_backend *backend;
struct emit_constants constants;
struct cpu_counters *counters;
struct emit_runtime *runtime;
bool preempts;
int identify_err;
char identified[64];
uint64_t skips[HOOKS_PROGRAMS_MAX];

static struct {
    const struct bpf_map *map;
    int fd;
} maps[MAPS_MAX];

static struct bpf_program *programs[HOOKS_PROGRAMS_MAX + 1];

int __wrap_bpf_map__fd(const struct bpf_map *map)
{
    bool is_ring = bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF;
    off_t size = is_ring ? (off_t)(2 * getpagesize() + 2 * bpf_map__max_entries(map)) : MAP_BYTES;
    size_t i = 0;

    while (i < MAPS_MAX && maps[i].map && maps[i].map != map)
        i++;
    if (i == MAPS_MAX)
        abort();
    if (!maps[i].map) {
        maps[i].map = map;
        maps[i].fd = memfd_create("map", MFD_CLOEXEC);
        if (maps[i].fd < 0 || ftruncate(maps[i].fd, size))
            abort();
    }
    return maps[i].fd;
}

int __wrap_bpf_program__fd(const struct bpf_program *program)
{
    for (int i = 0; i < HOOKS_PROGRAMS_MAX; i++) {
        if (programs[i] == program)
            return PROGRAM_FDS + i;
    }
    return -ENOENT;
}

int __wrap_bpf_obj_get_info_by_fd(int fd, void *info, uint32_t *len)
{
    (void)len;
    ((struct bpf_prog_info *)info)->recursion_misses = skips[fd - PROGRAM_FDS];
    return 0;
}

int __wrap_bpf_map_update_elem(int fd, const void *key, const void *value, uint64_t flags)
{
    (void)fd, (void)key, (void)value, (void)flags;
    return 0;
}

int __wrap_bpf_map_delete_elem(int fd, const void *key)
{
    (void)fd, (void)key;
    return 0;
}

int __wrap_bpf_prog_test_run_opts(int fd, void *opts)
{
    (void)opts;
    if (fd >= PROGRAM_FDS)
        snprintf(identified, sizeof(identified), "%s", bpf_program__name(programs[fd - PROGRAM_FDS]));
    return identify_err;
}

/* Memory cannot be polled; these tests do not wait. */
int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    (void)epoll, (void)operation, (void)fd, (void)event;
    return 0;
}

int __wrap_libbpf_num_possible_cpus(void)
{
    return CPUS;
}

int __wrap_load__object(const struct targets *targets, struct bpf_object *object, const struct load_how *how,
                        const struct load_calls *calls)
{
    const struct bpf_map *rodata = bpf_object__find_map_by_name(object, ".rodata");
    struct bpf_program *program;
    size_t size, count = 0;
    int err = 0;

    (void)targets, (void)how;
    bpf_object__for_each_program(program, object)
    {
        programs[count] = program;
        if (!err && target__is_registered(program) && bpf_program__autoload(program))
            err = calls->begin(calls->user, program) ?: calls->end(calls->user, program, PROGRAM_FDS + (int)count);
        count++;
    }
    memcpy(&constants, bpf_map__initial_value((struct bpf_map *)rodata, &size), sizeof(constants));
    return err;
}

int __wrap_probes__leave_out(struct probes *p)
{
    (void)p;
    return 0;
}

static void *map__memory(const char *name)
{
    const struct bpf_map *map = bpf_object__find_map_by_name(backend->probes.object, name);

    return mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, __wrap_bpf_map__fd(map), 0);
}

int __wrap_links__attach(struct links *links, struct probes *p, const struct ebpf_source_opts *opts)
{
    (void)links, (void)opts;
    backend = (struct bpf_backend *)((char *)p - offsetof(struct bpf_backend, probes));
    for (size_t i = 0; i < p->hooks.count; i++)
        p->hooks.programs[i].attached = p->hooks.programs[i].wanted;
    counters = map__memory("counters");
    runtime = map__memory(EMIT_RUNTIME_SECTION);
    counters[CPUS - 1].rescued[0] = 100; /* before the probes began */
    return 0;
}

int __wrap_links__attach_early(struct links *links, struct probes *p, const struct bpf_program *bpf)
{
    (void)links, (void)p, (void)bpf;
    return LINKS_NOT_THIS_ONE;
}

void __wrap_links__detach_all(struct links *links, struct probes *p)
{
    (void)links, (void)p;
}

int __wrap_trials__run(struct probes *p)
{
    (void)p;
    return 0;
}

int __wrap_preflight__check(const struct ebpf_log *log)
{
    (void)log;
    return 0;
}

bool __wrap_preflight__kernel_preempts(void)
{
    return preempts;
}

struct instances __wrap_instances__join(const struct instance *self)
{
    (void)self;
    return INSTANCES_NONE;
}

size_t __wrap_instances__others(const struct instances *instances, const struct instance *self,
                                struct ebpf_process others[EBPF_OTHERS_MAX])
{
    (void)instances, (void)self, (void)others;
    return 0;
}

void kernel__forget(void)
{
    for (size_t i = 0; i < MAPS_MAX && maps[i].map; i++)
        close(maps[i].fd);
    memset(maps, 0, sizeof(maps));
    memset(skips, 0, sizeof(skips));
    if (counters)
        munmap(counters, MAP_BYTES);
    if (runtime)
        munmap(runtime, MAP_BYTES);
    counters = NULL;
    runtime = NULL;
}
