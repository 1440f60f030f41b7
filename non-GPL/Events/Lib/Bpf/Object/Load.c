/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Load.c - see Load.h.
 *
 * libbpf loads an object as a whole or not at all, and an object that failed has to be opened again. But it calls the
 * handler of a program's section just before it loads the program, when the maps exist and all addresses are filled in.
 * The handler here loads the program itself, and leaves libbpf one that does nothing, which is unloaded before the next
 * program is loaded. If all of these were unloaded at the end, they would leave a hole in the kernel's per-CPU memory
 * between every two programs. Since 6.2 each fork and exit allocates and frees some of that memory, which would take
 * longer for as long as the programs are loaded: 4,500 instructions per exec on 6.12.
 */
#include "Load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "Core/EmitShared.h"
#include "../Kernel/LibbpfLog.h"
#include "Prune.h"
#include "Untype.h"

#define TYPE_OF_NOTHING BPF_PROG_TYPE_RAW_TRACEPOINT /* libbpf would read the kernel's types for others */
#define VERIFIER_LOG_BYTES (16u << 20)

static const struct bpf_insn nothing[] = {
    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
    {.code = BPF_JMP | BPF_EXIT},
};

#define NOTHING_COUNT (sizeof(nothing) / sizeof(*nothing))

/* Set while this thread loads an object: libbpf passes nothing but the program to handlers. */
static _Thread_local struct loading {
    const struct targets *targets;
    const struct bpf_map *constants;
    struct load_how how;
    const struct load_calls *calls;
    struct bpf_program *nothing; /* the last program that libbpf has loaded */
} loading;

/* A program as this kernel executes it. */
struct code {
    struct bpf_insn *insns;
    size_t count;
    struct bpf_func_info *functions;
};

static void code__free(struct code *code)
{
    free(code->insns);
    free(code->functions);
}

/* Replace the calls that stand for functions of the kernel, or for none of them; see Core/EmitShared.h. */
static void code__patch_calls(struct code *code)
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
                                      .imm = (int)targets__function_id(loading.targets, rows[row].function)};

        for (size_t i = 0; i < code->count; i++) {
            struct bpf_insn *insn = &code->insns[i];

            if (insn->code == call.code && !insn->src_reg && insn->imm == rows[row].call)
                *insn = call.imm ? call : move;
        }
    }
}

/* Replace the loads that need types where a program can get none. 0 or -errno. */
static int code__untype(struct code *code, struct bpf_prog_load_opts *opts, bool is_converted)
{
    const bool has_current_btf = targets__has_function(loading.targets, TARGET_CURRENT_BTF);
    struct untyped untyped;
    int err = untype(code->insns, code->count, has_current_btf, is_converted, &untyped);

    if (err)
        return err;
    for (uint32_t i = 0; i < opts->func_info_cnt; i++)
        code->functions[i].insn_off = untyped.new_numbers[code->functions[i].insn_off];
    free(code->insns);
    code->insns = untyped.insns;
    code->count = untyped.count;
    untyped.insns = NULL;
    untyped__free(&untyped);
    return 0;
}

/* Move the beginnings of a program's functions, which the kernel needs to know, to where pruning has moved them. */
static int code__move_functions(struct code *code, struct bpf_prog_load_opts *opts, const struct pruned *pruned)
{
    const struct bpf_func_info *functions = opts->func_info;
    uint32_t count = 0;

    opts->line_info = NULL; /* only builds for reading the verifier's log have it */
    opts->line_info_cnt = 0;
    if (!opts->func_info_cnt)
        return 0;
    code->functions = calloc(opts->func_info_cnt, sizeof(*functions));
    if (!code->functions || opts->func_info_rec_size != sizeof(*functions))
        return -ENOMEM;
    for (uint32_t i = 0; i < opts->func_info_cnt; i++) {
        if (!pruned__is_reached(pruned, functions[i].insn_off))
            continue;
        code->functions[count] = functions[i];
        code->functions[count++].insn_off = pruned->new_numbers[functions[i].insn_off];
    }
    opts->func_info = code->functions;
    opts->func_info_cnt = count;
    return 0;
}

