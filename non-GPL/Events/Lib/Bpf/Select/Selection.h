/* SPDX-License-Identifier: BSD-2-Clause */
/* Selection.h - the conditions of the interface as the lists that the probes look through. */
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
 * Turn conditions into lists. 0, or -EINVAL, -EOPNOTSUPP or another errno after a message; trees are not in the lists.
 */
int selection__build(struct selection *ret_selection, const struct ebpf_condition *conditions, size_t count,
                     const struct ebpf_log *log);

/*
 * Look up the cgroups of a list once more, when the probes that follow them are attached: what is removed and made
 * again from now on does not escape.
 */
void selection__find_cgroups(struct select_list *list);

/* Warn of conditions on processes that do not exist: nobody meets them. */
void selection__warn_of_nobody(const struct ebpf_condition *conditions, size_t count, const struct ebpf_log *log);

#endif
