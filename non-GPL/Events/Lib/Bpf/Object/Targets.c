/* SPDX-License-Identifier: BSD-2-Clause */
#include "Targets.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "Core/EmitShared.h"
#include "Hooks.h"
#include "../Kernel/KernelBtf.h"

#define SECTION_ANY "ebpf."
#define SECTION_TP_BTF "ebpf.tp_btf/"
#define SECTION_LSM "ebpf.lsm/"
#define SECTION_FENTRY "ebpf.fentry/"
#define SECTION_FEXIT "ebpf.fexit/"
#define STARTS_WITH(text, prefix) (!strncmp(text, prefix, sizeof(prefix) - 1))
#define HASH_SIZE 512 /* a power of two, more than TARGETS_MAX */

static const char *const cast_types[] = {
#define CAST_TYPE(name) #name,
    CAST_TYPES(CAST_TYPE)
#undef CAST_TYPE
};

const char *target__name(const struct bpf_program *program)
{
    const char *slash = strchr(bpf_program__section_name(program), '/');

    return slash ? slash + 1 : "";
}

/* A tracepoint is found by the type of its prototype, an LSM hook by the empty function that stands for it. */
static bool target__type_name(const struct bpf_program *program, char name[TARGET_NAME_MAX])
{
    const char *section = bpf_program__section_name(program);
    const char *prefix = STARTS_WITH(section, SECTION_TP_BTF) ? "btf_trace_"
                         : STARTS_WITH(section, SECTION_LSM)  ? "bpf_lsm_"
                                                              : "";
    int len = snprintf(name, TARGET_NAME_MAX, "%s%s", prefix, target__name(program));

    return len > 0 && len < TARGET_NAME_MAX;
}

static int target__kind(const struct bpf_program *program)
{
    return STARTS_WITH(bpf_program__section_name(program), SECTION_TP_BTF) ? BTF_KIND_TYPEDEF : BTF_KIND_FUNC;
}

static uint32_t name__hash(const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash;
}

/* Buckets by hashes of names: the index of a target, plus one; 0 is free. */
struct target_hash {
    unsigned char buckets[HASH_SIZE];
};

/* Return the bucket that holds a name, or the free one to put it in. */
static unsigned char *target_hash__bucket(struct target_hash *hash, const struct targets *targets, const char *name)
{
    uint32_t i = name__hash(name);

    while (hash->buckets[i % HASH_SIZE] && strcmp(targets->all[hash->buckets[i % HASH_SIZE] - 1].name, name) != 0)
        i++;
    return &hash->buckets[i % HASH_SIZE];
}

static int targets__add(struct targets *targets, struct target_hash *hash, const char *name, int kind)
{
    unsigned char *bucket = target_hash__bucket(hash, targets, name);

    if (*bucket)
        return 0;
    if (targets->count == TARGETS_MAX)
        return -E2BIG;
    snprintf(targets->all[targets->count].name, TARGET_NAME_MAX, "%s", name);
    targets->all[targets->count].kind = kind;
    *bucket = (unsigned char)++targets->count;
    return 0;
}

static int targets__add_all(struct targets *targets, struct target_hash *hash, struct bpf_object *object)
{
    const struct hook_row *row;
    struct bpf_program *program;
    char name[TARGET_NAME_MAX];
    int err = 0;

    bpf_object__for_each_program(program, object)
    {
        if (!err && target__type_name(program, name))
            err = targets__add(targets, hash, name, target__kind(program));
    }
    for (size_t i = 0; !err && (row = hooks__row(i)); i++)
        err = row->unless ? targets__add(targets, hash, row->unless, BTF_KIND_FUNC) : 0;
    for (size_t i = 0; !err && i < CAST_TYPE_COUNT; i++)
        err = targets__add(targets, hash, cast_types[i], BTF_KIND_STRUCT);
    err = err ?: targets__add(targets, hash, TARGET_RDONLY_CAST, BTF_KIND_FUNC);
    err = err ?: targets__add(targets, hash, TARGET_CURRENT_BTF, BTF_KIND_FUNC);
    err = err ?: targets__add(targets, hash, TARGET_SK_STORAGE, BTF_KIND_FUNC);
    err = err ?: targets__add(targets, hash, TARGET_FPROBE, BTF_KIND_FUNC);
    err = err ?: targets__add(targets, hash, TARGET_MAP_ALLOCATOR, BTF_KIND_FUNC);
    err = err ?: targets__add(targets, hash, TARGET_SESSION_COOKIE, BTF_KIND_FUNC);
    err = err ?: targets__add(targets, hash, TARGET_SESSION_IS_RETURN, BTF_KIND_FUNC);
    err = err ?: targets__add(targets, hash, TARGET_SHADOW_STACK, BTF_KIND_STRUCT);
    return err ?: targets__add(targets, hash, TARGET_TASK_STORAGE, BTF_KIND_FUNC);
}

