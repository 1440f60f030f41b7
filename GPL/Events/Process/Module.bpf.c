// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_LOAD_MODULE: a kernel module was loaded.
 *
 * Hook: the tracepoint module_load. It comes for init_module and finit_module, when the module is complete and checked
 * and just before its own code runs for the first time, so the module cannot prevent it.
 *
 * Tried: by file, from memory, by a thread, an orphan and a 32-bit call; what is refused. A module whose init function
 * then refuses is reported as well: its code has run. Misses: modules that are built in.
 */
#include "../Core/Task.h"

#define MODULE_STRING_MAX 256

SEC("ebpf.tp_btf/module_load")
int BPF_PROG(tp_btf__module_load, struct module *mod)
{
    struct scratch *s = EMIT_BEGIN(PROCESS_LOAD_MODULE, process_load_module);

    if (!s)
        return 0;
    struct ebpf_process_load_module_event *e = (void *)s->data;

    current__fill_creds(s, &e->pids, &e->creds);
    e->taints = mod->taints;
    varlen__kernel_str(s, EBPF_TAG_NAME, mod->name, MODULE_STRING_MAX);
    if (mod->version)
        varlen__kernel_str(s, EBPF_TAG_MOD_VERSION, mod->version, MODULE_STRING_MAX);
    if (mod->srcversion)
        varlen__kernel_str(s, EBPF_TAG_MOD_SRCVERSION, mod->srcversion, MODULE_STRING_MAX);
    EMIT_SUBMIT(s, PROCESS_LOAD_MODULE);
    return 0;
}
