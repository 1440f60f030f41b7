// SPDX-License-Identifier: BSD-2-Clause
/* KernelBtf.c - see KernelBtf.h. */
#include "KernelBtf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BTF_FOLDER "/sys/kernel/btf/"

static int fd__read_all(int fd, void *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, (char *)bytes + done, size - done);

        if (n <= 0)
            return n ? -errno : -EIO;
        done += (size_t)n;
    }
    return 0;
}

static int btf__read(struct kernel_btf *btf, const char *name)
{
    char path[sizeof(BTF_FOLDER) + MODULE_NAME_MAX];
    struct stat st;

    snprintf(path, sizeof(path), BTF_FOLDER "%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st)) {
        err = -errno;
    } else {
        btf->size = (size_t)st.st_size;
        btf->bytes = malloc(btf->size + 1);
        err = btf->bytes ? fd__read_all(fd, btf->bytes, btf->size) : -ENOMEM;
    }
    close(fd);
    return err;
}

/* Return how many bytes follow a type; negative if its kind is unknown. */
static int type__extra_size(const struct btf_type *type)
{
    int n = btf_vlen(type);

    switch (btf_kind(type)) {
    case BTF_KIND_PTR:
    case BTF_KIND_FWD:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_FLOAT:
    case BTF_KIND_TYPE_TAG:
        return 0;
    case BTF_KIND_INT:
        return sizeof(uint32_t);
    case BTF_KIND_VAR:
        return sizeof(struct btf_var);
    case BTF_KIND_DECL_TAG:
        return sizeof(struct btf_decl_tag);
    case BTF_KIND_ARRAY:
        return sizeof(struct btf_array);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
        return n * (int)sizeof(struct btf_member);
    case BTF_KIND_ENUM:
        return n * (int)sizeof(struct btf_enum);
    case BTF_KIND_ENUM64:
        return n * (int)sizeof(struct btf_enum64);
    case BTF_KIND_FUNC_PROTO:
        return n * (int)sizeof(struct btf_param);
    case BTF_KIND_DATASEC:
        return n * (int)sizeof(struct btf_var_secinfo);
    default:
        return -1;
    }
}

/* Walk the types, which fill `size` bytes, and note the offset of each if there is room for it. 0 or -EINVAL. */
static int btf__go_through(struct kernel_btf *btf, size_t size)
{
    size_t at = 0;

    for (btf->count = 1; at + sizeof(struct btf_type) <= size; btf->count++) {
        const struct btf_type *type = (const void *)(btf->types + at);
        int extra = type__extra_size(type);

        if (extra < 0)
            return -EINVAL;
        if (btf->offsets)
            btf->offsets[btf->count] = (uint32_t)at;
        at += sizeof(*type) + (size_t)extra;
    }
    return at == size ? 0 : -EINVAL;
}

static int btf__index(struct kernel_btf *btf)
{
    const struct btf_header *header = (const void *)btf->bytes;

    if (btf->size < sizeof(*header) || header->magic != BTF_MAGIC || header->hdr_len > btf->size)
        return -EINVAL;
    size_t room = btf->size - header->hdr_len;

    if (header->type_off > room || header->type_len > room - header->type_off || header->str_off > room)
        return -EINVAL;
    btf->types = btf->bytes + header->hdr_len + header->type_off;
    btf->strings = (const char *)btf->bytes + header->hdr_len + header->str_off;
    btf->strings_size = header->str_len;
    btf->bytes[btf->size] = '\0';
    int err = btf__go_through(btf, header->type_len);

    if (err)
        return err;
    btf->offsets = malloc(btf->count * sizeof(*btf->offsets));
    return btf->offsets ? btf__go_through(btf, header->type_len) : -ENOMEM;
}

static int btf__load(struct kernel_btf *btf, const char *name)
{
    memset(btf, 0, sizeof(*btf));
    int err = btf__read(btf, name);

    if (!err)
        err = btf__index(btf);
    if (err)
        kernel_btf__free(btf);
    return err;
}

int kernel_btf__load(struct kernel_btf *btf)
{
    return btf__load(btf, "vmlinux");
}

/* The names and ids of a module's types continue those of the kernel. */
uint32_t kernel_btf__find_in_module(const struct kernel_btf *kernel, const char *module, const char *function)
{
    struct kernel_btf btf;
    uint32_t found = 0;

    if (btf__load(&btf, module))
        return 0;
    for (uint32_t id = 1; id < btf.count && !found; id++) {
        const struct btf_type *type = kernel_btf__type(&btf, id);

        if (btf_is_func(type) && type->name_off >= kernel->strings_size &&
            !strcmp(kernel_btf__name(&btf, type->name_off - kernel->strings_size), function))
            found = kernel->count + id - 1;
    }
    kernel_btf__free(&btf);
    return found;
}

void kernel_btf__free(struct kernel_btf *btf)
{
    free(btf->bytes);
    free(btf->offsets);
    memset(btf, 0, sizeof(*btf));
}

const struct btf_type *kernel_btf__type(const struct kernel_btf *btf, uint32_t id)
{
    return (const void *)(btf->types + btf->offsets[id]);
}
