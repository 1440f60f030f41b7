/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seize-slots COUNT - claims all scratch slots of a tracer, like COUNT programs that never end (0 releases them): no
 * event that it sees from now on finds a slot.
 */
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long bpf(int command, union bpf_attr *attr)
{
    return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int map__open_next(uint32_t *id)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.start_id = *id;
    if (bpf(BPF_MAP_GET_NEXT_ID, &attr))
        return -1;
    *id = attr.next_id;
    memset(&attr, 0, sizeof(attr));
    attr.map_id = *id;
    return (int)bpf(BPF_MAP_GET_FD_BY_ID, &attr);
}

/* The first word of each element is the number of claims. */
static int elements__claim(int fd, const struct bpf_map_info *map, uint64_t claims)
{
    uint64_t *value = malloc(map->value_size);
    int changed = 0;

    for (uint32_t key = 0; value && key < map->max_entries; key++) {
        union bpf_attr attr;

        memset(&attr, 0, sizeof(attr));
        attr.map_fd = (uint32_t)fd;
        attr.key = (uintptr_t)&key;
        attr.value = (uintptr_t)value;
        if (bpf(BPF_MAP_LOOKUP_ELEM, &attr))
            continue;
        value[0] = claims;
        changed += !bpf(BPF_MAP_UPDATE_ELEM, &attr);
    }
    free(value);
    return changed;
}

int main(int argc, char **argv)
{
    uint64_t claims = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint32_t id = 0;
    int changed = 0;

    for (int fd; (fd = map__open_next(&id)) >= 0; close(fd)) {
        struct bpf_map_info map;
        union bpf_attr attr;

        memset(&map, 0, sizeof(map));
        memset(&attr, 0, sizeof(attr));
        attr.info.bpf_fd = (uint32_t)fd;
        attr.info.info = (uintptr_t)&map;
        attr.info.info_len = sizeof(map);
        if (!bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) && !strcmp(map.name, "scratch"))
            changed += elements__claim(fd, &map, claims);
    }
    printf("%d slots\n", changed);
    return !changed;
}
