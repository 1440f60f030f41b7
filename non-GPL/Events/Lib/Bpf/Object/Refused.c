// SPDX-License-Identifier: BSD-2-Clause
/*
 * Refused.c - see Refused.h.
 *
 * If the kernel refuses a program, one of its kind that does nothing shows whether it would refuse any. Then the others
 * need not be tried, and one message says it for all.
 */
#include "Refused.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../Kernel/Preflight.h"

/* Kinds of programs that a kernel may lack, or its administrator may have disabled. */
static const struct kind {
    enum bpf_attach_type type;
    const char *name;
} kinds[] = {{BPF_TRACE_FENTRY, "fentry"},
             {BPF_TRACE_FEXIT, "fexit"},
             {BPF_LSM_MAC, "lsm"},
             {BPF_TRACE_KPROBE_MULTI, "kprobe"},
             {ATTACH_SESSION, "session"}};

#define KIND_COUNT (sizeof(kinds) / sizeof(*kinds))

/* Return the first or the last wanted program of a kind; NULL if there is none. */
static const struct bpf_program *probes__program_of(const struct probes *p, enum bpf_attach_type type, bool last)
{
    const struct bpf_program *found = NULL;

    for (size_t i = 0; i < p->hooks.count && (last || !found); i++) {
        const struct bpf_program *program = p->hooks.programs[i].wanted ? probes__program(p, i) : NULL;

        if (program && bpf_program__expected_attach_type(program) == type)
            found = program;
    }
    return found;
}

/* Return whether a program of a kind is loaded, or attached. */
static bool probes__has_kind(const struct probes *p, enum bpf_attach_type type, bool attached)
{
    for (size_t i = 0; i < p->hooks.count; i++) {
        const struct hooks_program *program = &p->hooks.programs[i];
        const struct bpf_program *bpf =
            (attached ? program->attached : program->fd >= 0) ? probes__program(p, i) : NULL;

        if (bpf && bpf_program__expected_attach_type(bpf) == type)
            return true;
    }
    return false;
}

/* Return the error with which the kernel refuses a kind, whatever the target; 0 if it does not. */
static int probes__try_kind(const struct probes *p, enum bpf_attach_type type, bool attach)
{
    if (probes__has_kind(p, type, attach))
        return 0;
    const struct bpf_program *first = probes__program_of(p, type, false);
    int err = first ? load__try_kind(&p->targets, first, attach) : 0;

    return err && load__try_kind(&p->targets, probes__program_of(p, type, true), attach) ? err : 0;
}

/* Refuse all programs of these kinds that this kernel may need, wanted or not. */
static void probes__refuse_kinds(struct probes *p, const bool refused[KIND_COUNT])
{
    for (size_t i = 0; i < p->hooks.count; i++) {
        struct hooks_program *program = &p->hooks.programs[i];
        const struct bpf_program *bpf = probes__program(p, i);
        bool may_be_refused = !program->refused || !strncmp(program->reason, REASON_ATTACH, strlen(REASON_ATTACH));

        for (size_t kind = 0; kind < KIND_COUNT; kind++) {
            if (refused[kind] && bpf && !program->unneeded && may_be_refused &&
                bpf_program__expected_attach_type(bpf) == kinds[kind].type)
                hooks__refuse(program, "%s", p->refused_kinds);
        }
    }
}

int probes__find_refused_kinds(struct probes *p, bool attach)
{
    bool refused[KIND_COUNT] = {false};
    char names[64] = "";
    int found = 0, why = 0;

    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        int err = probes__try_kind(p, kinds[kind].type, attach);

        if (preflight__is_shortage(err))
            return err;
        if (!err)
            continue;
        size_t len = strlen(names);

        snprintf(names + len, sizeof(names) - len, "%s%s", found ? ", " : "", kinds[kind].name);
        refused[kind] = true;
        found++;
        why = err;
    }
    if (!found)
        return 0;
    snprintf(p->refused_kinds, sizeof(p->refused_kinds), "the kernel refuses %sprograms of the kind %s: %s",
             attach ? "to attach " : "", names, preflight__error(why));
    probes__refuse_kinds(p, refused);
    return found;
}
