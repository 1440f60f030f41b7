/* SPDX-License-Identifier: BSD-2-Clause */
/* Select.h - the conditions of the interface as the lists that the probes look through. */
#ifndef EBPF_BPF_SELECT_H
#define EBPF_BPF_SELECT_H

#include "EbpfEvents.h"

#include "Core/EmitShared.h"
#include "../Log.h"

struct selection {
    struct select_list include, exclude;
    uint32_t kinds; /* bit n: there is a condition of kind n (enum ebpf_select_kind) */
};

/* Turn conditions into lists. 0, or -EINVAL or another errno after a message; trees are not in the lists. */
int selection__build(struct selection *ret_selection, const struct ebpf_condition *conditions, size_t count,
                     const struct ebpf_log *log);

#endif
