// SPDX-License-Identifier: BSD-2-Clause
/* Kinds.c - see Kinds.h. */
#include "Kinds.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

#include "Attach.h"
#include "Preflight.h"

/* Kinds of programs that a kernel, or who has set it up, may do without. */
static const struct kind {
    enum bpf_attach_type type;
    const char *name;
} kinds[] = {{BPF_TRACE_FENTRY, "fentry"},
             {BPF_TRACE_FEXIT, "fexit"},
             {BPF_LSM_MAC, "lsm"},
             {BPF_TRACE_KPROBE_MULTI, "kprobe"},
             {ATTACH_SESSION, "session"}};

#define KIND_COUNT (sizeof(kinds) / sizeof(*kinds))

/* A wanted program of a kind, the first one or the last one; NULL if there is none. */
static const struct bpf_program *backend__program_of(const struct bpf_backend *b, enum bpf_attach_type type, bool last)
{
    const struct bpf_program *found = NULL;

    for (size_t i = 0; i < b->hooks.count && (last || !found); i++) {
        const struct bpf_program *program =
            b->hooks.programs[i].wanted ? bpf_object__find_program_by_name(b->object, b->hooks.programs[i].name) : NULL;

        if (program && bpf_program__expected_attach_type(program) == type)
            found = program;
    }
    return found;
}

/* Whether a program of a kind is attached. */
static bool backend__has_link_of(const struct bpf_backend *b, enum bpf_attach_type type)
{
    for (size_t i = 0; i < b->hooks.count; i++) {
        const struct bpf_program *program =
            b->links[i].is_attached ? bpf_object__find_program_by_name(b->object, b->hooks.programs[i].name) : NULL;

        if (program && bpf_program__expected_attach_type(program) == type)
            return true;
    }
    return false;
}

/* The error with which the kernel refuses a kind, for whatever target; 0 if it does not. */
static int backend__try_kind(const struct bpf_backend *b, enum bpf_attach_type type, bool attach)
{
    if (attach && backend__has_link_of(b, type))
        return 0;
    const struct bpf_program *first = backend__program_of(b, type, false);
    int err = first ? targets__try(&b->targets, first, attach) : 0;

    return err && targets__try(&b->targets, backend__program_of(b, type, true), attach) ? err : 0;
}

/* Refuse all programs of these kinds that this kernel may need, those too that are not wanted now. */
static void backend__refuse_kinds(struct bpf_backend *b, const bool refused[KIND_COUNT])
{
    for (size_t i = 0; i < b->hooks.count; i++) {
        struct hooks_program *program = &b->hooks.programs[i];
        const struct bpf_program *bpf = bpf_object__find_program_by_name(b->object, program->name);

        bool may_be_refused = !program->refused || !strncmp(program->reason, REASON_ATTACH, strlen(REASON_ATTACH));

        for (size_t kind = 0; kind < KIND_COUNT; kind++) {
            if (refused[kind] && bpf && !program->unneeded && may_be_refused &&
                bpf_program__expected_attach_type(bpf) == kinds[kind].type)
                hooks__refuse(program, "%s", b->refused_kinds);
        }
    }
}

int backend__find_refused_kinds(struct bpf_backend *b, bool attach)
{
    bool refused[KIND_COUNT] = {false};
    char names[64] = "";
    int found = 0, why = 0;

    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        int err = backend__try_kind(b, kinds[kind].type, attach);

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
    snprintf(b->refused_kinds, sizeof(b->refused_kinds), "the kernel refuses %sprograms of the kind %s: %s",
             attach ? "to attach " : "", names, preflight__error(why));
    backend__refuse_kinds(b, refused);
    return found;
}
