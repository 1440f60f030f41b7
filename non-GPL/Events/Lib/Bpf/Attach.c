// SPDX-License-Identifier: BSD-2-Clause
/* Attach.c - see Attach.h. */
#include "Attach.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "Preflight.h"

static bool program__is_trampoline(const struct bpf_program *program)
{
    enum bpf_attach_type type = bpf_program__expected_attach_type(program);

    return type == BPF_TRACE_FENTRY || type == BPF_TRACE_FEXIT;
}

void backend__destroy_links(struct bpf_backend *b)
{
    for (size_t i = 0; i < b->hooks.count; i++) {
        bpf_link__destroy(b->links[i]);
        b->links[i] = NULL;
    }
}

int backend__attach(struct bpf_backend *b, const struct ebpf_source_opts *opts)
{
    int refused = 0;

    for (size_t i = 0; i < b->hooks.count; i++) {
        struct hooks_program *program = &b->hooks.programs[i];

        if (!program->wanted || b->links[i])
            continue;
        if (opts->is_cancelled && opts->is_cancelled(opts->user))
            return -ECANCELED;
        struct bpf_program *bpf = bpf_object__find_program_by_name(b->object, program->name);

        if (!bpf) {
            hooks__refuse(program, REASON_NO_PROGRAM);
            refused++;
            continue;
        }
        b->links[i] = bpf_program__attach(bpf);
        if (b->links[i]) {
            b->tramp |= program__is_trampoline(bpf);
            continue;
        }
        if (preflight__is_shortage(-errno))
            return -errno;
        hooks__refuse(program, "the kernel refuses to attach it: %s", strerror(errno));
        refused++;
    }
    return refused;
}

void backend__detach_unwanted(struct bpf_backend *b)
{
    for (size_t i = 0; i < b->hooks.count; i++) {
        if (!b->links[i] || b->hooks.programs[i].wanted)
            continue;
        bpf_link__destroy(b->links[i]);
        b->links[i] = NULL;
    }
}
