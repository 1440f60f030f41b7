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
    int err = first ? load__try_kind(&p->targets, first, p->kprobes, attach) : 0;

    return err && load__try_kind(&p->targets, probes__program_of(p, type, true), p->kprobes, attach) ? err : 0;
}

bool probes__refuse_trampolines(const struct probes *p)
{
    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        bool is_trampoline = kinds[kind].type == BPF_TRACE_FENTRY || kinds[kind].type == BPF_TRACE_FEXIT;

        if (is_trampoline && p->refused_kind_bits & 1u << kind)
            return true;
    }
    return false;
}

/* Return whether the kernel itself refused a program, or its kind. */
static bool program__is_refused_by_kernel(const struct probes *p, const struct hooks_program *program)
{
    return !strncmp(program->reason, REASON_LOAD, strlen(REASON_LOAD)) ||
           !strncmp(program->reason, REASON_ATTACH, strlen(REASON_ATTACH)) ||
           (p->refused_kinds[0] && !strcmp(program->reason, p->refused_kinds));
}

/* Refuse all programs of the refused kinds that this kernel may need, wanted or not, with one message. */
static void probes__refuse_kinds(struct probes *p, const char *message)
{
    for (size_t i = 0; i < p->hooks.count; i++) {
        struct hooks_program *program = &p->hooks.programs[i];
        const struct bpf_program *bpf = probes__program(p, i);
        bool may_be_refused = !program->refused || program__is_refused_by_kernel(p, program);

        for (size_t kind = 0; kind < KIND_COUNT; kind++) {
            if (p->refused_kind_bits & 1u << kind && bpf && !program->unneeded && may_be_refused &&
                bpf_program__expected_attach_type(bpf) == kinds[kind].type)
                hooks__refuse(program, "%s", message);
        }
    }
    snprintf(p->refused_kinds, sizeof(p->refused_kinds), "%s", message);
}

/* Write the names of the refused kinds. */
static void probes__name_refused_kinds(const struct probes *p, char *names, size_t size)
{
    size_t len = 0;

    for (size_t kind = 0; kind < KIND_COUNT && len < size; kind++) {
        if (p->refused_kind_bits & 1u << kind)
            len += (size_t)snprintf(names + len, size - len, "%s%s", len ? ", " : "", kinds[kind].name);
    }
}

int probes__find_refused_kinds(struct probes *p, bool attach)
{
    char names[64] = "", message[REFUSED_KINDS_LEN];
    int found = 0, why = 0;

    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        int err = probes__try_kind(p, kinds[kind].type, attach);

        if (preflight__is_shortage(err))
            return err;
        if (!err)
            continue;
        p->refused_kind_bits |= 1u << kind;
        found++;
        why = err;
    }
    if (!found)
        return 0;
    probes__name_refused_kinds(p, names, sizeof(names));
    snprintf(message, sizeof(message), "the kernel refuses %sprograms of the kind %s: %s", attach ? "to attach " : "",
             names, preflight__error(why));
    probes__refuse_kinds(p, message);
    return found;
}