/* Get what this kernel executes of a program. Free with code__free, also after an error. 0 or -errno. */
static int code__get(const struct bpf_program *program, struct bpf_prog_load_opts *opts, struct code *ret_code)
{
    struct code *code = ret_code;
    struct prune_constants constants = {.map_fd = bpf_map__fd(loading.constants),
                                        .drops_tail_calls = loading.how.drops_tail_calls};
    bool is_converted = target__is_converted(program);
    bool untypes = is_converted || (target__program_type(program) == BPF_PROG_TYPE_KPROBE &&
                                    !targets__has_function(loading.targets, TARGET_RDONLY_CAST));
    struct pruned pruned;

    *code = (struct code){.count = bpf_program__insn_cnt(program)};
    code->insns = malloc(code->count * sizeof(*code->insns));
    if (!code->insns)
        return -ENOMEM;
    memcpy(code->insns, bpf_program__insns(program), code->count * sizeof(*code->insns));
    constants.bytes = bpf_map__initial_value((struct bpf_map *)loading.constants, &constants.size);
    if (!untypes)
        code__patch_calls(code);
    if (!prune(code->insns, code->count, &constants, &pruned))
        return -ENOMEM;
    int err = code__move_functions(code, opts, &pruned);

    code->count = pruned.count;
    pruned__free(&pruned);
    return err || !untypes ? err : code__untype(code, opts, is_converted);
}

/* Load a refused program once more, to have the verifier's log among libbpf's messages. */
static void program__log_refusal(const struct bpf_program *program, const struct code *code,
                                 const struct bpf_prog_load_opts *opts)
{
    struct bpf_prog_load_opts logged = *opts;

    if (!libbpf_log__is_on())
        return;
    logged.log_buf = calloc(1, VERIFIER_LOG_BYTES);
    logged.log_size = VERIFIER_LOG_BYTES;
    logged.log_level = 1;
    if (!logged.log_buf)
        return;
    int fd = bpf_prog_load(target__program_type(program), bpf_program__name(program), EMIT_LICENSE, code->insns,
                           code->count, &logged);

    if (fd >= 0)
        close(fd);
    libbpf_log__write(bpf_program__name(program), logged.log_buf);
    free(logged.log_buf);
}

/* Load a program with what libbpf has prepared. A descriptor or -errno. */
static int program__load(const struct bpf_program *program, const struct bpf_prog_load_opts *prepared)
{
    enum bpf_prog_type type = target__program_type(program);
    struct bpf_prog_load_opts opts = *prepared;
    struct code code;
    uint32_t id = targets__id(loading.targets, program);
    int fd = id ? code__get(program, &opts, &code) : -ESRCH;

    if (!id)
        return fd;
    if (type == BPF_PROG_TYPE_KPROBE && loading.how.kprobes == KPROBE_PLAIN)
        opts.expected_attach_type = 0;
    opts.attach_btf_id = target__takes_id(program) ? id : 0;
    int btf = target__takes_id(program) ? targets__open_btf(loading.targets, program) : 0;

    if (!fd && btf < 0)
        fd = btf;
    opts.attach_btf_obj_fd = btf > 0 ? (uint32_t)btf : 0;
    if (!fd)
        fd = bpf_prog_load(type, bpf_program__name(program), EMIT_LICENSE, code.insns, code.count, &opts);
    if (fd < 0 && btf >= 0)
        program__log_refusal(program, &code, &opts);
    if (btf > 0)
        close(btf);
    code__free(&code);
    return fd;
}