static const struct target *targets__of_name(const struct targets *targets, const char *name)
{
    for (size_t i = 0; i < targets->count; i++) {
        if (strcmp(targets->all[i].name, name) == 0)
            return &targets->all[i];
    }
    return NULL;
}

/* Look up the targets of programs that may be in modules, and are not in the kernel. */
static void targets__find_in_modules(struct targets *targets, const struct bpf_object *object,
                                     const struct kernel_btf *kernel)
{
    const struct hook_row *row;

    for (size_t i = 0; (row = hooks__row(i)); i++) {
        const struct bpf_program *program = row->module ? bpf_object__find_program_by_name(object, row->program) : NULL;
        struct target *target = program ? (void *)targets__of_name(targets, target__name(program)) : NULL;

        if (!target || target->id)
            continue;
        target->id = kernel_btf__find_in_module(kernel, row->module, target->name);
        target->module = target->id ? row->module : NULL;
    }
}

int targets__find(struct targets *targets, struct bpf_object *object, const struct kernel_btf *kernel)
{
    struct target_hash hash = {{0}};

    memset(targets, 0, sizeof(*targets));
    int err = targets__add_all(targets, &hash, object);

    for (uint32_t id = 1; !err && id < kernel->count; id++) {
        const struct btf_type *type = kernel_btf__type(kernel, id);

        if (!btf_is_func(type) && !btf_is_typedef(type) && !btf_is_struct(type))
            continue;
        unsigned char bucket = *target_hash__bucket(&hash, targets, kernel_btf__name(kernel, type->name_off));

        if (bucket && targets->all[bucket - 1].kind == btf_kind(type) && !targets->all[bucket - 1].id)
            targets->all[bucket - 1].id = id;
    }
    if (!err)
        targets__find_in_modules(targets, object, kernel);
    return err;
}

static uint32_t targets__id_of(const struct targets *targets, const char *name)
{
    const struct target *target = targets__of_name(targets, name);

    return target ? target->id : 0;
}

/* Return a type without const and the like; NULL for void. */
static const struct btf_type *kernel_btf__bare_type(const struct kernel_btf *kernel, uint32_t id)
{
    const struct btf_type *type = id ? kernel_btf__type(kernel, id) : NULL;

    while (type && (btf_is_mod(type) || btf_is_typedef(type)))
        type = type->type ? kernel_btf__type(kernel, type->type) : NULL;
    return type;
}

/* Return whether a parameter is of a type of ARG_PLACES: a pointer to a struct of that name, or "ENUM". */
static bool param__is(const struct kernel_btf *kernel, const struct btf_param *param, const char *type_name)
{
    const struct btf_type *type = kernel_btf__bare_type(kernel, param->type);

    if (type && btf_is_any_enum(type))
        return !strcmp(type_name, "ENUM");
    type = type && btf_is_ptr(type) ? kernel_btf__bare_type(kernel, type->type) : NULL;
    return type && btf_is_struct(type) && !strcmp(kernel_btf__name(kernel, type->name_off), type_name);
}

static bool param__is_pointer(const struct kernel_btf *kernel, const struct btf_param *param)
{
    const struct btf_type *type = kernel_btf__bare_type(kernel, param->type);

    return type && btf_is_ptr(type);
}

static uint8_t function__find_arg(const struct kernel_btf *kernel, uint32_t id, const char *type_name)
{
    const struct btf_type *type = kernel_btf__type(kernel, kernel_btf__type(kernel, id)->type);
    bool is_tracepoint = btf_is_ptr(type); /* whose program does not get the first parameter */
    const struct btf_type *prototype = is_tracepoint ? kernel_btf__type(kernel, type->type) : type;
    const struct btf_param *params = btf_params(prototype) + is_tracepoint;
    size_t count = btf_vlen(prototype) - is_tracepoint;

    if (!strcmp(type_name, "RET"))
        return (uint8_t)count;
    if (!strcmp(type_name, "POINTER"))
        return count > 1 && param__is_pointer(kernel, &params[1]) ? 1 : ARG_NOWHERE;
    while (count-- > 0) {
        if (param__is(kernel, &params[count], type_name))
            return count > ARG_LAST ? ARG_NOWHERE : (uint8_t)count;
    }
    return ARG_NOWHERE;
}

