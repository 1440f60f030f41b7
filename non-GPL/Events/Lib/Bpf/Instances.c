// SPDX-License-Identifier: BSD-2-Clause
/* Instances.c - see Instances.h. */
#include "Instances.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define MAP_NAME "ebpf_instances"
#define MAP_TYPE BPF_MAP_TYPE_LPM_TRIE /* whose keys here are all of full length */

/* The layout, and the size of the values, are for all versions of the library. */
struct key {
    uint32_t bits;
    uint32_t tgid;
    uint64_t start_time_ns;
};

#define KEY_BITS (8 * (sizeof(struct key) - sizeof(uint32_t)))
#define VALUE_SIZE sizeof(uint32_t)

static struct key key__of(const struct ebpf_process *process)
{
    return (struct key){.bits = KEY_BITS, .tgid = process->tgid, .start_time_ns = process->start_time_ns};
}

/* One that is full has some of processes that were killed: any of them makes room. */
static void map__enter(int map, const struct key *key)
{
    struct key first;
    uint32_t value = 1;

    if (bpf_map_update_elem(map, key, &value, BPF_ANY) != -ENOSPC || bpf_map_get_next_key(map, NULL, &first))
        return;
    bpf_map_delete_elem(map, &first);
    bpf_map_update_elem(map, key, &value, BPF_ANY);
}

static void map__leave(int map, const struct key *key)
{
    bpf_map_delete_elem(map, key);
}

static void map__copy(int from, int to)
{
    struct key key, next;
    int err = bpf_map_get_next_key(from, NULL, &next);

    for (int i = 0; !err && i < EBPF_OTHERS_MAX; i++) {
        map__enter(to, &next);
        key = next;
        err = bpf_map_get_next_key(from, &key, &next);
    }
}

/* The kernel reads and writes as much as the map says, so its sizes have to be ours. */
static bool map__is_of_instance(int map)
{
    struct bpf_map_info info = {0};
    uint32_t size = sizeof(info);

    return !bpf_obj_get_info_by_fd(map, &info, &size) && info.type == MAP_TYPE && info.key_size == sizeof(struct key) &&
           info.value_size == VALUE_SIZE && !strcmp(info.name, MAP_NAME);
}

/* Do something with each map of an instance; and, unless `own` is -1, copy it into that. */
static void maps__visit(void (*act)(int map, const struct key *key), const struct key *key, int own)
{
    for (uint32_t id = 0; !bpf_map_get_next_id(id, &id);) {
        int map = bpf_map_get_fd_by_id(id);

        if (map < 0)
            continue;
        if (map__is_of_instance(map)) {
            act(map, key);
            if (own >= 0)
                map__copy(map, own);
        }
        close(map);
    }
}

int instances__join(const struct ebpf_process *self)
{
    LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
    struct key key = key__of(self);
    int map = bpf_map_create(MAP_TYPE, MAP_NAME, sizeof(key), VALUE_SIZE, EBPF_OTHERS_MAX, &opts);

    if (map >= 0)
        maps__visit(map__enter, &key, map);
    return map;
}

size_t instances__others(int map, const struct ebpf_process *self, struct ebpf_process others[EBPF_OTHERS_MAX])
{
    struct key key, next;
    int err = bpf_map_get_next_key(map, NULL, &next);
    size_t count = 0;

    for (int i = 0; !err && i < EBPF_OTHERS_MAX; i++) {
        if (next.tgid != self->tgid || next.start_time_ns != self->start_time_ns)
            others[count++] = (struct ebpf_process){.tgid = next.tgid, .start_time_ns = next.start_time_ns};
        key = next;
        err = bpf_map_get_next_key(map, &key, &next);
    }
    return count;
}

void instances__leave(const struct ebpf_process *self)
{
    struct key key = key__of(self);

    maps__visit(map__leave, &key, -1);
}
