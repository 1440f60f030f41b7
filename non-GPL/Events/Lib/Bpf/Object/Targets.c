/* SPDX-License-Identifier: BSD-2-Clause */
#include "Targets.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "Core/EmitShared.h"
#include "Hooks.h"
#include "../Kernel/KernelBtf.h"
#include "Prune.h"

#define SECTION_TP_BTF "ebpf.tp_btf/"
#define SECTION_LSM "ebpf.lsm/"
#define SECTION_KPROBE "ebpf.kprobe/"
#define SECTION_SESSION "ebpf.session/"
#define TYPE_UNTIL_LOADED BPF_PROG_TYPE_RAW_TRACEPOINT /* see target__program_type */
#define STARTS_WITH(text, prefix) (!strncmp(text, prefix, sizeof(prefix) - 1))
#define HASH_SIZE 512 /* a power of two, more than TARGETS_MAX */

static const char *const cast_types[] = {
#define CAST_TYPE(name) #name,
    CAST_TYPES(CAST_TYPE)
#undef CAST_TYPE
};

/* Set while this thread loads an object: libbpf passes nothing but the program to handlers. */
static _Thread_local struct loading {
    const struct targets *targets;
    const struct bpf_map *constants;
    struct bpf_func_info *functions; /* of the program that is being loaded */
    bool (*is_cancelled)(void *user);
    void *user;
} loading;

static _Thread_local const char *last_begun; /* belongs to the object */

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
    err = err ?: targets__add(targets, hash, TARGET_SK_STORAGE, BTF_KIND_FUNC);
    err = err ?: targets__add(targets, hash, TARGET_FPROBE, BTF_KIND_FUNC);
    err = err ?: targets__add(targets, hash, TARGET_SESSION_COOKIE, BTF_KIND_FUNC);
    err = err ?: targets__add(targets, hash, TARGET_SESSION_IS_RETURN, BTF_KIND_FUNC);
    err = err ?: targets__add(targets, hash, TARGET_SHADOW_STACK, BTF_KIND_STRUCT);
    return err ?: targets__add(targets, hash, TARGET_TASK_STORAGE, BTF_KIND_FUNC);
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
    return err;
}

static uint32_t targets__id_of(const struct targets *targets, const char *name)
{
    for (size_t i = 0; i < targets->count; i++) {
        if (strcmp(targets->all[i].name, name) == 0)
            return targets->all[i].id;
    }
    return 0;
}

static uint32_t targets__id(const struct targets *targets, const struct bpf_program *program)
{
    char name[TARGET_NAME_MAX];

    return target__type_name(program, name) ? targets__id_of(targets, name) : 0;
}

