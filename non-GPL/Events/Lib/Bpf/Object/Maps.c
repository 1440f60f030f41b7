/* SPDX-License-Identifier: BSD-2-Clause */
#include "Maps.h"

#include <bpf/libbpf.h>
#include <string.h>

#include "Core/EmitShared.h"

static bool name__begins(const char *name, const char *prefix)
{
    return !strncmp(name, prefix, strlen(prefix));
}

/* Return whether a map is only used where the flows of datagrams have no socket storage. */
static bool map__stands_in_for_flow_storage(const char *name)
{
    static const char *const names[] = {"flow_lists_by_sk", "flow_mores_by_sk", "flow_users", "flow_none"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (!strcmp(name, names[i]))
            return true;
    }
    return false;
}

/* Return whether programs that refer to a map need it with these settings. */
static bool map__has_use(const struct bpf_map *map, const struct probes *p, const struct ebpf_source_opts *opts)
{
    const char *name = bpf_map__name(map);

    if (bpf_map__type(map) == BPF_MAP_TYPE_TASK_STORAGE)
        return p->has_task_storage;
    if (!strcmp(name, "syscall_ends"))
        return true;
    if (bpf_map__type(map) == BPF_MAP_TYPE_PROG_ARRAY || !strcmp(name, "spare_marks"))
        return p->hooks.spares;
    if (!strcmp(name, "task_table"))
        return !p->has_task_storage;
    if (!strcmp(name, "tree_members"))
        return p->hooks.select_kinds & 1u << EBPF_SELECT_TREE;
    if (name__begins(name, "budget_"))
        return opts->budget;
    return !p->has_sk_storage || p->is_converted || p->hooks.ways[EBPF_EVENT_NETWORK_DATAGRAM_FLOW] == WAY_SYSCALLS ||
           !map__stands_in_for_flow_storage(name);
}

/* Return whether the library or libbpf itself needs a map. */
static bool map__is_for_library(const struct bpf_map *map)
{
    return bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF || bpf_map__is_internal(map) ||
           !strcmp(bpf_map__name(map), "counters");
}

/* Free entries that each CPU may keep for itself in an LRU map (kernel/bpf/bpf_lru_list.c): they evict nobody. */
#define LRU_FREE_OF_CPU 128

static int map__size(struct bpf_map *map, const struct probes *p, const struct ebpf_source_opts *opts,
                     uint32_t ring_bytes)
{
    const char *name = bpf_map__name(map);

    if (bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF)
        return bpf_map__set_max_entries(map, ring_bytes);
    if (!strcmp(name, "counters"))
        return bpf_map__set_max_entries(map, (uint32_t)p->cpus);
    if (!strcmp(name, "ring_users") || !strcmp(name, "budget_users"))
        return bpf_map__set_max_entries(map, bpf_map__max_entries(map) + LRU_FREE_OF_CPU * (uint32_t)p->cpus);
    if (!strcmp(name, "scratch"))
        return bpf_map__set_max_entries(map, p->slots + p->cpu_slots)
                   ?: bpf_map__set_value_size(map, SCRATCH_HEAD + (opts->env ? SCRATCH_DATA_ENV : SCRATCH_DATA));
    if (!strcmp(name, "task_table") && !p->hooks.stand_ins[STAND_IN_KPROBE] && !opts->budget)
        return bpf_map__set_value_size(map, TASK_STATE_LEAST);
    if (!strcmp(name, "tree_members") || !strcmp(name, "budget_forks"))
        return bpf_map__set_max_entries(map, p->tree_chunks);
    if (map__stands_in_for_flow_storage(name) && p->is_converted &&
        !targets__has_function(&p->targets, TARGET_MAP_ALLOCATOR))
        return bpf_map__set_map_flags(map, bpf_map__map_flags(map) & ~(uint32_t)BPF_F_NO_PREALLOC);
    return 0;
}

int probes__prepare_maps(struct probes *p, const struct ebpf_source_opts *opts, uint32_t ring_bytes,
                         const struct map_refs *refs)
{
    struct bpf_map *map;
    int err = 0;

    bpf_object__for_each_map(map, p->object)
    {
        bool is_made =
            map__is_for_library(map) || (map_refs__has(refs, bpf_map__name(map)) && map__has_use(map, p, opts));

        if (!err)
            err = is_made ? map__size(map, p, opts, ring_bytes) : bpf_map__set_autocreate(map, false);
    }
    return err;
}
