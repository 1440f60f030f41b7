// SPDX-License-Identifier: BSD-2-Clause
/* LocalStorage.c - see LocalStorage.h. */
#include "LocalStorage.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* Create a map of such storage, with numbers as values and the BTF that the kernel requires. Negative on failure. */
static int map__create(enum bpf_map_type map_type)
{
    struct btf *btf = btf__new_empty();
    int type = btf ? btf__add_int(btf, "int", sizeof(int), BTF_INT_SIGNED) : -1;
    int fd = -1;

    if (type > 0 && !btf__load_into_kernel(btf)) {
        LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC, .btf_fd = (uint32_t)btf__fd(btf),
                    .btf_key_type_id = (uint32_t)type, .btf_value_type_id = (uint32_t)type);

        fd = bpf_map_create(map_type, "ebpf_try", sizeof(int), sizeof(int), 0, &opts);
    }
    btf__free(btf);
    return fd;
}

/* Return whether storage works for what the descriptor `owner` refers to. Closes it. */
static bool storage__works(enum bpf_map_type map_type, int owner)
{
    int map = map__create(map_type), value = 0;
    bool works = map >= 0 && owner >= 0 && !bpf_map_update_elem(map, &owner, &value, BPF_NOEXIST);

    if (map >= 0)
        close(map);
    if (owner >= 0)
        close(owner);
    return works;
}

bool local_storage__works_for_tasks(void)
{
    return storage__works(BPF_MAP_TYPE_TASK_STORAGE, (int)syscall(SYS_pidfd_open, getpid(), 0));
}

bool local_storage__works_for_sockets(void)
{
    return storage__works(BPF_MAP_TYPE_SK_STORAGE, socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}
