// SPDX-License-Identifier: BSD-2-Clause
/*
 * Refused.c - see Refused.h.
 *
 * libbpf loads an object as a whole or not at all, so programs that the kernel refuses have to be left out. To keep the
 * usual case cheap, all programs are loaded at once. If that fails, a program that does nothing shows whether the
 * kernel refuses all programs of a kind. If it does not, the program whose loading began last is tried alone, and each
 * program alone only if that one loads.
 */
#include "Refused.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../Kernel/Preflight.h"

/* --------------------------------------------------------------------- kinds */

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

/* Whether a program of a kind is attached. */
static bool probes__has_attached(const struct probes *p, enum bpf_attach_type type)
{
    for (size_t i = 0; i < p->hooks.count; i++) {
        const struct bpf_program *program = p->hooks.programs[i].attached ? probes__program(p, i) : NULL;

        if (program && bpf_program__expected_attach_type(program) == type)
            return true;
    }
    return false;
}

/* Return the error with which the kernel refuses a kind, whatever the target; 0 if it does not. */
static int probes__try_kind(const struct probes *p, enum bpf_attach_type type, bool attach)
{
    if (attach && probes__has_attached(p, type))
        return 0;
    const struct bpf_program *first = probes__program_of(p, type, false);
    int err = first ? targets__try(&p->targets, first, attach) : 0;

    return err && targets__try(&p->targets, probes__program_of(p, type, true), attach) ? err : 0;
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

/* ------------------------------------------------------------------ programs */

/*
 * Load the wanted programs one by one to find those that the kernel refuses. Returns how many, or a negative errno if
 * a resource has run out or the caller cancels.
 */
static int probes__find_refused(struct probes *p, const struct ebpf_source_opts *opts)
{
    int found = 0;

    for (size_t i = 0; i < p->hooks.count; i++) {
        struct hooks_program *program = &p->hooks.programs[i];

        if (!program->wanted)
            continue;
        int err = probes__load_only(p, opts, program->name);

        if (err == -ECANCELED || preflight__is_shortage(err))
            return err;
        if (err)
            hooks__refuse(program, "the kernel refuses to load it: %s", preflight__error(err));
        found += program->refused;
    }
    return found;
}

/* Refuse a program if the kernel does. Returns 1 if so, 0 if not, or a negative errno as above. */
static int probes__try_program(struct probes *p, const struct ebpf_source_opts *opts, const char *name)
{
    struct hooks_program *program = name ? hooks__find(&p->hooks, name) : NULL;
    int err = program && program->wanted ? probes__load_only(p, opts, name) : 0;

    if (err == -ECANCELED || preflight__is_shortage(err))
        return err;
    if (err)
        hooks__refuse(program, "the kernel refuses to load it: %s", preflight__error(err));
    return err != 0;
}

int probes__explain_load(struct probes *p, const struct ebpf_source_opts *opts, int err)
{
    const char *last = targets__last_begun();

    if (err != -ECANCELED && !preflight__is_shortage(err)) {
        struct hooks_program *last_program = last ? hooks__find(&p->hooks, last) : NULL;
        int bare_err = probes__load_only(p, opts, ""); /* only the library's own */
        int found = bare_err ? bare_err : probes__find_refused_kinds(p, false);

        if (!found && last_program)
            found = probes__try_program(p, opts, last_program->name);
        if (!found)
            found = probes__find_refused(p, opts);
        if (found > 0)
            return 0;
        if (found < 0)
            err = found;
    }
    return preflight__explain(&p->log, err);
}
