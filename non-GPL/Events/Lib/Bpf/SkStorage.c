/* SPDX-License-Identifier: BSD-2-Clause */
#include "SkStorage.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

/* A map of such storage, whose values are numbers; the kernel wants their types. Negative when it cannot be made. */
static int sk_storage__map(void)
{
    struct btf *btf = btf__new_empty();
    int type = btf ? btf__add_int(btf, "int", sizeof(int), BTF_INT_SIGNED) : -1;
    int fd = -1;

    if (type > 0 && !btf__load_into_kernel(btf)) {
        LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC, .btf_fd = (uint32_t)btf__fd(btf),
                    .btf_key_type_id = (uint32_t)type, .btf_value_type_id = (uint32_t)type);

        fd = bpf_map_create(BPF_MAP_TYPE_SK_STORAGE, "ebpf_events", sizeof(int), sizeof(int), 0, &opts);
    }
    btf__free(btf);
    return fd;
}

bool sk_storage__can_be_made(void)
{
    int map = sk_storage__map(), socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), value = 0;
    bool made = map >= 0 && socket_fd >= 0 && !bpf_map_update_elem(map, &socket_fd, &value, BPF_ANY);

    if (map >= 0)
        close(map);
    if (socket_fd >= 0)
        close(socket_fd);
    return made;
}
