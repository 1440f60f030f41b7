/* SPDX-License-Identifier: BSD-2-Clause */
#include "Forced.h"

#include <stdio.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../Log.h"

#define CALLER "tp_btf__sys_exit" /* without it there are no events at the ends of system calls */
#define BEGINNINGS_MAX 6

/* How the names of the programs begin that each way leaves out. */
static const char *const left_out[][BEGINNINGS_MAX] = {
    [EBPF_ATTACH_BEST] = {NULL},
    [EBPF_ATTACH_LSM] = {"kprobe__", "session__", CALLER, NULL},
    [EBPF_ATTACH_TRAMPOLINE] = {"lsm__", "kprobe__", "session__", CALLER, NULL},
    [EBPF_ATTACH_KPROBE] = {"lsm__", "fentry__", "fexit__", NULL},
    [EBPF_ATTACH_TRACEPOINT] = {"lsm__", "fentry__", "fexit__", "kprobe__", "session__", NULL},
};

static bool program__is_left_out(const char *name, enum ebpf_attach attach)
{
    for (size_t i = 0; left_out[attach][i]; i++) {
        if (!strncmp(name, left_out[attach][i], strlen(left_out[attach][i])))
            return true;
    }
    return false;
}

void hooks__force(struct hooks *hooks, enum ebpf_attach attach)
{
    hooks->forced = attach;
    for (size_t i = 0; attach < sizeof(left_out) / sizeof(*left_out) && i < hooks->count; i++) {
        const struct hook_row *row = hooks__row(i);

        if (attach == EBPF_ATTACH_KPROBE && row && row->as_kprobe)
            continue;
        if (program__is_left_out(hooks->programs[i].name, attach))
            hooks__refuse(&hooks->programs[i], REASON_FORCED);
    }
}

void hooks__convert(struct hooks *hooks, const char *reason)
{
    const struct hook_row *row;

    for (size_t i = 0; (row = hooks__row(i)); i++) {
        struct hooks_program *program = &hooks->programs[i];

        if (!row->as_kprobe || (program->refused && strcmp(program->reason, reason) != 0))
            continue;
        program->refused = false;
        program->by_kprobe = true;
        if (!program->reason[0])
            snprintf(program->reason, sizeof(program->reason), "%s", *reason ? reason : REASON_FORCED);
    }
}

int hooks__disable(struct hooks *hooks, const char *names, const struct ebpf_log *log)
{
    char *copy = strdup(names), *rest = copy;

    if (!copy) {
        ebpf_log__write(log, EBPF_LOG_ERROR, "cannot disable hooks: %s; free memory", strerror(ENOMEM));
        return -ENOMEM;
    }
    for (char *name; (name = strsep(&rest, ","));) {
        struct hooks_program *program = hooks__find(hooks, name);

        if (!program) {
            ebpf_log__write(log, EBPF_LOG_ERROR,
                            "cannot disable hook '%s': there is none of that name; HOOKS.md lists them", name);
            free(copy);
            return -EINVAL;
        }
        hooks__refuse(program, "disabled by the caller");
    }
    free(copy);
    return 0;
}