static int on_load(struct bpf_program *program, struct bpf_prog_load_opts *opts, long cookie)
{
    (void)cookie;
    if (!loading.targets)
        return -ESRCH;
    const struct load_calls *calls = loading.calls;

    if (loading.nothing)
        bpf_program__unload(loading.nothing);
    loading.nothing = program;
    int err = calls->begin(calls->user, program);

    if (!err)
        err = calls->end(calls->user, program, program__load(program, opts));
    if (err < 0)
        return err;
    opts->expected_attach_type = 0;
    opts->func_info_cnt = 0;
    opts->line_info_cnt = 0;
    return bpf_program__set_insns(program, (struct bpf_insn *)nothing, NOTHING_COUNT);
}

int load__object(const struct targets *targets, struct bpf_object *object, const struct load_how *how,
                 const struct load_calls *calls)
{
    struct bpf_program *program;

    loading = (struct loading){
        .targets = targets,
        .constants = bpf_object__find_map_by_name(object, ".rodata"),
        .how = *how,
        .calls = calls,
    };
    int err = loading.constants ? bpf_object__load(object) : -EINVAL;

    loading = (struct loading){0};
    bpf_object__for_each_program(program, object)
    {
        if (target__is_registered(program))
            bpf_program__unload(program);
    }
    return err;
}

int load__try_kind(const struct targets *targets, const struct bpf_program *program, enum kprobe_attach kprobes,
                   bool attach)
{
    enum bpf_prog_type type = target__program_type(program);
    enum bpf_attach_type attach_type = bpf_program__expected_attach_type(program);
    bool is_kprobe = type == BPF_PROG_TYPE_KPROBE; /* attached by name */
    int btf = target__takes_id(program) ? targets__open_btf(targets, program) : 0;
    LIBBPF_OPTS(bpf_prog_load_opts, opts,
                .attach_btf_id = target__takes_id(program) ? targets__id(targets, program) : 0,
                .attach_btf_obj_fd = btf > 0 ? (uint32_t)btf : 0,
                .expected_attach_type = is_kprobe && kprobes == KPROBE_PLAIN ? 0 : attach_type);
    int fd = btf < 0 ? btf : bpf_prog_load(type, "ebpf_try", EMIT_LICENSE, nothing, NOTHING_COUNT, &opts);

    if (btf > 0)
        close(btf);

    if (fd < 0)
        return fd;
    int link = !attach     ? 0
               : is_kprobe ? kprobe__attach(kprobes, target__name(program), fd, attach_type)
                           : bpf_raw_tracepoint_open(NULL, fd);

    if (link > 0)
        close(link);
    close(fd);
    return link < 0 ? link : 0;
}

/* ------------------------------------------------------------------ handlers */

static int handlers[7]; /* ids from libbpf; 0 or less: not registered */

static void register_sections(void)
{
    static const struct {
        const char *section;
        enum bpf_attach_type attach;
    } kinds[] = {
        {"ebpf.fentry+", BPF_TRACE_FENTRY},       {"ebpf.fexit+", BPF_TRACE_FEXIT},
        {"ebpf.tp_btf+", BPF_TRACE_RAW_TP},       {"ebpf.lsm+", BPF_LSM_MAC},
        {"ebpf.kprobe+", BPF_TRACE_KPROBE_MULTI}, {"ebpf.session+", ATTACH_SESSION},
        {"ebpf.cgroup+", ATTACH_CGROUP},
    };

    _Static_assert(sizeof(kinds) / sizeof(*kinds) == sizeof(handlers) / sizeof(*handlers), "a handler a kind");

    LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = on_load);

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        handlers[i] = libbpf_register_prog_handler(kinds[i].section, TYPE_OF_NOTHING, kinds[i].attach, &opts);
}

/* Before this code is unloaded: libbpf, which other libraries may share, must not call it any more. */
__attribute__((destructor)) static void unregister_sections(void)
{
    for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++) {
        if (handlers[i] > 0)
            libbpf_unregister_prog_handler(handlers[i]);
    }
}

int load__register(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, register_sections);
    for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++) {
        if (handlers[i] < 0)
            return handlers[i];
    }
    return 0;
}
