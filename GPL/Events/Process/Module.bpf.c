// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_LOAD_MODULE: a kernel module was loaded.
 *
 * Hook: the tracepoint module_load. It fires for init_module and finit_module, when the module is complete and checked
 * and just before its own code runs for the first time, so the module cannot prevent it.
 *
 * Tried: by file, from memory, by a thread, an orphan and a 32-bit call; loads that are refused. A module whose init
 * function then fails is reported as well, because its code has run. Misses: built-in modules.
 */
#include "../Core/Probe.h"

#define MODULE_STRING_MAX 256

static __always_inline int module__loaded(enum preemption preemption, bool typed, struct module *mod)
{
    EMIT(PROCESS_LOAD_MODULE, e, s, preemption, fate__of(current__is_filtered())) {
        const char *version = KREAD(typed, mod, version), *srcversion = KREAD(typed, mod, srcversion);

        current__fill_creds(s, &e->pids, &e->creds);
        e->taints = KREAD(typed, mod, taints);
        varlen__kernel_str(s, EBPF_TAG_NAME, mod->name, MODULE_STRING_MAX);
        if (version)
            varlen__kernel_str(s, EBPF_TAG_MOD_VERSION, version, MODULE_STRING_MAX);
        if (srcversion)
            varlen__kernel_str(s, EBPF_TAG_MOD_SRCVERSION, srcversion, MODULE_STRING_MAX);
    }
    return 0;
}

SEC("ebpf.tp_btf/module_load")
int BPF_PROG(tp_btf__module_load, struct module *mod)
{
    return module__loaded(MAY_BE_PREEMPTED, true, mod);
}

/* do_init_module comes next, and calls the module's own code. */
SEC("ebpf.kprobe/do_init_module")
int kprobe__do_init_module(struct pt_regs *regs)
{
    return module__loaded(NOT_PREEMPTED, false, (void *)KPROBE_ARG_1(regs));
}
