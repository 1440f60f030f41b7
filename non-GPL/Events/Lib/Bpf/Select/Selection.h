/* SPDX-License-Identifier: BSD-2-Clause */
/* Selection.h - turns the conditions of the interface into the lists that the probes search. */
#ifndef EBPF_BPF_SELECTION_H
#define EBPF_BPF_SELECTION_H

#include "EbpfEvents.h"

#include "Core/EmitShared.h"
#include "../../Log.h"

struct selection {
    struct select_list include, exclude;
    struct select_quick quick;
    uint32_t kinds; /* bit n: there is a condition of kind n (enum ebpf_select_kind) */
};

/*
 * Turn conditions into lists; trees are not in the lists. 0, or -EINVAL, -EOPNOTSUPP or another errno, logged.
 */
int selection__build(struct selection *ret_selection, const struct ebpf_condition *conditions, size_t count,
                     const struct ebpf_log *log);

/*
 * Look up the cgroups of a list again, once the probes that follow cgroups are attached, so that none is missed that
 * was removed and created again.
 */
void selection__find_cgroups(struct select_list *list);

/* Warn of conditions on processes that do not exist, which no process meets. */
void selection__warn_of_nobody(const struct ebpf_condition *conditions, size_t count, const struct ebpf_log *log);

#endif
