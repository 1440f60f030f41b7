/* SPDX-License-Identifier: BSD-2-Clause */
#include "Spares.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

int spares__connect(struct probes *p)
{
    const struct hook_row *row;
    uint32_t key = 0;

    for (size_t i = 0; p->hooks.spares && (row = hooks__row(i)); i++) {
        if (!row->body)
            continue;
        const struct bpf_map *map = bpf_object__find_map_by_name(p->object, row->body);
        int fd = p->hooks.programs[i].fd;

        if (map && bpf_map__fd(map) >= 0 && fd >= 0 && bpf_map_update_elem(bpf_map__fd(map), &key, &fd, BPF_ANY))
            return -errno;
    }
    return 0;
}
