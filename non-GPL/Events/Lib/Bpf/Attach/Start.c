/* SPDX-License-Identifier: BSD-2-Clause */
#include "Start.h"

#include <errno.h>

#include "../Kernel/Preflight.h"
#include "../Object/Refused.h"
#include "Spares.h"

#define OTHER_DESCRIPTORS 40 /* for maps, BTF, libbpf's feature tests, and waiting */

/* Check the limit of descriptors: in places, libbpf takes reaching it for a feature that the kernel lacks. */
static int probes__check_descriptors(const struct probes *p)
{
    int needed = OTHER_DESCRIPTORS;

    for (size_t i = 0; i < p->hooks.count; i++)
        needed += 2 * p->hooks.programs[i].wanted; /* the program and its link */
    return preflight__check_descriptors(&p->log, needed);
}

/* Load the chosen programs. 0, 1 if the kernel refuses some, or a negative errno, logged. */
static int probes__load_chosen(struct probes *p, const struct ebpf_source_opts *opts)
{
    int err = probes__load(p, opts);

    if (err)
        return probes__explain_load(p, opts, err) ?: 1;
    err = spares__connect(p) ?: probes__identify_self(p);
    return err ? preflight__explain(&p->log, err) : 0;
}

/* Attach the loaded programs. 0, 1 if others have been chosen for those refused, or a negative errno, logged. */
static int probes__attach_chosen(struct probes *p, struct links *links, const struct ebpf_source_opts *opts)
{
    int refused = links__attach(links, p, opts);

    if (!refused)
        return 0;
    if (refused > 0)
        refused = probes__find_refused_kinds(p, true);
    if (refused < 0)
        return preflight__explain(&p->log, refused);
    if (!hooks__choose(&p->hooks, opts->events)) {
        links__detach_unwanted(links, p);
        return 0;
    }
    links__detach_all(links, p);
    return 1;
}

int probes__start(struct probes *p, struct links *links, const struct ebpf_source_opts *opts)
{
    int err = targets__register();

    if (!err)
        err = probes__open(p) ?: probes__leave_out(p);
    if (err)
        return preflight__explain(&p->log, err);
    hooks__choose(&p->hooks, opts->events);
    err = probes__check_descriptors(p);
    if (err)
        return err;
    for (size_t choices = 0; choices <= p->hooks.count; choices++) {
        err = probes__load_chosen(p, opts);
        if (err > 0)
            hooks__choose(&p->hooks, opts->events);
        if (!err)
            err = probes__attach_chosen(p, links, opts);
        if (err <= 0)
            return err;
    }
    ebpf_log__write(&p->log, EBPF_LOG_ERROR,
                    "cannot load BPF programs: the kernel refuses one after the other; libbpf's log shows why");
    return -EIO;
}