bool targets__has(const struct targets *targets, const struct bpf_program *program)
{
    return targets__id(targets, program) != 0;
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

int targets__load(const struct targets *targets, struct bpf_object *object, bool (*is_cancelled)(void *user),
                  void *user)
{
    last_begun = NULL;
    loading = (struct loading){.targets = targets,
                               .constants = bpf_object__find_map_by_name(object, ".rodata"),
                               .is_cancelled = is_cancelled,
                               .user = user};
    int err = loading.constants ? bpf_object__load(object) : -EINVAL;

    free(loading.functions);
    loading = (struct loading){0};
    return err;
}

/* Replace the calls that stand for functions of the kernel; see Core/EmitShared.h. */
static void insns__patch_calls(struct bpf_insn *insns, size_t count, const struct targets *targets)
{
    static const struct {
        int call;
        const char *function;
    } rows[] = {{CALL_RDONLY_CAST, TARGET_RDONLY_CAST},
                {CALL_SESSION_COOKIE, TARGET_SESSION_COOKIE},
                {CALL_SESSION_IS_RETURN, TARGET_SESSION_IS_RETURN}};
    const struct bpf_insn move = {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_0, .src_reg = BPF_REG_1};

    for (size_t row = 0; row < sizeof(rows) / sizeof(*rows); row++) {
        const struct bpf_insn call = {.code = BPF_JMP | BPF_CALL,
                                      .src_reg = BPF_PSEUDO_KFUNC_CALL,
                                      .imm = (int)targets__id_of(targets, rows[row].function)};

        for (size_t i = 0; i < count; i++) {
            if (insns[i].code == call.code && !insns[i].src_reg && insns[i].imm == rows[row].call)
                insns[i] = call.imm ? call : move;
        }
    }
}

/* Move the beginnings of a program's functions, which the kernel needs to know, to where pruning has moved them. */
static int opts__move_functions(struct bpf_prog_load_opts *opts, const struct pruned *pruned)
{
    const struct bpf_func_info *functions = opts->func_info;
    uint32_t count = 0;

    free(loading.functions);
    loading.functions = NULL;
    if (!opts->func_info_cnt)
        return 0;
    loading.functions = calloc(opts->func_info_cnt, sizeof(*functions));
    if (!loading.functions || opts->func_info_rec_size != sizeof(*functions))
        return -ENOMEM;
    for (uint32_t i = 0; i < opts->func_info_cnt; i++) {
        if (!pruned__is_reached(pruned, functions[i].insn_off))
            continue;
        loading.functions[count] = functions[i];
        loading.functions[count++].insn_off = pruned->new_numbers[functions[i].insn_off];
    }
    opts->func_info = loading.functions;
    opts->func_info_cnt = count;
    opts->line_info = NULL; /* only builds for reading the verifier's log have it */
    opts->line_info_cnt = 0;
    return 0;
}

/* Replace a program's instructions by what this kernel executes of them. */
static int program__rewrite(struct bpf_program *program, struct bpf_prog_load_opts *opts)
{
    size_t count = bpf_program__insn_cnt(program);
    struct bpf_insn *insns = malloc(count * sizeof(*insns));
    struct prune_constants constants = {.map_fd = bpf_map__fd(loading.constants)};
    struct pruned pruned;
    int err = 0;

    constants.bytes = bpf_map__initial_value((struct bpf_map *)loading.constants, &constants.size);
    if (!insns)
        return -ENOMEM;
    memcpy(insns, bpf_program__insns(program), count * sizeof(*insns));
    insns__patch_calls(insns, count, loading.targets);
    if (prune(insns, count, &constants, &pruned)) {
        err = opts__move_functions(opts, &pruned) ?: bpf_program__set_insns(program, insns, pruned.count);
        pruned__free(&pruned);
    } else {
        err = -ENOMEM;
    }
    free(insns);
    return err;
}

/*
 * Return the type to load a program with. It is set no earlier, because for these types libbpf would load the kernel's
 * BTF, although nothing is to be looked up there.
 */
static enum bpf_prog_type target__program_type(const struct bpf_program *program)
{
    const char *section = bpf_program__section_name(program);

    return STARTS_WITH(section, SECTION_LSM)                                               ? BPF_PROG_TYPE_LSM
           : STARTS_WITH(section, SECTION_KPROBE) || STARTS_WITH(section, SECTION_SESSION) ? BPF_PROG_TYPE_KPROBE
                                                                                           : BPF_PROG_TYPE_TRACING;
}

static int on_load(struct bpf_program *program, struct bpf_prog_load_opts *opts, long cookie)
{
    (void)cookie;
    if (!loading.targets)
        return -ESRCH;
    if (loading.is_cancelled && loading.is_cancelled(loading.user))
        return -ECANCELED;
    last_begun = bpf_program__name(program);
    uint32_t id = targets__id(loading.targets, program);
    enum bpf_prog_type type = target__program_type(program);
    int err = id ? bpf_program__set_type(program, type) : -ESRCH;

    opts->attach_btf_id = type == BPF_PROG_TYPE_KPROBE ? 0 : id; /* attached by name */
    return err ?: program__rewrite(program, opts);
}

const char *targets__last_begun(void)
{
    return last_begun;
}

int targets__try(const struct targets *targets, const struct bpf_program *program, bool attach)
{
    const struct bpf_insn nothing[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
        {.code = BPF_JMP | BPF_EXIT},
    };
    enum bpf_prog_type type = target__program_type(program);
    bool is_kprobe = type == BPF_PROG_TYPE_KPROBE; /* attached by name; a failure shows soon */
    LIBBPF_OPTS(bpf_prog_load_opts, opts, .attach_btf_id = is_kprobe ? 0 : targets__id(targets, program),
                .expected_attach_type = bpf_program__expected_attach_type(program));
    int fd = bpf_prog_load(type, "ebpf_try", "GPL", nothing, sizeof(nothing) / sizeof(*nothing), &opts);

    if (fd < 0)
        return fd;
    int link = attach && !is_kprobe ? bpf_raw_tracepoint_open(NULL, fd) : 0;

    if (link > 0)
        close(link);
    close(fd);
    return link < 0 ? link : 0;
}

bool target__is_session(const struct bpf_program *program)
{
    return bpf_program__expected_attach_type(program) == ATTACH_SESSION;
}

int target__attach_session(const struct bpf_program *program)
{
    const char *function = target__name(program);
    const struct {
        uint32_t program, target, attach_type, flags, kprobe_flags, count;
        uint64_t functions, addresses, cookies;
    } attr = {.program = (uint32_t)bpf_program__fd(program),
              .attach_type = ATTACH_SESSION,
              .count = 1,
              .functions = (uintptr_t)&function};
    long fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

    return fd < 0 ? -errno : (int)fd;
}

static int on_attach(const struct bpf_program *program, long cookie, struct bpf_link **ret_link)
{
    (void)cookie;
    const char *function = target__name(program);
    LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .syms = &function, .cnt = 1);

    *ret_link = bpf_program__type(program) == BPF_PROG_TYPE_KPROBE
                    ? bpf_program__attach_kprobe_multi_opts(program, NULL, &opts)
                    : bpf_program__attach_trace(program);
    return *ret_link ? 0 : -errno;
}

static int handlers[6]; /* ids from libbpf; 0 or less: not registered */

static void register_sections(void)
{
    static const struct {
        const char *section;
        enum bpf_attach_type attach;
    } kinds[] = {
        {"ebpf.fentry+", BPF_TRACE_FENTRY},       {"ebpf.fexit+", BPF_TRACE_FEXIT},
        {"ebpf.tp_btf+", BPF_TRACE_RAW_TP},       {"ebpf.lsm+", BPF_LSM_MAC},
        {"ebpf.kprobe+", BPF_TRACE_KPROBE_MULTI}, {"ebpf.session+", ATTACH_SESSION},
    };

    _Static_assert(sizeof(kinds) / sizeof(*kinds) == sizeof(handlers) / sizeof(*handlers), "a handler a kind");

    LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = on_load, .prog_attach_fn = on_attach);

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        handlers[i] = libbpf_register_prog_handler(kinds[i].section, TYPE_UNTIL_LOADED, kinds[i].attach, &opts);
}

/* Before this code is unloaded: libbpf, which other libraries may share, must not call it any more. */
__attribute__((destructor)) static void unregister_sections(void)
{
    for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++) {
        if (handlers[i] > 0)
            libbpf_unregister_prog_handler(handlers[i]);
    }
}

int targets__register(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, register_sections);
    for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++) {
        if (handlers[i] < 0)
            return handlers[i];
    }
    return 0;
}

struct bpf_link *target__attach(const struct bpf_program *program)
{
    struct bpf_link *link = NULL;
    int err = on_attach(program, 0, &link);

    errno = -err;
    return link;
}
