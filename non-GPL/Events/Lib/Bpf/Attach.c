// SPDX-License-Identifier: BSD-2-Clause
/* Attach.c - see Attach.h. */
#include "Attach.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "Preflight.h"
#include "Targets.h"

static bool program__is_trampoline(const struct bpf_program *program)
{
    enum bpf_attach_type type = bpf_program__expected_attach_type(program);

    return type == BPF_TRACE_FENTRY || type == BPF_TRACE_FEXIT;
}

static void link__destroy(struct backend_link *link)
{
    if (link->is_attached && !link->link)
        close(link->session_fd);
    bpf_link__destroy(link->link);
    *link = (struct backend_link){0};
}

void backend__destroy_links(struct bpf_backend *b)
{
    for (size_t i = 0; i < b->hooks.count; i++)
        link__destroy(&b->links[i]);
}

static int link__make(struct backend_link *link, const struct bpf_program *bpf)
{
    if (target__is_session(bpf)) {
        link->session_fd = target__attach_session(bpf);
        link->is_attached = link->session_fd >= 0;
        return link->is_attached ? 0 : link->session_fd;
    }
    link->link = target__attach(bpf);
    link->is_attached = link->link != NULL;
    return link->is_attached ? 0 : -errno;
}

/* Attach a program. 0, 1 when the kernel refuses it, or a negative errno when something has run out. */
static int backend__attach_program(struct bpf_backend *b, size_t i, const struct bpf_program *bpf)
{
    int err = link__make(&b->links[i], bpf);

    if (!err) {
        b->base.bpf_tramp |= program__is_trampoline(bpf);
        return 0;
    }
    if (preflight__is_shortage(err))
        return err;
    hooks__refuse(&b->hooks.programs[i], REASON_ATTACH "%s", preflight__error(err));
    return 1;
}

/* Attach a program if it is wanted, and one for a trampoline if those are to be attached. Returns as above. */
static int backend__attach_wanted(struct bpf_backend *b, const struct ebpf_source_opts *opts, size_t i,
                                  bool trampolines)
{
    struct hooks_program *program = &b->hooks.programs[i];

    if (!program->wanted || b->links[i].is_attached)
        return 0;
    const struct bpf_program *bpf = bpf_object__find_program_by_name(b->object, program->name);

    if (!bpf) {
        hooks__refuse(program, REASON_NO_PROGRAM);
        return !trampolines;
    }
    if (program__is_trampoline(bpf) != trampolines)
        return 0;
    return opts->is_cancelled && opts->is_cancelled(opts->user) ? -ECANCELED : backend__attach_program(b, i, bpf);
}

/*
 * The kernel runs the programs of a tracepoint as they were attached, those of a trampoline the last one first. A
 * program is to run before its spares, which come after it in the table.
 */
int backend__attach(struct bpf_backend *b, const struct ebpf_source_opts *opts)
{
    int refused = 0, err = 0;

    for (size_t n = 0; n < 2 * b->hooks.count && err >= 0; n++) {
        bool trampolines = n >= b->hooks.count;

        err = backend__attach_wanted(b, opts, trampolines ? 2 * b->hooks.count - 1 - n : n, trampolines);
        refused += err > 0;
    }
    return err < 0 ? err : refused;
}

void backend__detach_unwanted(struct bpf_backend *b)
{
    for (size_t i = 0; i < b->hooks.count; i++) {
        if (!b->hooks.programs[i].wanted)
            link__destroy(&b->links[i]);
    }
}
