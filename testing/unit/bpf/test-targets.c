// SPDX-License-Identifier: BSD-2-Clause
/* test-targets.c - where arguments are found in the types of a kernel, and what is refused if they are not there. */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>

#include "Bpf/Kernel/KernelBtf.h"
#include "Bpf/Object/Targets.h"
#include "Core/EmitShared.h"
#include "EbpfProbes.skel.h"
#include "check.h"

static struct bpf_object *object;
static struct btf *types;
static int pointer_to_dentry, number, pointer;

static void types__begin(void)
{
    types = btf__new_empty();
    number = btf__add_int(types, "int", 4, BTF_INT_SIGNED);
    pointer = btf__add_ptr(types, 0);
    pointer_to_dentry = btf__add_ptr(types, btf__add_struct(types, "dentry", 0));
}

/* Return a prototype whose arguments have these types; 0 ends the list. */
static int types__add_prototype(const int *params)
{
    int prototype = btf__add_func_proto(types, number);

    for (; *params; params++)
        btf__add_func_param(types, "", *params);
    return prototype;
}

/* Add a function with such arguments. */
static void types__add(const char *function, const int *params)
{
    btf__add_func(types, function, BTF_FUNC_STATIC, types__add_prototype(params));
}

/* Likewise, a tracepoint, which is known by the type of its prototype. */
static void types__add_tracepoint(const char *name, const int *params)
{
    btf__add_typedef(types, name, btf__add_ptr(types, types__add_prototype(params)));
}

/* Find the arguments in these types, as in those of a kernel. */
static void types__end(uint8_t ret_args[ARG_PLACE_COUNT])
{
    static struct targets targets; /* not on the stack: 14 KiB */
    struct kernel_btf kernel = {.count = btf__type_cnt(types)};
    uint32_t size;
    const struct btf_header *header = btf__raw_data(types, &size);
    const uint8_t *first = (const void *)btf__type_by_id(types, 1);

    kernel.types = (const uint8_t *)header + header->hdr_len + header->type_off;
    kernel.strings = (const char *)header + header->hdr_len + header->str_off;
    kernel.offsets = calloc(kernel.count, sizeof(*kernel.offsets));
    for (uint32_t id = 1; id < kernel.count; id++)
        kernel.offsets[id] = (uint32_t)((const uint8_t *)btf__type_by_id(types, id) - first);
    CHECK(!targets__find(&targets, object, &kernel));
    targets__find_args(&targets, &kernel, ret_args);
    free(kernel.offsets);
    btf__free(types);
}

static const char *missing_arg(const char *program, const uint8_t args[])
{
    return target__missing_arg(bpf_object__find_program_by_name(object, program), args);
}

static void test_found(void)
{
    uint8_t args[ARG_PLACE_COUNT];

    types__begin();
    types__add("vfs_setxattr", (int[]){pointer, pointer_to_dentry, pointer, pointer, number, number, 0});
    types__add("vfs_removexattr", (int[]){pointer_to_dentry, pointer, 0});
    types__end(args);
    CHECK(args[ARG_vfs_setxattr_dentry] == 1 && args[ARG_vfs_setxattr_RET] == 6);
    CHECK(args[ARG_vfs_removexattr_dentry] == 0 && args[ARG_vfs_removexattr_RET] == 2);
    CHECK(!missing_arg("fexit__vfs_setxattr", args) && !missing_arg("fexit__vfs_removexattr", args));
}

/* A program whose function has no such argument is refused, and so are its spares; others are not. */
static void test_missing(void)
{
    uint8_t args[ARG_PLACE_COUNT];

    types__begin();
    types__add("vfs_setxattr", (int[]){pointer, pointer, pointer, number, 0});
    types__add("vfs_removexattr", (int[]){pointer_to_dentry, pointer, 0});
    types__end(args);
    CHECK(args[ARG_vfs_setxattr_dentry] == ARG_NOWHERE);
    CHECK_SAME(missing_arg("fexit__vfs_setxattr", args), "dentry");
    CHECK_SAME(missing_arg("fexit__vfs_setxattr_spare1", args), "dentry");
    CHECK(!missing_arg("fexit__vfs_removexattr", args) && !missing_arg("fexit__chmod_common", args));
    CHECK(!missing_arg("session__vfs_setxattr", args));
}

/* A tracepoint, whose prototype has one parameter in front. The request was added to that of completions in 5.18. */
static void test_tracepoint(void)
{
    uint8_t args[ARG_PLACE_COUNT];

    for (int has_request = 0; has_request < 2; has_request++) {
        types__begin();
        types__add_tracepoint("btf_trace_io_uring_complete",
                              (int[]){pointer, pointer, has_request ? pointer : number, number, number, 0});
        types__end(args);
        CHECK(args[ARG_btf_trace_io_uring_complete_POINTER] == (has_request ? 1 : ARG_NOWHERE));
        CHECK(args[ARG_btf_trace_io_uring_complete_io_uring_cqe] == ARG_NOWHERE);
        CHECK((missing_arg("tp_btf__io_uring_complete_accept", args) == NULL) == has_request);
        CHECK(!missing_arg("tp_btf__io_uring_submit_req", args));
    }
}

/* Programs can read seven places of arguments. */
static void test_too_far(void)
{
    uint8_t args[ARG_PLACE_COUNT];

    types__begin();
    types__add("vfs_setxattr",
               (int[]){pointer, pointer, pointer, number, number, number, number, pointer_to_dentry, 0});
    types__add("mprotect_fixup", (int[]){pointer, pointer, pointer, pointer, number, number, number, 0});
    types__end(args);
    CHECK_SAME(missing_arg("fexit__vfs_setxattr", args), "dentry");
    CHECK(args[ARG_mprotect_fixup_RET] == 7 && !missing_arg("fexit__mprotect_fixup", args)); /* a helper has it */
}

int main(void)
{
    size_t size;
    const void *bytes = EbpfProbes__elf_bytes(&size);

    object = bpf_object__open_mem(bytes, size, NULL);
    if (CHECK(object)) {
        test_found();
        test_missing();
        test_tracepoint();
        test_too_far();
    }
    bpf_object__close(object);
    return check__report();
}
