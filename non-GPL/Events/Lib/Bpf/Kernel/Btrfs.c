/* SPDX-License-Identifier: BSD-2-Clause */
#include "Btrfs.h"

#include <bpf/btf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "Core/EmitShared.h"

/* Return a struct by its name, among the types from `first` on; NULL if there is none. */
static const struct btf_type *btf__find_struct(const struct btf *btf, uint32_t first, const char *name)
{
    for (uint32_t id = first; id < btf__type_cnt(btf); id++) {
        const struct btf_type *type = btf__type_by_id(btf, id);

        if (btf_is_struct(type) && !strcmp(btf__name_by_offset(btf, type->name_off), name))
            return type;
    }
    return NULL;
}

static bool btf__find_member(const struct btf *btf, const struct btf_type *type, const char *name, uint32_t *ret_at)
{
    for (int i = 0; type && i < btf_vlen(type); i++) {
        if (!strcmp(btf__name_by_offset(btf, btf_members(type)[i].name_off), name)) {
            *ret_at = btf_member_bit_offset(type, (uint32_t)i) / 8;
            return true;
        }
    }
    return false;
}

void btrfs__find_layout(struct btrfs_layout *ret_layout)
{
    struct btf *kernel = btf__load_vmlinux_btf();
    struct btf *module = kernel ? btf__load_module_btf("btrfs", kernel) : NULL;
    const struct btf *btf = module ? module : kernel;
    uint32_t first = module ? btf__type_cnt(kernel) : 1;
    const struct btf_type *inode = btf ? btf__find_struct(btf, first, "btrfs_inode") : NULL;
    const struct btf_type *root = inode ? btf__find_struct(btf, first, "btrfs_root") : NULL;
    struct btrfs_layout layout;

    memset(ret_layout, 0, sizeof(*ret_layout));
    if (btf__find_member(btf, inode, "vfs_inode", &layout.inode_at) &&
        btf__find_member(btf, inode, "root", &layout.root_at) &&
        btf__find_member(btf, root, "anon_dev", &layout.device_at))
        *ret_layout = layout;
    btf__free(module);
    btf__free(kernel);
}