static const struct {
    const char *function, *type;
    bool is_optional;
} arg_places[] = {
#define PLACE(function, type) {#function, #type, false},
#define OPTIONAL(function, type) {#function, #type, true},
    ARG_PLACES(PLACE, OPTIONAL)
#undef PLACE
#undef OPTIONAL
};

void targets__find_args(const struct targets *targets, const struct kernel_btf *kernel, uint8_t ret_args[])
{
    for (size_t i = 0; i < ARG_PLACE_COUNT; i++) {
        uint32_t id = targets__id_of(targets, arg_places[i].function);

        ret_args[i] = id ? function__find_arg(kernel, id, arg_places[i].type) : ARG_NOWHERE;
    }
}

const char *target__missing_arg(const struct bpf_program *program, const uint8_t args[])
{
    const char *section = bpf_program__section_name(program);
    char name[TARGET_NAME_MAX];

    if (!STARTS_WITH(section, SECTION_FENTRY) && !STARTS_WITH(section, SECTION_FEXIT) &&
        !STARTS_WITH(section, SECTION_TP_BTF))
        return NULL; /* others find their arguments in registers, by fixed numbers */
    for (size_t i = 0; target__type_name(program, name) && i < ARG_PLACE_COUNT; i++) {
        if (args[i] == ARG_NOWHERE && !arg_places[i].is_optional && !strcmp(name, arg_places[i].function))
            return arg_places[i].type;
    }
    return NULL;
}

uint32_t targets__id(const struct targets *targets, const struct bpf_program *program)
{
    char name[TARGET_NAME_MAX];

    return target__type_name(program, name) ? targets__id_of(targets, name) : 0;
}

int targets__open_btf(const struct targets *targets, const struct bpf_program *program)
{
    char name[TARGET_NAME_MAX];
    const struct target *target = target__type_name(program, name) ? targets__of_name(targets, name) : NULL;

    return target && target->module ? kernel_btf__open_module(target->module) : 0;
}

bool targets__are_in_modules(const struct targets *targets)
{
    for (size_t i = 0; i < targets->count; i++) {
        if (targets->all[i].module)
            return true;
    }
    return false;
}

bool targets__has(const struct targets *targets, const struct bpf_program *program)
{
    return targets__id(targets, program) != 0;
}

uint32_t targets__function_id(const struct targets *targets, const char *name)
{
    return targets__id_of(targets, name);
}

bool targets__has_function(const struct targets *targets, const char *name)
{
    return targets__id_of(targets, name) != 0;
}

bool targets__has_sessions(const struct targets *targets)
{
    return targets__id_of(targets, TARGET_SESSION_COOKIE) && targets__id_of(targets, TARGET_SESSION_IS_RETURN) &&
           targets__id_of(targets, TARGET_SHADOW_STACK);
}

bool targets__cast_types(const struct targets *targets, uint32_t ret_ids[])
{
    bool all = targets__has_function(targets, TARGET_RDONLY_CAST);

    for (size_t i = 0; i < CAST_TYPE_COUNT; i++) {
        ret_ids[i] = targets__id_of(targets, cast_types[i]);
        all &= ret_ids[i] != 0;
    }
    return all;
}

enum bpf_prog_type target__program_type(const struct bpf_program *program)
{
    enum bpf_attach_type type = bpf_program__expected_attach_type(program);

    return type == BPF_LSM_MAC                                        ? BPF_PROG_TYPE_LSM
           : type == BPF_TRACE_KPROBE_MULTI || type == ATTACH_SESSION ? BPF_PROG_TYPE_KPROBE
           : type == ATTACH_CGROUP                                    ? BPF_PROG_TYPE_CGROUP_SOCK
                                                                      : BPF_PROG_TYPE_TRACING;
}

bool target__takes_id(const struct bpf_program *program)
{
    enum bpf_prog_type type = target__program_type(program);

    return type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_LSM;
}

bool target__is_converted(const struct bpf_program *program)
{
    return target__program_type(program) == BPF_PROG_TYPE_KPROBE &&
           STARTS_WITH(bpf_program__section_name(program), SECTION_FENTRY);
}

bool target__is_registered(const struct bpf_program *program)
{
    return STARTS_WITH(bpf_program__section_name(program), SECTION_ANY);
}
