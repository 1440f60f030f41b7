/* SPDX-License-Identifier: BSD-2-Clause */
#include "TaskStorage.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* Types of a key and a value, which the kernel wants to be told. A descriptor, or a negative number. */
static int btf__load_int(int *ret_type)
{
    struct btf *btf = btf__new_empty();
    int fd = -1;

    if (!btf)
        return -1;
    *ret_type = btf__add_int(btf, "int", sizeof(int), BTF_INT_SIGNED);
    if (*ret_type > 0) {
        uint32_t size;
        const void *raw = btf__raw_data(btf, &size);

        fd = raw ? bpf_btf_load(raw, size, NULL) : -1;
    }
    btf__free(btf);
    return fd;
}

static int map__create(void)
{
    int type = 0, btf = btf__load_int(&type);
    LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC, .btf_fd = (uint32_t)btf,
                .btf_key_type_id = (uint32_t)type, .btf_value_type_id = (uint32_t)type);

    if (btf < 0)
        return -1;
    int map = bpf_map_create(BPF_MAP_TYPE_TASK_STORAGE, "ebpf_try", sizeof(int), sizeof(int), 0, &opts);

    close(btf);
    return map;
}

bool task_storage__works(void)
{
    int map = map__create(), self = -1, value = 0;
    bool works = false;

    if (map >= 0)
        self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (self >= 0) {
        works = !bpf_map_update_elem(map, &self, &value, BPF_NOEXIST);
        close(self);
    }
    if (map >= 0)
        close(map);
    return works;
}
