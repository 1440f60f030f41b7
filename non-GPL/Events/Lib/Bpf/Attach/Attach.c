// SPDX-License-Identifier: BSD-2-Clause
/* Attach.c - see Attach.h. */
#include "Attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../Kernel/CgroupLink.h"
#include "../Kernel/KprobeLink.h"
#include "../Kernel/Preflight.h"
#include "../Object/Refused.h"

static bool program__is_trampoline(const struct bpf_program *program)
{
    enum bpf_attach_type type = bpf_program__expected_attach_type(program);

    return type == BPF_TRACE_FENTRY || type == BPF_TRACE_FEXIT;
}

static void links__detach(struct links *links, struct probes *p, size_t i)
{
    if (p->hooks.programs[i].attached)
        close(links->fds[i]);
    p->hooks.programs[i].attached = false;
}

/* Attach a loaded program. A descriptor that ends this when it is closed, or -errno. */
static int program__attach(const struct bpf_program *bpf, int fd, enum kprobe_attach kprobes)
{
    enum bpf_attach_type type = bpf_program__expected_attach_type(bpf);

    if (type == ATTACH_CGROUP)
        return cgroup__attach(fd, type);
    if (target__program_type(bpf) != BPF_PROG_TYPE_KPROBE)
        return bpf_raw_tracepoint_open(NULL, fd);
    return kprobe__attach(kprobes, target__name(bpf), fd, type);
}

/* Attach a program. 0, 1 if the kernel refuses it, or a negative errno if a resource has run out. */
static int links__attach_program(struct links *links, struct probes *p, size_t i, const struct bpf_program *bpf)
{
    int fd = program__attach(bpf, p->hooks.programs[i].fd, p->kprobes);

    if (fd >= 0) {
        links->fds[i] = fd;
        p->hooks.programs[i].attached = true;
        links->have_trampoline |= program__is_trampoline(bpf);
        return 0;
    }
    if (preflight__is_shortage(fd))
        return fd;
    hooks__refuse(&p->hooks.programs[i], REASON_ATTACH "%s", preflight__error(fd));
    return 1;
}

/* Attach a program if it is wanted, and is one for a trampoline or not, as `trampolines` says. Returns as above. */
static int links__attach_wanted(struct links *links, struct probes *p, const struct ebpf_source_opts *opts, size_t i,
                                bool trampolines)
{
    struct hooks_program *program = &p->hooks.programs[i];

    if (!program->wanted || program->attached || hooks__is_called(i))
        return 0;
    const struct bpf_program *bpf = probes__program(p, i);

    if (!bpf) {
        hooks__refuse(program, REASON_NO_PROGRAM);
        return !trampolines;
    }
    if (program__is_trampoline(bpf) != trampolines)
        return 0;
    return opts->is_cancelled && opts->is_cancelled(opts->user) ? -ECANCELED : links__attach_program(links, p, i, bpf);
}

/*
 * The kernel runs the programs of a tracepoint in the order in which they were attached, those of a trampoline in
 * reverse. A program has to run before its spares, which come after it in `hooks`.
 */
int links__attach(struct links *links, struct probes *p, const struct ebpf_source_opts *opts)
{
    size_t count = p->hooks.count;
    int refused = 0, err = 0;

    for (size_t n = 0; n < 2 * count && err >= 0; n++) {
        bool trampolines = n >= count;

        err = links__attach_wanted(links, p, opts, trampolines ? 2 * count - 1 - n : n, trampolines);
        refused += err > 0;
    }
    return err < 0 ? err : refused;
}

int links__attach_early(struct links *links, struct probes *p, const struct bpf_program *bpf)
{
    const struct hooks_program *program = hooks__find(&p->hooks, bpf_program__name(bpf));
    size_t i = (size_t)(program - p->hooks.programs);

    if (!program__is_trampoline(bpf) || !hooks__row(i) || hooks__spare(&p->hooks, i, 0))
        return LINKS_NOT_THIS_ONE;
    return links__attach_program(links, p, i, bpf);
}

void links__detach_unwanted(struct links *links, struct probes *p)
{
    for (size_t i = 0; i < p->hooks.count; i++) {
        if (!p->hooks.programs[i].wanted)
            links__detach(links, p, i);
    }
}

/* Return whether a wanted program that is not attached has the same target as another one. */
static bool probes__has_unattached(const struct probes *p, const char *target)
{
    for (size_t i = 0; i < p->hooks.count; i++) {
        const struct hooks_program *program = &p->hooks.programs[i];

        if (program->wanted && !program->attached && !hooks__is_called(i) &&
            !strcmp(target__name(probes__program(p, i)), target))
            return true;
    }
    return false;
}

void links__detach_sharing(struct links *links, struct probes *p)
{
    for (size_t i = 0; i < p->hooks.count; i++) {
        if (p->hooks.programs[i].attached && probes__has_unattached(p, target__name(probes__program(p, i))))
            links__detach(links, p, i);
    }
}

void links__detach_all(struct links *links, struct probes *p)
{
    for (size_t i = 0; i < p->hooks.count; i++)
        links__detach(links, p, i);
}
