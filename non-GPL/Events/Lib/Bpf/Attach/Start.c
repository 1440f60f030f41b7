/* SPDX-License-Identifier: BSD-2-Clause */
#include "Start.h"

#include <bpf/libbpf.h>
#include <errno.h>

#include "../Kernel/Preflight.h"
#include "../Object/Refused.h"
#include "Spares.h"
#include "Syscalls.h"

#define OTHER_DESCRIPTORS 40 /* for maps, BTF, libbpf's feature tests, and waiting */

/* Check the limit of descriptors: in places, libbpf takes reaching it for a feature that the kernel lacks. */
static int probes__check_descriptors(const struct probes *p)
{
    int needed = OTHER_DESCRIPTORS;

    for (size_t i = 0; i < p->hooks.count; i++)
        needed += 2 * p->hooks.programs[i].wanted; /* the program and its link */
    return preflight__check_descriptors(&p->log, needed);
}

/* What is known while programs are loaded. */
struct loading {
    struct probes *p;
    struct links *links;
    const struct ebpf_source_opts *opts;
    int refused;
    bool has_tried_to_attach;
    bool is_in_vain; /* all programs will be loaded again */
};

/*
 * After the kernel has refused a program: the first time, find out whether it would refuse others of its kind. 0 or a
 * negative errno.
 */
static int loading__refused(struct loading *l, bool attach)
{
    int err = l->refused++ ? 0 : probes__find_refused_kinds(l->p, attach);

    l->is_in_vain = probes__need_kprobes(l->p);
    return err < 0 ? err : l->is_in_vain ? -EAGAIN : 0;
}

/*
 * Attach the first trampoline as soon as it is loaded. Some kernels load such programs and refuse to attach them; those
 * that remain to be loaded are spared then. 0 or a negative errno.
 */
static int loading__try_to_attach(struct loading *l, const struct bpf_program *bpf)
{
    int err = links__attach_early(l->links, l->p, bpf);

    l->has_tried_to_attach |= err != LINKS_NOT_THIS_ONE;
    if (err > 0)
        err = loading__refused(l, true);
    return err < 0 && err != LINKS_NOT_THIS_ONE ? err : 0;
}

static int loading__begin(void *user, const struct bpf_program *program)
{
    struct loading *l = user;

    if (l->opts->is_cancelled && l->opts->is_cancelled(l->opts->user))
        return -ECANCELED;
    return hooks__find(&l->p->hooks, bpf_program__name(program))->refused; /* as one of a kind */
}

static int loading__end(void *user, const struct bpf_program *bpf, int fd)
{
    struct loading *l = user;
    struct hooks_program *program = hooks__find(&l->p->hooks, bpf_program__name(bpf));

    if (fd >= 0) {
        program->fd = fd;
        return l->has_tried_to_attach ? 0 : loading__try_to_attach(l, bpf);
    }
    if (preflight__is_shortage(fd))
        return fd;
    hooks__refuse(program, REASON_LOAD "%s", preflight__error(fd));
    return loading__refused(l, false);
}

/* Load the chosen programs. Returns how many the kernel refuses, or a negative errno. */
static int probes__load_chosen(struct probes *p, struct links *links, const struct ebpf_source_opts *opts)
{
    struct loading loading = {.p = p, .links = links, .opts = opts, .has_tried_to_attach = links->have_trampoline};
    int err = probes__load(p, opts, &(struct load_calls){loading__begin, loading__end, &loading});

    return loading.is_in_vain ? loading.refused : err ?: loading.refused;
}

/*
 * Choose again after some programs were refused. Returns whether others are wanted now. The loaded ones were loaded for
 * the former choice: if one would make an event that is unavailable now, or if kprobes are used from now on, all are
 * loaded again.
 */
static bool probes__choose_again(struct probes *p, struct links *links, const struct ebpf_source_opts *opts)
{
    bool begins_kprobes = probes__need_kprobes(p);

    if (begins_kprobes)
        probes__use_kprobes(p);
    bool more = hooks__choose(&p->hooks, opts->events);
    struct ebpf_event_set gone = {.bits = p->constants.events & ~p->hooks.available.bits};

    links__detach_unwanted(links, p);
    if (!begins_kprobes && !hooks__make_any(&p->hooks, gone))
        return more;
    links__detach_all(links, p);
    probes__unload(p);
    return true;
}

/* Attach the loaded programs. 0, 1 if others have been chosen for those refused, or a negative errno. */
static int probes__attach_chosen(struct probes *p, struct links *links, const struct ebpf_source_opts *opts)
{
    int err = spares__connect(p) ?: syscalls__connect(p) ?: probes__identify_self(p, opts);
    int refused = err ?: links__attach(links, p, opts);

    if (refused > 0)
        refused = probes__find_refused_kinds(p, true) ?: 1;
    if (refused <= 0)
        return refused;
    if (!probes__choose_again(p, links, opts))
        return 0;
    links__detach_sharing(links, p);
    return 1;
}

/* Load and attach what is chosen, and choose again until the kernel refuses nothing. 0 or -errno, logged. */
static int probes__bring_up(struct probes *p, struct links *links, const struct ebpf_source_opts *opts)
{
    for (size_t choices = 0; choices <= p->hooks.count; choices++) {
        int err = probes__load_chosen(p, links, opts);

        if (err > 0 && probes__choose_again(p, links, opts))
            continue;
        if (err >= 0)
            err = probes__attach_chosen(p, links, opts);
        if (err <= 0)
            return err ? preflight__explain(&p->log, err) : 0;
    }
    ebpf_log__write(&p->log, EBPF_LOG_ERROR,
                    "cannot load BPF programs: the kernel refuses one after the other; libbpf's log shows why");
    return -EIO;
}

int probes__start(struct probes *p, struct links *links, const struct ebpf_source_opts *opts)
{
    int err = load__register();

    if (!err)
        err = probes__open(p) ?: probes__leave_out(p);
    if (err)
        return preflight__explain(&p->log, err);
    hooks__choose(&p->hooks, opts->events);
    err = probes__check_descriptors(p);
    return err ?: probes__bring_up(p, links, opts);
}

int probes__start_without_refused(struct probes *p, struct links *links, const struct ebpf_source_opts *opts)
{
    if (!probes__choose_again(p, links, opts))
        return 0;
    links__detach_sharing(links, p);
    return probes__bring_up(p, links, opts);
}
