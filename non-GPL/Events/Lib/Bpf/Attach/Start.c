/* SPDX-License-Identifier: BSD-2-Clause */
#include "Start.h"

#include <errno.h>

#include "../Kernel/Preflight.h"
#include "../Object/Refused.h"
#include "Spares.h"

#define DESCRIPTORS_BESIDES 40 /* maps, BTF, what libbpf tries out, what waiting takes */

/* In some places libbpf takes a lack of descriptors for something that the kernel lacks, so this is checked before. */
static int probes__check_descriptors(const struct probes *p)
{
    int needed = DESCRIPTORS_BESIDES;

    for (size_t i = 0; i < p->hooks.count; i++)
        needed += 2 * p->hooks.programs[i].wanted; /* the program and its link */
    return preflight__check_descriptors(&p->log, needed);
}

/* Load what is chosen. 0, 1 when some of it is refused, or a negative errno, logged. */
static int probes__load_chosen(struct probes *p, const struct ebpf_source_opts *opts)
{
    int err = probes__load(p, opts);

    if (err)
        return probes__explain_load(p, opts, err) ?: 1;
    err = spares__connect(p) ?: probes__identify_self(p);
    return err ? preflight__explain(&p->log, err) : 0;
}

/* Attach what is loaded. 0, 1 when what is refused makes a choice of other programs, or a negative errno, logged. */
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
                    "cannot load BPF programs: the kernel refuses one after the other; the libbpf log "
                    "(--libbpf-verbose) tells why");
    return -EIO;
}
